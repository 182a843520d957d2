"""What compiled code calls: what is there, ends of layers, wrong results."""

from __future__ import annotations

import asyncio
import inspect
import typing as t
import weakref

from buvar.components import Components
from buvar.components import spi
from buvar.components._builder import foreign_context
from buvar.components._builder import run_in
from buvar.components._closing import wraps
from buvar.components._lock import LOCK
from buvar.components._types import ENDED
from buvar.components._views import depend
from buvar.components.spi import MISSING

from ._adapter import Adapter
from ._errors import GeneratorError
from ._errors import ResolveError
from ._errors import ScopeError
from ._types import show


class Watch:
    """
    The knowledge that a layer has none of some types.

    Kept in the view of the layer, and dropped when something is added to
    what it was seen through, as views are emptied then.
    """

    __slots__ = ("__weakref__", "_fact", "_layer")

    #: Nobody looks through this.
    dependents: t.Final = None

    def __init__(self, layer: Components, fact: object) -> None:
        self._layer = weakref.ref(layer)
        self._fact = fact

    @property
    def view(self) -> Watch:
        """What is emptied: itself."""
        return self

    def clear(self) -> None:
        """Drop it."""
        layer = self._layer()
        if layer is not None:  # pragma: no branch - the layer keeps this
            layer.view.pop(t.cast("t.Any", self._fact), None)


def seen(layer: Components, fact: object, keys: tuple[t.Any, ...]) -> bool:
    """
    Tell whether a layer has, or sees, one of some types.

    The answer of the layer that lives longest is kept there under ``fact``;
    those over it, as of tasks and requests, would not live to be asked again.
    """
    stage = layer.stage or layer
    while layer is not stage:
        if layer.closers is ENDED:
            layer.refuse(keys[0])
        items = layer.items
        if items and any(key in items for key in keys):
            return True
        layer = t.cast("Components", layer.below)
    if fact in layer.view:
        return False
    with LOCK:
        # Asking it gives it a view of its own.
        if lends(layer, keys):
            return True
        watch = Watch(layer, fact)
        depend(layer.own_dependents(), t.cast("t.Any", watch))
        layer.view[t.cast("t.Any", fact)] = watch
    return False


def has(layer: Components, keys: tuple[t.Any, ...]) -> bool:
    """Tell whether a layer has, or sees, one of some types: in all detail."""
    return any(layer.peek(key) is not MISSING for key in keys)


def lends(layer: Components, keys: tuple[t.Any, ...]) -> bool:
    """Tell whether the layers above see one of some types through a layer."""
    return any(layer.lent(key) is not MISSING for key in keys)


def wrong(adapter: Adapter, value: t.Any) -> t.NoReturn:
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
    line = (
        f"{adapter.name} ({adapter.where}) returned {got}, it says {returns}."
    )
    hint = f"return an instance of {returns}, or change the annotation"
    raise ResolveError(adapter.returns, (line,), (adapter.returns,), (hint,))


def keep(
    layer: Components, kept: dict[t.Hashable, t.Any], item: t.Any
) -> None:
    """Keep an instance of a subclass of what was said, as one of that too."""
    if item is None:
        return
    keys = t.cast("type[object]", type(item)).__mro__
    for key in keys:
        spi.announce(key)
    kept.update(dict.fromkeys(keys, item))
    layer.changed()


def endless(adapter: Adapter) -> t.NoReturn:
    """Complain about a generator in a layer that does not end."""
    line = (
        f"{adapter.name} ({adapter.where}) yields, but there is no "
        "layer whose end would close it."
    )
    hint = "open one: async with context.child(): ..., or run a stage"
    raise ScopeError(adapter.returns, (line,), (), (hint,))


def close(
    generator: t.Generator[t.Any, None, None],
    adapter: Adapter,
    layer: Components,
    task: asyncio.Task[t.Any] | None,
    error: BaseException | None,
) -> None:
    """
    Let a generator go on behind its ``yield``, or throw the error in.

    It goes on in the context that it began in, that of the task.
    """
    context = foreign_context(task)
    step: t.Any = generator.send
    if error is not None:
        step = generator.throw
    try:
        if context is None:
            step(error)
        else:
            run_in(context, layer, step, error)
    except StopIteration:
        return
    except BaseException as failure:
        if failure is error or wraps(failure, error):
            return
        raise
    generator.close()
    raise twice(adapter)


def twice(adapter: Adapter) -> GeneratorError:
    """Make the error for a generator that goes on yielding."""
    msg = (
        f"{adapter.name} ({adapter.where}) yielded twice.\n"
        "Hint: yield the object once; what follows the yield cleans up."
    )
    return GeneratorError(msg)
