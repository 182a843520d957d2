"""The names in compiled code, and the objects that they stand for."""

from __future__ import annotations

import functools
import keyword
import re
import typing as t
import unicodedata

from buvar.components import LayerEndedError
from buvar.components import spi
from buvar.components.spi import MISSING
from buvar.context import buvar_context
from buvar.di._annotations.parse import show
from buvar.di._plan.collecting import ALL
from buvar.di._plan.collecting import by_name
from buvar.di._plan.collecting import exact
from buvar.di._plan.collecting import listed
from buvar.di._plan.nodes import LEVELS
from buvar.di._plan.nodes import Build
from buvar.di._plan.nodes import Guard

from .once import release
from .once import wait
from .once import wake
from .runtime import any_lent
from .runtime import any_present
from .runtime import keep
from .runtime import raise_bad_result
from .runtime import raise_no_closing_layer
from .runtime import types_of


#: What all compiled code may use.
_COMMON: t.Final[t.Mapping[str, t.Any]] = {
    "ENDED": spi.ENDED,
    "MISSING": MISSING,
    "Ended": LayerEndedError,
    "any_lent": any_lent,
    "any_present": any_present,
    "by_name": by_name,
    "close": spi.close_generator,
    "current": buvar_context.get,
    "current_task": spi.current_task,
    "defer": spi.defer,
    "exact": exact,
    "keep": keep,
    "listed": listed,
    "partial": functools.partial,
    "raise_bad_result": raise_bad_result,
    "raise_no_closing_layer": raise_no_closing_layer,
    "release": release,
    "running_task": spi.running_task,
    "types_of": types_of,
    "wait": wait,
    "wake": wake,
}
_TAKEN: t.Final = frozenset(
    {
        *("adapters", "resolve_slow", "given", "nject", "note", "error"),
        *("context", "items", "below", *LEVELS),
        *(f"{level}_kept" for level in LEVELS),
        *_COMMON,
        # What the code uses of Python itself. Not all that there is: one
        # Python has more than another, and the code is to be the same.
        *("Exception", "RuntimeError", "StopAsyncIteration", "StopIteration"),
        *("anext", "isinstance", "next", "tuple", "type"),
    }
)
#: Compiled here: forked workers share it, and do not compile it each.
_WORD = re.compile(r"\w+")


class Names:
    """
    The names of one piece of code.

    Attributes:
        values: What stands for objects from outside, for ``exec``.
    """

    def __init__(self) -> None:
        self.values: dict[str, t.Any] = dict(_COMMON)
        self._taken = set(_TAKEN)
        #: The last number that made a name unique.
        self._numbers: dict[str, int] = {}
        self._constants: dict[int, str] = {}
        self._variables: dict[Build | Guard, str] = {}

    def new(self, wish: str) -> str:
        """Return a name that nothing else has, like one that is wished."""
        # Python reads identifiers in this form; a class may have any name.
        wish = unicodedata.normalize("NFKC", wish)
        wish = "_".join(_WORD.findall(wish)).strip("_")
        wish = wish if wish.isidentifier() else f"it_{wish}"
        wish = wish if wish.isidentifier() else "it"
        name = wish
        while name in self._taken or keyword.iskeyword(name):
            number = self._numbers[wish] = self._numbers.get(wish, 1) + 1
            name = f"{wish}_{number}"
        self._taken.add(name)
        return name

    def fresh(self, value: t.Any, wish: str) -> str:
        """Name an object that was made for one place in the code."""
        name = self.new(wish)
        self.values[name] = value
        return name

    def constant(self, value: t.Any, wish: str = "") -> str:
        """Return the one name of an object."""
        name = self._constants.get(id(value))
        if name is None:
            wish = wish or getattr(value, "__name__", "const")
            # Keeps the object alive: its id is the key.
            name = self._constants[id(value)] = self.fresh(value, wish)
        return name

    def guard(self, guard: Guard) -> str:
        """Return the variable for the answer to a question."""
        name = self._variables.get(guard)
        if name is None:
            what = "found" if guard.name is ALL else show(guard.key).lower()
            name = self._variables[guard] = self.new(f"{what}_item")
        return name

    def variable(self, build: Build) -> str:
        """Return the variable for what is built."""
        name = self._variables.get(build)
        if name is None:
            name = self._variables[build] = self.new(show(build.type).lower())
        return name
