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
        for record in self._records():
            if record.running is not None:
                self._name(record, loop.time() - record.start)
        self.__enter__()

    def _name(self, record: PluginRecord, seconds: float) -> None:
        _log.warning(
            "Still preparing the %s after %.1f seconds, here:\n%s",
            record,
            seconds,
            stack_of(record.running),
            extra={"plugin": record.plugin.name, "seconds": seconds},
        )
