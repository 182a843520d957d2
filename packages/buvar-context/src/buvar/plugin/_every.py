"""Work that is done at intervals."""

from __future__ import annotations

import asyncio
import logging
import math
import typing as t

from ._work import Function
from ._work import Overlap
from ._work import Work
from ._work import check_choice
from ._work import check_number
from ._work import drawn
from ._work import name_of
from ._work import stopped_within


class Every(Work):
    """The return value of ``every``."""

    def __init__(
        self,
        seconds: float,
        function: Function,
        *,
        jitter: float,
        overlap: Overlap,
    ) -> None:
        super().__init__(function)
        self._seconds = seconds
        self._jitter = jitter
        self._skips = overlap == "skip"

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += self._seconds
            late = loop.time() - due
            if late > 0 and self._skips:
                # Its times so far have passed while it was running.
                passed = math.ceil(late / self._seconds)
                self.counts.skipped += passed
                due += passed * self._seconds
            later = drawn(self._jitter)
            if await stopped_within(due + later - loop.time()):
                return
            try:
                await self._call()
            except Exception as error:  # noqa: BLE001 - it goes on
                self._log(logging.ERROR, "The periodic task %r failed.", error)


def every(
    seconds: float,
    function: Function,
    *,
    jitter: float = 0.0,
    overlap: Overlap = "skip",
) -> t.Awaitable[None]:
    """
    Return a task that calls a function again and again.

    The first call is after one interval. Each has a layer of its own; one
    that fails is logged with its traceback and counted, and the next one
    comes at its time. When the stage stops, a call that runs may end, as any
    task may.

    Args:
        seconds: The interval, from one beginning to the next.
        function: An async function. What it needs is injected if buvar-di is
            used.
        jitter: Seconds by which a call may be later, drawn at random, so
            that not all workers call at once.
        overlap: What becomes of the times that pass while a call runs:
            ``"skip"`` leaves them out, ``"queue"`` makes up for them.

    Raises:
        WorkError: An option makes no sense, or it is not such a function.

    Example:
        >>> async def clean(): ...
        >>> async def prepare():
        ...     yield every(60, clean, jitter=5)
    """
    name = name_of(function)
    check_number(name, "seconds", seconds, least=0.001)
    check_number(name, "jitter", jitter)
    check_choice(name, "overlap", overlap, ("skip", "queue"))
    return Every(seconds, function, jitter=jitter, overlap=overlap)
