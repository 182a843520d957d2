"""End tasks in bounded time, in less of it after a second signal."""

from __future__ import annotations

import asyncio
import typing as t

from ._state import Wakeup
from ._tasks import Tasks


class Ending:
    """
    Has tasks end by themselves, else cancels them, else abandons them.

    Attributes:
        stops: How often it was asked to stop: the second time cancels, the
            third time abandons.
    """

    CANCEL: t.Final = 2
    ABANDON: t.Final = 3

    def __init__(self, tasks: Tasks, bell: Wakeup) -> None:
        self._tasks = tasks
        self._bell = bell
        self.stops = 0

    def hurry(self) -> None:
        """Cancel without waiting."""
        self.stops = max(self.stops, self.CANCEL)

    async def end(
        self, cancel_timeout: float, abandon_timeout: float
    ) -> list[BaseException]:
        """
        End the tasks.

        Args:
            cancel_timeout: Seconds they get to end by themselves.
            abandon_timeout: Seconds they get once they are cancelled.

        Returns:
            What interrupted the wait: that is only a reason to hurry.
        """
        interrupts = await self._wait(self.CANCEL, cancel_timeout)
        self._tasks.cancel()
        interrupts += await self._wait(self.ABANDON, abandon_timeout)
        self._tasks.abandon(abandon_timeout)
        self._tasks.close()
        return interrupts

    async def _wait(self, stops: int, seconds: float) -> list[BaseException]:
        """Wait until no task runs, but no longer than that."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        interrupts: list[BaseException] = []
        while True:
            try:
                await self._bell.until(
                    lambda: self._tasks.idle() or self.stops >= stops,
                    seconds=end - loop.time(),
                )
            except BaseException as error:  # noqa: BLE001 - the caller's
                interrupts.append(error)
                self.stops = max(self.stops + 1, self.CANCEL)
            else:
                return interrupts
