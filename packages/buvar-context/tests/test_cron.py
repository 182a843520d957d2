"""Tasks at times of the day, also where the clocks change."""

from __future__ import annotations

import asyncio
import datetime as dt
import selectors
import sys
import zoneinfo

import pytest

from buvar import context
from buvar import plugin


pytest.importorskip("cronsim")

BERLIN = "Europe/Berlin"


class Selector(selectors.DefaultSelector):
    """Has time pass rather than wait."""

    loop: Loop

    def select(self, timeout=None):
        found = super().select(0)
        if not found and timeout:
            self.loop.passed += timeout
        return found


class Loop(asyncio.SelectorEventLoop):
    """
    A loop with a time of its own.

    Attributes:
        start: The time of the day at which it begins, in seconds.
        passed: Seconds since then.
        set_by: Seconds by which somebody has set the clock since then.
    """

    def __init__(self, start: dt.datetime) -> None:
        selector = Selector()
        selector.loop = self
        self.start = start.timestamp()
        self.passed = self.set_by = 0.0
        super().__init__(selector)

    def time(self) -> float:
        return self.passed

    def wall_time(self) -> float:
        return self.start + self.passed + self.set_by


def run(start: str, expression: str, work, **options) -> plugin.Counts:
    """Run a task of its own time from some time of the day on."""
    zone = zoneinfo.ZoneInfo(options.get("timezone", "UTC"))
    begin = dt.datetime.fromisoformat(start).replace(tzinfo=zone)

    async def prepare():
        yield plugin.cron(expression, work, **options)

    async def main() -> plugin.Counts:
        stage = plugin.Stage(prepare)
        await stage.run()
        (counts,) = stage.report()[0].work.values()
        return counts

    with asyncio.Runner(loop_factory=lambda: Loop(begin)) as runner:
        return runner.run(main())


def clock() -> float:
    return asyncio.get_running_loop().wall_time()


@pytest.mark.parametrize(
    ("start", "expression", "zone", "expected"),
    [
        (
            "2024-05-01T10:02",
            "*/5 * * * *",
            "UTC",
            ["05-01 10:05", "05-01 10:10", "05-01 10:15"],
        ),
        (
            "2024-05-01T10:00",
            "30 2 * * 1-5",
            BERLIN,
            ["05-02 02:30", "05-03 02:30", "05-06 02:30"],
        ),
        # Forward: what falls into the gap happens right after it, once.
        (
            "2024-03-30T12:00",
            "30 2 * * *",
            BERLIN,
            ["03-31 03:00", "04-01 02:30", "04-02 02:30"],
        ),
        # Back: what has a fixed hour happens once,
        (
            "2024-10-26T12:00",
            "30 2 * * *",
            BERLIN,
            ["10-27 02:30", "10-28 02:30", "10-29 02:30"],
        ),
        # what has none goes on as time passes.
        (
            "2024-10-27T01:40",
            "*/30 * * * *",
            BERLIN,
            ["10-27 02:00", "10-27 02:30", "10-27 02:00", "10-27 02:30"],
        ),
    ],
)
def test_times(start, expression, zone, expected) -> None:
    """A task runs at the times that its expression says, in its zone."""
    seen = []

    async def work() -> None:
        now = dt.datetime.fromtimestamp(clock(), zoneinfo.ZoneInfo(zone))
        seen.append(f"{now:%m-%d %H:%M}")
        if len(seen) == len(expected):
            context.get(plugin.Cancel).set()

    counts = run(start, expression, work, timezone=zone)

    assert seen == expected
    assert counts.runs == len(expected)


@pytest.mark.parametrize(
    ("overlap", "skipped", "minutes"),
    [("skip", 3, [1, 5, 6]), ("queue", 0, [1, 5, 5])],
)
def test_overlap(overlap, skipped, minutes) -> None:
    """Times that pass while a call runs are left out, or made up for."""
    seen = []

    async def work() -> None:
        seen.append(int(clock() // 60 % 60))
        if len(seen) == 1:
            await asyncio.sleep(3.5 * 60 if overlap == "skip" else 4 * 60)
        if len(seen) == 3:
            context.get(plugin.Cancel).set()

    counts = run("2024-05-01T10:00", "* * * * *", work, overlap=overlap)

    assert seen == minutes
    assert counts.skipped == skipped


def test_failures_and_jitter(caplog) -> None:
    """A failure is logged and counted, and a call may be later."""
    seen = []

    async def work() -> None:
        seen.append(clock() % 60)
        if len(seen) == 5:
            context.get(plugin.Cancel).set()
        raise ValueError

    counts = run("2024-05-01T10:00", "* * * * *", work, jitter=20)

    assert counts.failures == 5
    assert "The periodic task" in caplog.text
    assert max(seen) <= 21
    assert len(set(seen)) > 1


def test_the_clock_is_set() -> None:
    """Somebody sets the clock forward: that is noticed within 30 seconds."""
    seen = []

    async def work() -> None:
        seen.append(asyncio.get_running_loop().time())
        context.get(plugin.Cancel).set()

    async def set_clock() -> None:
        asyncio.get_running_loop().set_by = 3600.0

    async def prepare():
        yield plugin.cron("0 12 * * *", work)
        yield set_clock()

    begin = dt.datetime(2024, 5, 1, 11, 30, tzinfo=dt.UTC)
    with asyncio.Runner(loop_factory=lambda: Loop(begin)) as runner:
        runner.run(plugin.Stage(prepare).run())

    assert 0 < seen[0] <= 31


async def _work() -> None: ...


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: plugin.cron("0 0 30 2 *", _work), "days that exist"),
        (lambda: plugin.cron("every day", _work), 'such as "*/5 * * * *"'),
        (lambda: plugin.cron("61 * * * *", _work), "Bad minute"),
        (lambda: plugin.cron(5, _work), "expression=5"),
        (
            lambda: plugin.cron("* * * * *", _work, timezone="Europe/Berln"),
            'such as "Europe/Berlin"',
        ),
        (lambda: plugin.cron("* * * * *", _work, jitter=-1), "jitter=-1"),
        (lambda: plugin.cron("* * * * *", _work, overlap="no"), "or 'queue'"),
        (lambda: plugin.cron("* * * * *", run), "Give an async function"),
    ],
)
def test_refused(make, text: str) -> None:
    """What is wrong, or never happens, is one error where it is written."""
    with pytest.raises(plugin.WorkError) as caught:
        make()

    assert text in str(caught.value)
    assert caught.value.exit_code == 2


def test_never(monkeypatch) -> None:
    """A time that never comes, also not in 50 years, is refused."""

    class Never:
        def __init__(self, *_: object) -> None: ...

        def __next__(self) -> dt.datetime:
            raise StopIteration

    monkeypatch.setattr("cronsim.CronSim", Never)

    with pytest.raises(plugin.WorkError, match="It never happens"):
        plugin.cron("0 0 29 2 *", _work)


def test_without_the_extra(monkeypatch) -> None:
    """Without the package that reads expressions, the error names it."""
    monkeypatch.setitem(sys.modules, "cronsim", None)

    with pytest.raises(plugin.WorkError, match=r"buvar-context\[cron\]"):
        plugin.cron("* * * * *", _work)
