"""The one state of a stage, and how its parts wake each other."""

from __future__ import annotations

import asyncio
import enum
import typing as t


class State(enum.Enum):
    """The states of a stage; it goes from each to the next, never back."""

    NEW = "new"
    PREPARING = "preparing"
    RUNNING = "running"
    STOPPING = "stopping"
    TEARDOWN = "tearing down"
    ENDED = "ended"


class Wakeup:
    """Wakes those who wait for a condition, to look again."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Have everybody look again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def until(
        self, condition: t.Callable[[], bool], seconds: float | None = None
    ) -> bool:
        """
        Wait until a condition holds.

        Args:
            condition: Looked at whenever the bell rings.
            seconds: How long to wait at most.

        Returns:
            Whether it holds.
        """
        loop = asyncio.get_running_loop()
        end = None if seconds is None else loop.time() + seconds
        while not condition():
            left = None if end is None else end - loop.time()
            if left is not None and left <= 0:
                return False
            waiter = loop.create_future()
            self._waiters.add(waiter)
            try:
                await asyncio.wait((waiter,), timeout=left)
            finally:
                self._waiters.discard(waiter)
        return True


class Cancel(asyncio.Event):
    """
    Set when the stage is to stop; set it to stop the stage.

    Tasks that end by themselves when it is set are never cancelled.
    """

    def __init__(self, bell: Wakeup | None = None) -> None:
        super().__init__()
        self._bell = bell

    def set(self) -> None:
        """Stop the stage."""
        super().set()
        if self._bell is not None:
            self._bell.ring()
