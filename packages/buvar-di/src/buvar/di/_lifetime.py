"""What compiled code calls: build once, end with a layer, wrong results."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import typing as t

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


async def wait(
    items: dict[t.Hashable, t.Any], ticket: t.Any, building: t.Any, key: t.Any
) -> t.Any:
    """
    Wait for what another task builds for a layer.

    Args:
        items: The items of the layer. Under ``building`` stands the task that
            builds and, as soon as another one waits, its ``Turn``.
        ticket: Where what was built is to be found.
        building: See there.
        key: The type, for the error.

    Returns:
        What was built, or ``MISSING`` if that failed: the first to come back
        builds then, the others wait for it.
    """
    task = t.cast("asyncio.Task[t.Any]", asyncio.current_task())
    while (claim := items.get(building)) is not None:
        if _waits_for(claim[0], task):
            line = f"{show(key)} is asked for while it is being built."
            hint = (
                "break the cycle: let one of them ask later, when it is used"
            )
            raise CycleError(key, (line,), (key, key), (hint,))
        if len(claim) == 1:
            claim.append(Turn())
        over = claim[1].over()
        # Another thread may have ended it before that was noted.
        if items.get(building) is claim:
            _claims[task] = claim
            try:
                await over
            finally:
                del _claims[task]
    return items.get(ticket, MISSING)


#: What each task waits for.
_claims: dict[t.Any, t.Any] = {}


def _waits_for(builder: t.Any, task: t.Any) -> bool:
    """Tell whether a task is another, or waits for it, maybe indirectly."""
    while builder is not task:
        if builder not in _claims:
            return False
        builder = _claims[builder][0]
    return True


class Turn:
    """Tells those that wait, in the loops of other threads too."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[None]] = []

    def over(self) -> asyncio.Future[None]:
        """Return what is done when ``set`` is called."""
        self.waiting.append(asyncio.get_running_loop().create_future())
        return self.waiting[-1]

    def set(self) -> None:
        """Wake all."""
        for future in self.waiting:
            # A loop that has been closed has nobody who waits.
            with contextlib.suppress(RuntimeError):
                future.get_loop().call_soon_threadsafe(_wake, future)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Watch(dict[str, bool]):
    """
    The knowledge that a layer has none of some types.

    Kept in the view of the layer and emptied, as views are, when something is
    added to what it was seen through: empty it says nothing.
    """

    __slots__ = ("__weakref__",)

    #: Nobody looks through this.
    dependents: t.Final = None

    @property
    def view(self) -> Watch:
        """What is emptied."""
        return self


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
    if layer.view.get(fact):
        return False
    with LOCK:
        if has(layer, keys):
            return True
        watch = Watch(absent=True)
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
        raise GeneratorError(msg)
    if inspect.iscoroutine(value):
        value.close()
    returns = show(adapter.returns)
    got = "None" if value is None else f"an instance of {show(type(value))}"
    line = (
        f"{adapter.name} ({adapter.where}) returned {got}, it says {returns}."
    )
    hint = f"return an instance of {returns}, or change the annotation"
    raise ResolveError(adapter.returns, (line,), (adapter.returns,), (hint,))


def closers(layer: Components, adapter: Adapter) -> list[t.Any]:
    """Start the list of what ends with a layer."""
    if layer.below is None:
        line = (
            f"{adapter.name} ({adapter.where}) yields, but there is no "
            "layer whose end would close it."
        )
        hint = "open one: async with context.child(): ..., or run a stage"
        raise ScopeError(adapter.returns, (line,), (), (hint,))
    layer.closers = []
    return layer.closers


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
