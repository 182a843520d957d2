"""
Work that is done at times of the day, as cron has them.

The expressions are read by ``cronsim``, which follows Debian's cron, also on
the days when the clocks change. It is an extra, imported with the first
expression.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import time
import typing as t

from ._errors import WorkError
from ._work import Function
from ._work import Overlap
from ._work import Work
from ._work import check_choice
from ._work import check_number
from ._work import drawn
from ._work import name_of
from ._work import stopped_within


if t.TYPE_CHECKING:
    # They take their time to import: they come with the first expression.
    import datetime as dt


#: The longest wait in seconds without a look at the clock, which may be set,
#: or stand still with the machine.
_LOOK: t.Final = 30.0
_NEVER: t.Final = (
    "It never happens: there is no such day in the next 50 years."
)
#: Times that have passed are counted up to this number: the clock may have
#: been set by years.
_COUNTED: t.Final = 10_000


class Cron(Work):
    """The return value of ``cron``."""

    def __init__(
        self,
        expression: str,
        function: Function,
        *,
        zone: dt.tzinfo,
        jitter: float,
        overlap: Overlap,
    ) -> None:
        super().__init__(function)
        self._expression = expression
        self._zone = zone
        self._jitter = jitter
        self._skips = overlap == "skip"

    async def _run(self) -> None:
        times = _times(self._expression, _utc(_wall(), self._zone))
        due = next(times)
        while not await self._stopped_before(due.timestamp()):
            try:
                await self._call()
            except Exception as error:  # noqa: BLE001 - it goes on
                self._log(logging.ERROR, "The periodic task %r failed.", error)
            due = next(times)
            if self._skips and due.timestamp() <= _wall():
                due = self._skip(times)

    async def _stopped_before(self, due: float) -> bool:
        """Wait for a time; tell whether the stage stops before."""
        later = drawn(self._jitter)
        while True:
            left = due + later - _wall()
            if await stopped_within(min(left, _LOOK)):
                return True
            if left <= _LOOK and due <= _wall():
                return False

    def _skip(self, times: t.Iterator[dt.datetime]) -> dt.datetime:
        """Leave out the times that have passed; return the next one."""
        # As timestamps: in one zone the hour that comes twice is equal.
        now = _wall()
        for _ in range(_COUNTED):
            self.counts.skipped += 1
            due = next(times)
            if due.timestamp() > now:
                return due
        return next(_times(self._expression, _utc(now, self._zone)))


def cron(
    expression: str,
    function: Function,
    *,
    timezone: str | dt.tzinfo = "UTC",
    jitter: float = 0.0,
    overlap: Overlap = "skip",
) -> t.Awaitable[None]:
    """
    Return a task that calls a function at times of the day.

    It does what ``every`` does, at the times that an expression says:
    minute, hour, day of the month, month and day of the week, as in a
    crontab, or six fields, of which the first is the second. It needs the
    extra ``buvar-context[cron]``.

    Where the clocks are set forward, what falls into the gap of a fixed hour
    happens right after it; where they are set back, what has a fixed hour
    happens once. What has none, such as ``*/5 * * * *``, goes on as time
    passes.

    Args:
        expression: When, such as ``"*/5 * * * *"`` or ``"30 2 * * 1-5"``.
        function: An async function. What it needs is injected if buvar-di is
            used.
        timezone: Where it is that time, such as ``"Europe/Berlin"``; the
            zone of the machine is never looked at.
        jitter: Seconds by which a call may be later, drawn at random.
        overlap: What becomes of the times that pass while a call runs:
            ``"skip"`` leaves them out, ``"queue"`` makes up for them.

    Raises:
        WorkError: The expression is wrong or names no time that ever comes,
            there is no such zone, an option makes no sense, or it is not such
            function.

    Example:
        >>> async def report(): ...
        >>> async def prepare():
        ...     yield cron("0 6 * * 1", report, timezone="Europe/Berlin")
    """
    name = name_of(function)
    check_number(name, "jitter", jitter)
    check_choice(name, "overlap", overlap, ("skip", "queue"))
    zone = _zone(name, timezone)
    _check_expression(name, expression, zone)
    return Cron(
        expression, function, zone=zone, jitter=jitter, overlap=overlap
    )


def _times(expression: str, after: dt.datetime) -> t.Iterator[dt.datetime]:
    # It is not there for programs that have no such task.
    module: t.Any = importlib.import_module("cronsim")
    found: t.Iterator[dt.datetime] = module.CronSim(expression, after)
    return found


def _check_expression(name: str, expression: str, zone: dt.tzinfo) -> None:
    try:
        next(_times(expression, _utc(time.time(), zone)))
    except ImportError:
        cure = "Install what reads it: pip install 'buvar-context[cron]'."
    except StopIteration:
        cure = _NEVER
    except Exception as error:  # noqa: BLE001 - also of what is not text
        said = str(error) if isinstance(expression, str) else "No text"
        cure = (
            f"{said}: give minute, hour, day, month and day of the week, such "
            'as "*/5 * * * *", and days that exist.'
        )
    else:
        return
    raise WorkError(name, "expression", expression, cure)


def _zone(name: str, zone: str | dt.tzinfo) -> dt.tzinfo:
    import datetime as dt  # noqa: PLC0415
    import zoneinfo  # noqa: PLC0415

    if isinstance(zone, dt.tzinfo):
        return zone
    if zone == "UTC":
        # Also where the system knows no zones.
        return dt.UTC
    try:
        return zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise WorkError(
            name,
            "timezone",
            zone,
            'Give the name of a zone, such as "Europe/Berlin"; where the '
            "system has none, install tzdata.",
        ) from None


def _wall() -> float:
    """Return the time of the day as a timestamp; a loop may steer it."""
    loop = asyncio.get_running_loop()
    wall_time: t.Callable[[], float] = getattr(loop, "wall_time", time.time)
    return wall_time()


def _utc(seconds: float, zone: dt.tzinfo) -> dt.datetime:
    import datetime as dt  # noqa: PLC0415

    return dt.datetime.fromtimestamp(seconds, dt.UTC).astimezone(zone)
