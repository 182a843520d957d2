"""Functions that compiled code calls: presence, bad results."""

from __future__ import annotations

import functools
import inspect
import typing as t

from buvar.components import Components
from buvar.components import spi
from buvar.components.spi import MISSING
from buvar.di._annotations.parse import show
from buvar.di._errors import GeneratorError
from buvar.di._errors import ResolveError
from buvar.di._errors import ScopeError
from buvar.di._registry.adapter import Adapter


def any_present(layer: Components, keys: tuple[t.Any, ...]) -> bool:
    """Tell whether a layer has, or sees, any of several types."""
    return any(spi.peek(layer, key) is not MISSING for key in keys)


def any_lent(layer: Components, keys: tuple[t.Any, ...]) -> bool:
    """Tell whether layers above see any of several types through a layer."""
    return any(spi.lent(layer, key) is not MISSING for key in keys)


def raise_bad_result(adapter: Adapter, value: t.Any) -> t.NoReturn:
    """Complain about what an adapter returned."""
    if value is MISSING:
        msg = (
            f"{adapter.name} ({adapter.where}) ended without yielding.\n"
            "Hint: yield the object once."
        )
        raise GeneratorError(msg) from None
    if inspect.iscoroutine(value):
        value.close()
    returns = show(adapter.returns)
    got = "None" if value is None else f"an instance of {show(type(value))}"
    where = f"{adapter.name} ({adapter.where})"
    line = f"{where} returned {got}, not an instance of {returns}."
    hint = f"return an instance of {returns}, or change the annotation"
    raise ResolveError(adapter.returns, (line,), (adapter.returns,), (hint,))


def keep(kept: dict[t.Hashable, t.Any], item: t.Any) -> None:
    """
    Keep an instance of a subclass of what was said, as one of that too.

    The layer is told of it by the code that calls this.
    """
    for key in types_of(item):
        kept[key] = item


def types_of(item: t.Any) -> tuple[t.Any, ...]:
    """List the types that an object is found by, in detail: none of None."""
    return () if item is None else _types_of(t.cast("t.Any", type(item)))


@functools.lru_cache(maxsize=1024)
def _types_of(cls: type[object]) -> tuple[t.Any, ...]:
    """Announce the types, once: what was announced stays so."""
    for key in cls.__mro__:
        spi.announce(key)
    return cls.__mro__


def raise_no_closing_layer(adapter: Adapter) -> t.NoReturn:
    """Complain about a generator in a layer that does not end."""
    line = (
        f"{adapter.name} ({adapter.where}) yields, but there is no "
        "layer whose end would close it."
    )
    hint = "open one: async with context.child(): ..., or run a stage"
    raise ScopeError(adapter.returns, (line,), (), (hint,))


def yielded_twice_error(adapter: Adapter) -> GeneratorError:
    """Make the error for a generator that goes on yielding."""
    msg = (
        f"{adapter.name} ({adapter.where}) yielded twice.\n"
        "Hint: yield the object once; what follows the yield cleans up."
    )
    return GeneratorError(msg)
