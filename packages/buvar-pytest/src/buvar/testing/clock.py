"""The virtual clock of a test: the fixture ``buvar_clock``."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt

from buvar import config

from ._steered_loop import RealSocketError
from ._steered_loop import StandstillError
from ._steered_loop import VirtualLoop


class NoVirtualClockError(RuntimeError):
    """The event loop of the test runs on the real clock."""

    def __str__(self) -> str:
        """Say what is wrong and the cure."""
        return (
            "buvar_clock steers a virtual clock, and this test runs on the "
            "real one.\nMark it with "
            "@pytest.mark.buvar_plugins(..., clock='virtual')."
        )


@dataclasses.dataclass
class _Duration:
    by: dt.timedelta


class Clock:
    """
    Steers the time of the event loop that runs.

    What asks the loop for the time, and so all of asyncio, runs on it, as
    does ``plugin.cron``, whose days begin in 1970, or where ``wall`` is set
    to; ``time.monotonic()`` and ``time.time()`` go on as ever.
    """

    @property
    def now(self) -> float:
        """
        Seconds since the loop was made.

        Raises:
            NoVirtualClockError: The loop runs on the real clock.
        """
        return self._loop().time()

    @property
    def wall(self) -> dt.datetime:
        """
        The time of the day, as ``plugin.cron`` sees it; set it at the begin.

        Raises:
            NoVirtualClockError: The loop runs on the real clock.
        """
        return dt.datetime.fromtimestamp(self._loop().wall_time(), dt.UTC)

    @wall.setter
    def wall(self, now: dt.datetime) -> None:
        loop = self._loop()
        loop.epoch = now.timestamp() - loop.time()

    async def advance(self, by: str | float | dt.timedelta) -> None:
        """
        Let time pass, and all happen that is due by then.

        Args:
            by: Seconds, or a duration as the configuration has them, such as
                ``"1h30m"``.

        Raises:
            NoVirtualClockError: The loop runs on the real clock.
            ValueError: That is not a duration, or a negative one.
        """
        loop = self._loop()
        await loop.advance(seconds(by))

    async def settle(self) -> None:
        """
        Let all happen that can happen without time passing.

        Raises:
            NoVirtualClockError: The loop runs on the real clock.
        """
        await self._loop().settle()

    def _loop(self) -> VirtualLoop:
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop):
            raise NoVirtualClockError
        return loop


def seconds(by: str | float | dt.timedelta) -> float:
    """
    Return a duration in seconds.

    Raises:
        ValueError: It is none, or a negative one.
    """
    if isinstance(by, str):
        source = config.ConfigSource({"by": by})
        try:
            by = source.load(_Duration).by
        except config.ConfigError as error:
            raise ValueError(str(error)) from None
    found = by.total_seconds() if isinstance(by, dt.timedelta) else float(by)
    if not 0 <= found < float("inf"):
        raise ValueError(f"Time does not pass by {by!r}; give 0 s or more.")
    return found


__all__ = [
    "Clock",
    "NoVirtualClockError",
    "RealSocketError",
    "StandstillError",
    "seconds",
]
