"""Interrupt the task that runs the stage, and know that it was us."""

from __future__ import annotations

import asyncio
import typing as t


class Interrupter:
    """The task that runs a stage, or one step of it."""

    def __init__(self) -> None:
        self._task: asyncio.Task[t.Any]
        self._before = 0
        self._sent = 0

    def enter(self) -> None:
        """Take the running task for the one to interrupt."""
        self._task = t.cast("asyncio.Task[t.Any]", asyncio.current_task())
        self._before = self._task.cancelling()
        self._sent = 0

    def interrupt(self) -> None:
        """Have what is awaited end with ``CancelledError``."""
        self._sent += 1
        self._task.cancel()

    async def settle(self) -> bool:
        """
        Take back the interrupts that were sent.

        Returns:
            Whether there were some, and nobody else cancelled the task.
        """
        task, sent = self._task, self._sent
        if not sent:
            return False
        self._sent = 0
        others = task.cancelling() - sent > self._before
        for _ in range(sent):
            task.uncancel()
        if not others:
            try:
                # Before Python 3.13 one that was not delivered yet stays.
                await asyncio.sleep(0)
            except asyncio.CancelledError:  # pragma: no cover - see above
                others = task.cancelling() > self._before
        return not others
