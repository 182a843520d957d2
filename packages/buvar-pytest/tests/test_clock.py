"""``clock="virtual"``: hours in no time."""

from __future__ import annotations

import asyncio
import datetime as dt
import time

import pytest

from buvar import context
from buvar import plugin
from buvar.testing._steered_loop import VirtualLoop
from buvar.testing.clock import NoVirtualClockError
from buvar.testing.clock import RealSocketError
from buvar.testing.clock import StandstillError
from buvar.testing.clock import seconds


pytest_plugins = ["pytester"]

virtual = pytest.mark.buvar_plugins(clock="virtual")


class Beats(list):
    pass


async def prepare_beats():
    beats = context.add(Beats())

    async def beat():
        while True:
            await asyncio.sleep(600)
            beats.append(asyncio.get_running_loop().time())

    yield beat()


async def back_off(attempts: list[float]) -> None:
    """Fail eight times: 2 s, 4 s ... 256 s, 90 s, ten minutes in all."""
    for wait in (2, 4, 8, 16, 32, 64, 128, 256, 90):
        attempts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(wait)


@virtual
async def test_ten_minutes_of_back_off(buvar_clock):
    """Ten minutes pass in less than a tenth of a second of work."""
    began = time.process_time()
    attempts = []

    await back_off(attempts)

    assert buvar_clock.now == pytest.approx(600)
    assert len(attempts) == 9
    assert time.process_time() - began < 0.1


@virtual
async def test_time_passes_as_far_as_it_is_told(buvar_clock):
    """What is due later has not happened yet."""
    task = asyncio.create_task(asyncio.sleep(10, "done"))

    await buvar_clock.advance(9.999)
    assert not task.done()
    await buvar_clock.advance(dt.timedelta(seconds=0.001))
    assert task.result() == "done"


@virtual
async def test_what_follows_at_the_same_time_has_happened(buvar_clock):
    """All that is due when time has passed has been done."""
    done = asyncio.Event()

    async def chain():
        await asyncio.sleep(5)
        for _ in range(100):
            await asyncio.sleep(0)
        done.set()

    task = asyncio.create_task(chain())
    await buvar_clock.advance("5s")

    assert done.is_set()
    await task


@pytest.mark.buvar_plugins(prepare_beats, clock="virtual")
async def test_periodic_tasks_of_plugins(buvar_clock):
    """A task of a plugin runs on the same clock."""
    await buvar_clock.advance("1h")

    assert context.get(Beats) == pytest.approx([600 * n for n in range(1, 7)])


@virtual
async def test_timeouts(buvar_clock):
    """A time-out expires when its time has come, and no later."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()

    assert buvar_clock.now == pytest.approx(3600)


@virtual
async def test_settling_lets_no_time_pass(buvar_clock):
    """What needs no time is done by settling, what needs some is not."""
    ready = asyncio.create_task(asyncio.sleep(0))
    later = asyncio.create_task(asyncio.sleep(1))

    await buvar_clock.settle()

    assert ready.done()
    assert not later.done()
    assert buvar_clock.now == 0
    await later


@virtual
async def test_threads_are_waited_for(buvar_clock):
    """No time passes while a thread works."""
    async with asyncio.timeout(1):
        await asyncio.to_thread(time.sleep, 0.1)

    assert buvar_clock.now == 0


@virtual
async def test_sockets_and_processes_are_refused():
    """What would take real time is an error that names the cure."""
    loop = asyncio.get_running_loop()

    async def protocol():
        await asyncio.start_server(print, port=0)

    with pytest.raises(RealSocketError, match="clock='virtual'"):
        await protocol()
    with pytest.raises(RealSocketError, match="create_connection"):
        await asyncio.open_connection("127.0.0.1", 9)
    with pytest.raises(RealSocketError, match="subprocess_exec"):
        await asyncio.create_subprocess_exec("true")
    with pytest.raises(RealSocketError, match="getaddrinfo"):
        await loop.getaddrinfo("localhost", 80)


@pytest.mark.buvar_plugins
async def test_the_real_clock_is_not_steered(buvar_clock):
    """Without the keyword there is nothing to steer."""
    with pytest.raises(NoVirtualClockError, match="clock='virtual'"):
        await buvar_clock.advance(1)


def test_a_stage_that_is_run_may_have_the_clock(buvar_run):
    """The loop of the clock is made for a whole run, too."""

    async def prepare(cancel: plugin.Cancel):
        async def task():
            await asyncio.sleep(86400)
            cancel.set()
            return asyncio.get_running_loop().time()

        yield task()

    outcome = buvar_run(prepare, loop_factory=VirtualLoop, timeout=1e6)

    assert outcome.check().results == [pytest.approx(86400)]


def test_a_standstill_names_what_waits(run):
    """A test that waits for what never comes is an error, and ends."""
    result = run(
        """
        @pytest.mark.buvar_plugins(clock="virtual")
        async def test_hangs(monkeypatch):
            monkeypatch.setattr("buvar.testing._steered_loop.PATIENCE", 0.1)
            await asyncio.Event().wait()

        @pytest.mark.buvar_plugins(clock="virtual")
        async def test_spins(monkeypatch):
            monkeypatch.setattr("buvar.testing._steered_loop.MOST_JUMPS", 50)
            async def spin():
                while True:
                    await asyncio.sleep(1)
            task = asyncio.create_task(spin())
            await asyncio.Event().wait()

        @pytest.mark.buvar_plugins(clock="virtual")
        async def test_next_one():
            await asyncio.sleep(100)
        """
    )

    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*no timer is set and nothing is ready*",
            "*(test_hangs) at *test_it.py:*",
            "*time has jumped 51 times without advance()*",
        ]
    )


def test_errors_keep_facts():
    """Errors of the clock keep what they say as attributes."""
    assert StandstillError(["a"], 3).jumps == 3
    assert RealSocketError("sock_recv").method == "sock_recv"


@pytest.mark.parametrize(
    ("given", "expected"), [("1h", 3600), (0.5, 0.5), ("90s", 90), (0, 0)]
)
def test_durations(given, expected):
    """A duration is what the configuration takes for one, or seconds."""
    assert seconds(given) == expected


@pytest.mark.parametrize("given", [-1, "soon", float("inf"), float("nan")])
def test_what_is_no_duration(given):
    """Nonsense, and going back in time, is refused."""
    with pytest.raises(ValueError, match=r"duration|give 0 s or more"):
        seconds(given)


@pytest.mark.buvar_plugins(clock="virtual")
async def test_cron_runs_on_it(buvar_clock, buvar_stage) -> None:
    """Tasks at times of the day have the virtual time, from where it is."""
    pytest.importorskip("cronsim")
    berlin = dt.timezone(dt.timedelta(hours=2))
    buvar_clock.wall = dt.datetime(2024, 5, 1, 23, 50, tzinfo=berlin)
    seen = []

    async def work() -> None:
        seen.append(buvar_clock.wall.astimezone(berlin).strftime("%d %H:%M"))

    async def prepare():
        yield plugin.cron("0 6 * * *", work, timezone=berlin)

    async with plugin.Stage(prepare):
        await buvar_clock.advance("48h")

    assert seen == ["02 06:00", "03 06:00"]
