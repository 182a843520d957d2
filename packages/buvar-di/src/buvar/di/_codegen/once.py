"""Build once: one call builds what a layer keeps, others wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import types
import typing as t

from buvar.components.spi import MISSING
from buvar.di._annotations.parse import show
from buvar.di._errors import CycleError

from .deadlock import COMPILED
from .deadlock import Lookout
from .deadlock import waiting


async def wait(
    kept: dict[t.Hashable, t.Any],
    place: t.Hashable,
    building: t.Hashable,
    given: dict[t.Any, t.Any],
    key: t.Any,
) -> t.Any:
    """
    Wait for what another call builds for a layer.

    Args:
        kept: What the layer keeps. Under ``building`` stand the keywords
            of the call that builds, which no other call has and, as soon as
            another one waits, among them its ``Waiters``.
        place: Where what was built is to be found.
        building: See there.
        given: The keywords of the call that asks.
        key: The type, for the error.

    Returns:
        What was built, or ``MISSING`` if that failed: the first to come back
        has claimed it then, and is to build it.

    Raises:
        CycleError: The call that builds it waits for this one: the task
            is in it, or that call waits for the task.
    """
    task = asyncio.current_task()
    while True:
        claim: dict[t.Any, t.Any] = kept.setdefault(building, given)
        if claim is given:
            break
        held = _held(task)
        if _would_deadlock(claim, held):
            raise _cycle(key)
        over = claim.setdefault(Waiters, Waiters()).over()
        # Another thread may have ended it before that was noted.
        if kept.get(building) is claim:
            waiting[task] = (claim, held)
            error = functools.partial(_cycle, key)
            lookout = Lookout(over, claim, show(key), error)
            try:
                await over
            finally:
                lookout.cancel()
                del waiting[task]
        value = kept.get(place, MISSING)
        if value is not MISSING:
            return value
    value = kept.get(place, MISSING)
    if value is not MISSING:
        release(kept, building, given)
    return value


def release(
    kept: dict[t.Hashable, t.Any],
    building: t.Hashable,
    given: dict[t.Any, t.Any],
) -> None:
    """Take back the claim of a call that has nothing to build."""
    kept.pop(building, None)
    wake(given)


def _cycle(key: t.Any) -> CycleError:
    """Make the error for what waits for itself."""
    line = f"{show(key)} is asked for while it is being built."
    hint = "break the cycle: let one of them ask later, when it is used"
    return CycleError(key, (line,), (key, key), (hint,))


def wake(given: dict[t.Any, t.Any]) -> None:
    """Wake those that wait for what a call has built, or failed to build."""
    turn = given.pop(Waiters, None)
    if turn is not None:
        turn.set()


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


def _would_deadlock(claim: t.Any, held: frozenset[int]) -> bool:
    """Tell whether a call is among its holders, or waits for one of them."""
    others = tuple(waiting.values())
    for _ in range(len(others) + 1):
        if id(claim) in held:
            return True
        wanted = [other for other, theirs in others if id(claim) in theirs]
        if not wanted:
            return False
        claim = wanted[0]
    return False  # pragma: no cover - only where threads race


class Waiters:
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
