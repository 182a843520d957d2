"""What compiled code calls: build once, end with a layer, wrong results."""

from __future__ import annotations

import asyncio
import inspect
import sys
import types
import typing as t
import weakref

from buvar.components import Components
from buvar.components._impl import MISSING
from buvar.components._lock import LOCK
from buvar.components._views import depend
from buvar.context._closing import wraps

from ._adapter import Adapter
from ._errors import CycleError
from ._errors import GeneratorError
from ._errors import ResolveError
from ._errors import ScopeError
from ._types import show


#: What the file names of compiled code start with.
COMPILED: t.Final = "<buvar.di "


async def wait(
    items: dict[t.Hashable, t.Any], place: t.Any, building: t.Any, key: t.Any
) -> t.Any:
    """
    Wait for what another task builds for a layer.

    Args:
        items: The items of the layer. Something stands under ``building``
            while a task builds: an event, as soon as another one waits.
        place: Where what was built is to be found.
        building: See there.
        key: The type, for the error.

    Returns:
        What was built, or ``MISSING`` if that failed: the first to come back
        builds then, the others wait for it.
    """
    while building in items:
        if _is_building(items, building):
            line = f"{show(key)} is asked for while it is being built."
            hint = (
                "break the cycle: let one of them ask later, when it is used"
            )
            raise CycleError(key, (line,), (key, key), (hint,))
        event = items[building]
        if event is None:
            event = items[building] = asyncio.Event()
        await event.wait()
    return items.get(place, MISSING)


def _is_building(items: dict[t.Hashable, t.Any], building: t.Any) -> bool:
    """
    Tell whether it is the running task itself that builds.

    Asking is rare, building is not: so builders leave no note of who they
    are, they are found among the frames of the task, by what these hold.
    """
    task = asyncio.current_task()
    # A task that was started eagerly runs inside of another one.
    first = getattr(task and task.get_coro(), "cr_frame", None)
    frame: types.FrameType | None = sys._getframe(2)  # noqa: SLF001
    while frame is not None:
        if frame.f_code.co_filename.startswith(COMPILED):
            held = tuple(frame.f_locals.values())
            if all(any(x is y for x in held) for y in (items, building)):
                return True
        frame = None if frame is first else frame.f_back
    return False


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
        if layer is not None:
            layer.view.pop(t.cast("t.Any", self._fact), None)


def seen(layer: Components, fact: object, keys: tuple[t.Any, ...]) -> bool:
    """
    Tell whether a layer has, or sees, one of some types.

    The answer of the layer that lives longest is kept there under ``fact``;
    those over it, as of tasks and requests, would not live to be asked again.
    """
    stage = layer.stage or layer
    while layer is not stage:
        items = layer.items
        if items and any(key in items for key in keys):
            return True
        layer = t.cast("Components", layer.below)
    if fact in layer.view:
        return False
    with LOCK:
        # Asking it gives it a view of its own.
        if has(layer, keys):
            return True
        watch = Watch(layer, fact)
        depend(layer.own_dependents(), t.cast("t.Any", watch))
        layer.view[t.cast("t.Any", fact)] = watch
    return False


def has(layer: Components, keys: tuple[t.Any, ...]) -> bool:
    """Tell whether a layer has, or sees, one of some types: in all detail."""
    return any(layer.peek(key) is not MISSING for key in keys)


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


def reveal(layer: Components, keys: tuple[t.Any, ...], item: t.Any) -> None:
    """Have all see what was put among the items of a layer."""
    with LOCK:
        layer.reveal(keys, item)


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
    error: BaseException | None,
) -> None:
    """Let a generator go on behind its ``yield``, or throw the error in."""
    try:
        if error is None:
            next(generator)
        else:
            generator.throw(error)
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
