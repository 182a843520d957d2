"""Write the head of a resolver: the layers, and what it asks them."""

from __future__ import annotations

import builtins
import functools
import keyword
import re
import typing as t
import unicodedata

from buvar.components import LayerEndedError
from buvar.components import spi
from buvar.components.spi import MISSING
from buvar.components.spi import CodeName
from buvar.context import buvar_context

from ._collections import ALL
from ._collections import EXACT
from ._collections import by_name
from ._collections import exact
from ._collections import listed
from ._condition import reference
from ._nodes import CALL
from ._nodes import LAYER
from ._nodes import STAGE
from ._nodes import Build
from ._nodes import Collect
from ._nodes import Const
from ._nodes import Given
from ._nodes import Guard
from ._nodes import Item
from ._nodes import Node
from ._once import release
from ._once import wait
from ._once import wake
from ._plan import Planner
from ._provider_kind import Kind
from ._runtime import any_lent
from ._runtime import any_present
from ._runtime import keep
from ._runtime import raise_bad_result
from ._runtime import raise_no_closing_layer
from ._runtime import types_of
from ._types import show


AWAITS: t.Final = (Kind.AWAIT, Kind.ASYNC_YIELD)
LAYERS: t.Final = ("call", "layer", "stage")
#: The depth of lines in no block but that of the function.
TOP: t.Final = 2
#: More types than this are not asked for one by one.
_MANY = 8
_OTHERWISE = (
    "return MISSING if adapters is None "
    "else await resolve_slow(adapters, given)"
)
#: Compiled here: forked workers share it, and do not compile it each.
_WORD = re.compile(r"\w+")
#: Keywords and parameters may be called like a layer.
_NO_NAMES = re.compile(r"'[^']*'|\b\w+=")


class AbsenceMarker:
    """The key of what is known of a layer, see ``spi.sees``."""


class Head:
    """Names, and the questions to the context."""

    def __init__(self, planner: Planner) -> None:
        self.planner = planner
        self.is_async = any(
            build.adapter.kind in AWAITS for build in planner.order
        )
        self.lines: list[str] = []
        self.nodes: dict[int, Build] = {}
        self.names: dict[t.Any, t.Any] = {
            "ENDED": spi.ENDED,
            "MISSING": MISSING,
            "Ended": LayerEndedError,
            "by_name": by_name,
            "close": spi.close_generator,
            "defer": spi.defer,
            "current": buvar_context.get,
            "current_task": spi.current_task,
            "raise_no_closing_layer": raise_no_closing_layer,
            "exact": exact,
            "any_present": any_present,
            "keep": keep,
            "any_lent": any_lent,
            "listed": listed,
            "partial": functools.partial,
            "release": release,
            "running_task": spi.running_task,
            "types_of": types_of,
            "wait": wait,
            "wake": wake,
            "raise_bad_result": raise_bad_result,
        }
        self.consts: dict[t.Any, str] = {}
        self.vars: dict[t.Any, str] = {}
        self.taken: set[str] = {
            *("adapters", "resolve_slow", "given", "nject", "note", "error"),
            *("context", "items", "below", *LAYERS),
            *(f"{layer}_kept" for layer in LAYERS),
            *self.names,
            # The code uses some of them, such as isinstance.
            *dir(builtins),
        }
        #: The last number that made a name unique.
        self.numbers: dict[str, int] = {}
        self.assigned: set[Build] = set()
        self.maybe_assigned: list[Build] = []
        #: Something was awaited in the lines so far: others may have run.
        self.awaited = False

    # --- the head ---------------------------------------------------------

    def _layers(self, target: t.Any, guards: list[str]) -> list[str]:
        """
        Find the layers, and refuse what asks one that has ended.

        Args:
            target: What is asked for.
            guards: The lines that follow, which ask the context.
        """
        text = _NO_NAMES.sub("", "\n".join((*guards, *self.lines)))
        words = set(_WORD.findall(text))
        asked = self._const(target, "target")
        if "below" in words and not words & {"layer", "layer_kept"}:
            # Only what is called is needed, and what lies below is asked.
            lines = [
                f"    if context.{CodeName.CLOSERS} is ENDED:",
                f"        context.{CodeName.REFUSE}({asked})",
            ]
        else:
            lines = self._lifetime(asked)
        if words & {"stage", "stage_kept"}:
            lines.append(f"    stage = context.{CodeName.STAGE} or context")
        if "stage_kept" in words:
            lines += [
                f"    stage_kept = stage.{CodeName.KEPT}",
                "    if stage_kept is None:",
                f"        stage.{CodeName.REFUSE}({asked})",
            ]
        return lines

    def _lifetime(self, asked: str) -> list[str]:
        """Find the layer that keeps what is built, if it has not ended."""
        return [
            f"    layer = context.{CodeName.SCOPE} or context",
            f"    layer_kept = layer.{CodeName.KEPT}",
            "    if layer_kept is None:",
            f"        layer.{CodeName.REFUSE}({asked})",
        ]

    def _guards(self) -> list[str]:
        """Ask the context first: another answer needs another plan."""
        lines: list[str] = []
        absent: dict[str, list[t.Any]] = {}
        asked: set[Guard] = set()
        for guard, found in self.planner.guards.items():
            layer = "context" if guard.level == CALL else LAYERS[guard.level]
            key = self._const(guard.key)
            if not found and guard.name is None:
                absent.setdefault(layer, []).append(guard.key)
                continue
            if not found:
                look = self._look(guard, layer, key)
                lines.append(f"    if {look} is not MISSING:")
                lines.append(f"        {_OTHERWISE}")
                continue
            var = self._guard(guard)
            lines += self._find(guard, layer, key, asked)
            asked.add(guard)
            test = f"{var} is MISSING"
            if guard in self.planner.rests_on:
                # A condition has read it: another one may say otherwise.
                read = reference(self.planner.rests_on[guard])
                test = f"{var} is not {self._const(read, 'read')}()"
            lines += [f"    if {test}:", f"        {_OTHERWISE}"]
        for guard, needed in self.planner.collected.items():
            layer = "context" if guard.level == CALL else LAYERS[guard.level]
            var = self._guard(guard)
            lines.append(f"    {var} = {self._const(guard.key)}({layer})")
            if needed is not None:
                test = f"not {var}" if needed else var
                lines += [f"    if {test}:", f"        {_OTHERWISE}"]
        return self._absent(absent) + lines

    def _find(
        self, guard: Guard, layer: str, key: str, asked: set[Guard]
    ) -> list[str]:
        """
        Write how something that should be there is found.

        Args:
            guard: What is asked for.
            layer: The layer that is asked.
            key: The type.
            asked: What was asked for before.
        """
        var = self._guard(guard)
        name: object = guard.name
        if name is not None or guard.level == STAGE:
            return [f"    {var} = {self._look(guard, layer, key)}"]
        # A call is spared, unless it was not asked for before (or is the
        # component None).
        lines = [
            f"    {var} = {layer}.{CodeName.VIEW}.get({key})",
            f"    if {var} is None:",
            f"        {var} = {layer}.{CodeName.LOOK}({key})",
        ]
        twin = guard._replace(level=LAYER if guard.level == CALL else CALL)
        if twin not in asked:
            return lines
        return [
            "    if context is layer:",
            f"        {var} = {self._guard(twin)}",
            "    else:",
            *(f"    {line}" for line in lines),
        ]

    def _look(self, guard: Guard, layer: str, key: str) -> str:
        """Write the question to a layer for something."""
        if guard.name is EXACT:
            return f"exact({key}, {layer})"
        if guard.name is not None:
            name = self._const(guard.name)
            return f"{layer}.{CodeName.PEEK_NAMED}({key}, {name})"
        return f"{layer}.{CodeName.LENT}({key})"

    def _absent(self, absent: dict[str, list[t.Any]]) -> list[str]:
        """
        Ask for what is not there.

        What is not seen from the top is nowhere: only if something is there
        each layer is asked for what must not be in it.
        """
        keys = tuple(
            dict.fromkeys(k for some in absent.values() for k in some)
        )
        if not keys:
            return self._no_layer_ended()
        fact = self._const(AbsenceMarker(), "fact")
        own = self._any_in(keys, "items")
        kept = self._any_in(keys, "layer_kept")
        see = f"below.{CodeName.SEES}({fact}, {self._const(keys, 'absent')})"
        lines = [
            f"    items = context.{CodeName.ITEMS}",
            f"    below = context.{CodeName.BELOW}",
            f"    if (items and ({own})) or (",
            f"        layer_kept and ({kept})",
            "    ) or (",
            "        below is not None",
            f"        and {fact} not in below.{CodeName.FACTS}",
            f"        and {see}",
            "    ):",
        ]
        if list(absent) != ["context"]:
            asked = [
                f"{'any_lent' if layer == 'stage' else 'any_present'}"
                f"({layer}, {self._const(tuple(some), 'absent')})"
                for layer, some in absent.items()
            ]
            lines.append(f"        if {' or '.join(asked)}:")
            return [*lines, f"            {_OTHERWISE}"]
        return [*lines, f"        {_OTHERWISE}"]

    def _no_layer_ended(self) -> list[str]:
        """
        Refuse to build over a layer that has ended.

        Where nothing has to be absent, as nothing of these types was ever
        added anywhere, no layer further down is asked for anything. That one
        of them has ended must be told all the same.
        """
        if not self.planner.order:
            return []
        fact = self._const(AbsenceMarker(), "fact")
        keys = self._const((self.planner.order[-1].type,), "absent")
        # What is asked for, and whether it is there, does not matter.
        return [
            f"    below = context.{CodeName.BELOW}",
            "    if below is not None:",
            f"        if {fact} not in below.{CodeName.FACTS}:",
            f"            below.{CodeName.SEES}({fact}, {keys})",
        ]

    def _any_in(self, keys: tuple[t.Any, ...], place: str) -> str:
        """Write the question whether any of several types is in a dict."""
        if len(keys) > _MANY:
            many = self._const(frozenset(keys), "absent")
            return f"not {many}.isdisjoint({place})"
        return " or ".join(f"{self._const(key)} in {place}" for key in keys)

    # --- what is kept -----------------------------------------------------

    def _key(self, node: Build) -> t.Any:
        """
        Return what it is looked for by, among what its layer keeps.

        That is its type. Only where several adapters keep objects of that
        type, as they may wrap each other's, each has a key of its own.
        """
        if self._is_layered(node):
            return node.ticket
        own = self.planner.own_keys(node)[0]
        found = self.planner.adapters.find(own)
        if sum(candidate.adapter.scope != "call" for candidate in found) == 1:
            return own
        return node.ticket

    def _is_layered(self, node: Build) -> bool:
        """Tell whether it is wrapped by decorators, or one of them."""
        decorated = self.planner.decorated
        return decorated.any_there and (
            node.adapter.base is not None or decorated.any(node.candidate)
        )

    def _place(self, node: Build) -> str:
        """Write what it is looked for by."""
        key = self._key(node)
        return self._const(key, "ticket" if key is node.ticket else "")

    def _is_new(self, node: Build) -> bool:
        """Tell whether nothing can have been built before."""
        key, guards = self._key(node), self.planner.guards
        asked = (Guard(level, key, None) for level in (CALL, node.level))
        return not self.awaited and (
            key in self.planner.absent
            or any(guards.get(guard) is False for guard in asked)
        )

    # --- names ------------------------------------------------------------

    def _name(self, wish: str) -> str:
        # Python reads identifiers in this form; a class may have any name.
        wish = unicodedata.normalize("NFKC", wish)
        wish = "_".join(_WORD.findall(wish)).strip("_")
        wish = wish if wish.isidentifier() else f"it_{wish}"
        wish = wish if wish.isidentifier() else "it"
        name = wish
        while name in self.taken or keyword.iskeyword(name):
            number = self.numbers[wish] = self.numbers.get(wish, 1) + 1
            name = f"{wish}_{number}"
        self.taken.add(name)
        return name

    def _const(self, value: t.Any, wish: str = "") -> str:
        if id(value) not in self.consts:
            name = self._name(
                wish or f"{getattr(value, '__name__', 'const')}_"
            )
            if name in self.names:  # pragma: no cover - names are unique
                raise AssertionError(name)
            # Keeps the value alive: its id is the key.
            self.consts[id(value)] = name
            self.names[name] = value
        return self.consts[id(value)]

    def _guard(self, guard: Guard) -> str:
        if guard not in self.vars:
            what = "found" if guard.name is ALL else show(guard.key).lower()
            self.vars[guard] = self._name(f"{what}_item")
        return self.vars[guard]

    def _var(self, build: Build) -> str:
        if build not in self.vars:
            self.vars[build] = self._name(show(build.type).lower())
        return self.vars[build]

    def _value(self, node: Node) -> str:
        if isinstance(node, Given):
            return f"given[{node.name!r}]"
        if isinstance(node, Item):
            return self._guard(node.guard)
        if isinstance(node, Const):
            return self._const(node.value, "default")
        if isinstance(node, Collect):
            return self._collection(node)
        return self._var(t.cast("Build", node))

    def _collection(self, node: Collect) -> str:
        """Write a collection: a display of its items, and what is found."""
        if node.kind is dict:
            items = ", ".join(
                f"{name!r}: {self._value(item)}"
                for name, item in node.items.items()
            )
            built, add = f"{{{items}}}", "by_name"
        else:
            items = ", ".join(map(self._value, node.items.values()))
            built, add = f"[{items}]", "listed"
        if node.found is not None:
            built = f"{add}({built}, {self._guard(node.found)})"
        return f"tuple({built})" if node.kind is tuple else built

    def _line(self, text: str, depth: int, build: Build | None = None) -> None:
        self.lines.append("    " * depth + text)
        if build is not None:
            self.nodes[len(self.lines)] = build
