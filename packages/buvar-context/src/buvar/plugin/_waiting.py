"""Say what the end of a stage waits for: soon, then rarely."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import typing as t


_log = logging.getLogger("buvar.plugin")

#: What is waited for, each as it reads behind "Waiting for".
Things: t.TypeAlias = t.Callable[[], t.Sequence[str]]

#: Seconds until the first word.
FIRST: t.Final = 1.5
#: Each wait is so many times as long as the one before, in seconds.
FACTOR: t.Final = 3.0
#: The longest silence, in seconds.
LONGEST: t.Final = 60.0
#: How many things are named.
_MOST: t.Final = 3


class Pauses:
    """Tells how long to be silent: longer each time."""

    def __init__(self) -> None:
        self._next = FIRST

    def next(self) -> float:
        """Return the seconds until the next word."""
        seconds = self._next
        self._next = min(seconds * FACTOR, LONGEST)
        return seconds


class Waiting:
    """
    Logs what is waited for while a stage ends.

    Args:
        things: Names what is waited for at the moment.
        cure: Says what the user can do, empty for nothing.
    """

    def __init__(self, things: Things, cure: t.Callable[[], str]) -> None:
        self.things = things
        self._cure = cure
        self._pauses = Pauses()
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Wait from now on; does nothing if that was said before."""
        if self._timer is None:
            self._since = time.monotonic()
            with contextlib.suppress(RuntimeError):
                # Outside of a loop there is nothing to wait for yet.
                self._plan()

    def stop(self) -> None:
        """Say no more."""
        if self._timer is not None:
            self._timer.cancel()

    def text(self) -> str:
        """Name what is waited for, empty for nothing."""
        things = list(self.things())
        if not things:
            return ""
        named = ", ".join(things[:_MOST])
        if len(things) > _MOST:
            named += f" and {len(things) - _MOST} more"
        return named

    def _plan(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._pauses.next(), self._say)

    def _say(self) -> None:
        seconds = time.monotonic() - self._since
        text = self.text()
        if text:
            cure = self._cure()
            _log.warning(
                "Waiting for %s, %.0f s%s",
                text,
                seconds,
                f"; {cure}" if cure else "",
                extra={"seconds": round(seconds, 1), "waiting_for": text},
            )
        self._plan()
