"""Name the plugins that take long to prepare."""

from __future__ import annotations

import asyncio
import logging
import typing as t

from ._record import PluginRecord
from ._stack import stack_of


_log = logging.getLogger("buvar.plugin")


class Watchdog:
    """
    Logs, again and again, which plugins are still preparing, and where.

    Args:
        records: Returns the plugins to look at.
        seconds: How long a plugin may take before it is named, ``None`` for
            ever.
    """

    def __init__(
        self,
        records: t.Callable[[], t.Iterable[PluginRecord]],
        seconds: float | None,
    ) -> None:
        self._records = records
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        #: How often each was named, by its plugin's name.
        self._named: dict[str, int] = {}

    def __enter__(self) -> None:
        """Look from now on."""
        if self._seconds is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(
                self._seconds, self._look, self._seconds
            )

    def __exit__(self, *_error: object) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, seconds: float) -> None:
        """Name those that are due, and look again when the next one is."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        next_look = now + seconds
        for record in self._records():
            if record.running is None:
                continue
            name, age = record.plugin.name, now - record.start
            named = self._named.get(name, 0)
            if age >= seconds * (named + 1):
                self._name(record, age)
                named = max(named + 1, int(age // seconds))
                self._named[name] = named
            next_look = min(next_look, record.start + seconds * (named + 1))
        self._timer = loop.call_at(next_look, self._look, seconds)

    def _name(self, record: PluginRecord, seconds: float) -> None:
        _log.warning(
            "Still preparing the %s after %.1f seconds, here:\n%s",
            record,
            seconds,
            stack_of(record.running),
            extra={"plugin": record.plugin.name, "seconds": seconds},
        )
