"""What compiled code calls: build once, end with a layer, wrong results."""

from __future__ import annotations

import asyncio
import contextlib
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
    items: dict[t.Hashable, t.Any],
    place: t.Hashable,
    building: t.Hashable,
    key: t.Any,
) -> t.Any:
    """
    Wait for what another task builds for a layer.

    Args:
        items: The items of the layer. Under ``building`` stand the keywords
            of the call that builds, which no other call has and, as soon as
            somebody waits, among them its ``Turn``.
        place: Where what was built is to be found.
        building: See there.
        key: The type, for the error.

    Returns:
        What was built, or ``MISSING`` if that failed: the first to come back
        builds then, the others wait for it.

    Raises:
        CycleError: The task builds it itself, or something that whoever does
            waits for.
    """
    task = asyncio.current_task()
    while (claim := items.get(building)) is not None:
        held = _held(task)
        if _in_vain(claim, held):
            line = f"{show(key)} is asked for while it is being built."
            hint = (
                "break the cycle: let one of them ask later, when it is used"
            )
            raise CycleError(key, (line,), (key, key), (hint,))
        over = claim.setdefault(Turn, Turn()).over()
        # Another thread may have ended it before that was noted.
        if items.get(building) is claim:
            _waiting[task] = (claim, held)
            try:
                await over
            finally:
                del _waiting[task]
    return items.get(place, MISSING)


def wake(given: dict[t.Any, t.Any]) -> None:
    """Wake those that wait for what a call has built, or failed to build."""
    turn = given.pop(Turn, None)
    if turn is not None:
        turn.set()


#: The call that each waiting task waits for, and those it is in itself.
_waiting: dict[t.Any, tuple[t.Any, frozenset[int]]] = {}


def _held(task: asyncio.Task[t.Any] | None) -> frozenset[int]:
    """
    Return the ids of the keywords of all calls that the running task is in.

    Waiting is rare, building is not: so builders leave no note of who they
    are, they are found among the frames of the task.
    """
    # A task that was started eagerly runs inside of another one.
    first = getattr(task and task.get_coro(), "cr_frame", None)
    held: list[int] = []
    frame: types.FrameType | None = sys._getframe(2)  # noqa: SLF001
    while frame is not None:
        if frame.f_code.co_filename.startswith(COMPILED):
            held.append(id(frame.f_locals["given"]))
        frame = None if frame is first else frame.f_back
    return frozenset(held)


def _in_vain(claim: t.Any, held: frozenset[int]) -> bool:
    """Tell whether a call is one of some, or waits for one of them."""
    waiting = tuple(_waiting.values())
    for _ in range(len(waiting) + 1):
        if id(claim) in held:
            return True
        wanted = [one for one, theirs in waiting if id(claim) in theirs]
        if not wanted:
            return False
        claim = wanted[0]
    return False  # pragma: no cover - only where threads race


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
