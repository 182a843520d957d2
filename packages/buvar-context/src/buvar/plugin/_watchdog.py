"""Name the plugins that take long to prepare."""

from __future__ import annotations

import asyncio
import logging
import typing as t

from ._entry import Entry
from ._stack import stack_of


_log = logging.getLogger("buvar.plugin")


class Watchdog:
    """
    Logs, again and again, which plugins are still preparing, and where.

    Args:
        entries: Returns the plugins to look at.
        seconds: How long a plugin may take before it is named, ``None`` for
            ever.
    """

    def __init__(
        self,
        entries: t.Callable[[], t.Iterable[Entry]],
        seconds: float | None,
    ) -> None:
        self._entries = entries
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        """Look from now on."""
        if self._seconds is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds, self._look)

    def __exit__(self, *_error: object) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        for entry in self._entries():
            if entry.running is not None:
                self._name(entry, loop.time() - entry.start)
        self.__enter__()

    def _name(self, entry: Entry, seconds: float) -> None:
        _log.warning(
            "Still preparing the %s after %.1f seconds, here:\n%s",
            entry,
            seconds,
            stack_of(entry.running),
            extra={"plugin": entry.plugin.name, "seconds": seconds},
        )
