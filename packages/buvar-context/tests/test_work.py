"""Supervised and periodic tasks are run again, counted, and stopped."""

from __future__ import annotations

import asyncio
import functools
import logging
import subprocess
import sys
import textwrap

import pytest

from buvar import context
from buvar import plugin


def _report(stage: plugin.Stage) -> plugin.Counts:
    """Return the counts of the only task that is run again and again."""
    (counts,) = (
        counts for one in stage.report() for counts in one.work.values()
    )
    return counts


def _failing(times: int):
    """Return a function that fails so many times, then returns."""
    left = [times]

    async def work() -> str:
        if left[0]:
            left[0] -= 1
            msg = f"failure {times - left[0]}"
            raise ValueError(msg)
        return "recovered"

    return work


async def test_it_recovers(caplog) -> None:
    """A task that fails twice is run again, and its result is the stage's."""

    async def prepare():
        yield plugin.supervised(_failing(2), backoff=0.001)

    stage = plugin.Stage(prepare)
    assert await stage.run() == ["recovered"]
    counts = _report(stage)
    assert (counts.runs, counts.failures) == (3, 2)
    assert str(counts.last_error) == "failure 2"
    lines = [record for record in caplog.records if record.exc_info]
    assert [record.levelno for record in lines] == [logging.WARNING] * 2
    assert "work' failed; it is run again in 0.002 s." in lines[1].message


async def test_too_many_failures() -> None:
    """One failure more than ``most`` fails the stage."""

    async def prepare():
        yield plugin.supervised(_failing(9), most=5, backoff=0.0)

    stage = plugin.Stage(prepare)
    with pytest.raises(ExceptionGroup) as caught:
        await stage.run()

    (error,) = caught.value.exceptions
    assert str(error) == "failure 6"
    assert _report(stage).failures == 6


async def test_old_failures_do_not_count() -> None:
    """Only failures within the given time count."""

    async def prepare():
        yield plugin.supervised(_failing(9), most=1, within=0.0, backoff=0.001)

    assert await plugin.Stage(prepare).run() == ["recovered"]


def test_the_service_ends_with_its_traceback(tmp_path) -> None:
    """A task that fails six times ends the process with exit code 1."""
    script = tmp_path / "program.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys
            from buvar import plugin

            async def consume():
                raise ValueError("no queue")

            async def prepare():
                yield plugin.supervised(consume, most=5, backoff=0.001)

            sys.exit(plugin.run(prepare))
            """
        )
    )

    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.count("it is run again in") == 5
    assert "in consume" in done.stderr
    assert done.stderr.splitlines()[-1] == (
        "The task '__main__:consume' of the plugin '__main__' failed."
    )


async def test_always() -> None:
    """A task may be run again although it returned, until the stage stops."""
    runs = []

    async def work() -> None:
        runs.append(1)
        if len(runs) == 3:
            context.get(plugin.Cancel).set()

    async def prepare():
        yield plugin.supervised(work, restart="always")

    assert await plugin.Stage(prepare).run() == [None]
    assert len(runs) == 3


async def test_each_run_has_a_layer() -> None:
    """What a run adds is gone with it."""
    seen = []

    async def work() -> None:
        seen.append(context.get(str, default=None))
        context.add("mine")
        if len(seen) == 3:
            context.get(plugin.Cancel).set()

    async def prepare():
        yield plugin.every(0.001, work)

    await plugin.Stage(prepare).run()

    assert seen == [None] * 3


async def test_a_periodic_task_goes_on(caplog) -> None:
    """A call that fails is logged and counted; the next one comes."""
    fail = _failing(2)

    async def work() -> None:
        await fail()
        context.get(plugin.Cancel).set()

    async def prepare():
        yield plugin.every(0.001, work, jitter=0.001)

    stage = plugin.Stage(prepare)
    await stage.run()

    counts = _report(stage)
    assert (counts.runs, counts.failures) == (3, 2)
    errors = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert len(errors) == 2
    assert errors[0].failures == 1


@pytest.mark.parametrize("overlap", ["skip", "queue"])
async def test_overlap(overlap) -> None:
    """Times that pass while a call runs are left out, or made up for."""
    starts = []
    loop = asyncio.get_running_loop()
    interval = 0.02

    async def work() -> None:
        starts.append(loop.time())
        if len(starts) == 1:
            await asyncio.sleep(interval * 3.5)
        if len(starts) == 3:
            context.get(plugin.Cancel).set()

    async def prepare():
        yield plugin.every(interval, work, overlap=overlap)

    stage = plugin.Stage(prepare)
    await stage.run()

    if overlap == "skip":
        assert _report(stage).skipped >= 3
        assert starts[2] - starts[1] > interval / 2
    else:
        assert _report(stage).skipped == 0


async def test_a_call_may_end() -> None:
    """When the stage stops, what runs ends by itself."""
    ended = []

    async def work() -> None:
        context.get(plugin.Cancel).set()
        await asyncio.sleep(0.01)
        ended.append(True)

    async def prepare():
        yield plugin.every(0.001, work)

    await plugin.Stage(prepare).run()

    assert ended == [True]


async def test_stopped_while_waiting() -> None:
    """A task that waits for its time stops at once."""

    async def never() -> None:
        raise AssertionError

    async def prepare():
        yield plugin.every(3600, never)

    async with asyncio.timeout(30), plugin.Stage(prepare):
        pass


async def _needs(number: int) -> None: ...


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: plugin.every(0, _report), "seconds=0"),
        (lambda: plugin.every(1, _report), "Give an async function"),
        (lambda: plugin.every(1, _needs, jitter=-1), "jitter=-1"),
        (lambda: plugin.every(1, _needs, overlap="skp"), "'skip' or 'queue'"),
        (lambda: plugin.supervised(_needs, restart="no"), "'on-failure' or"),
        (lambda: plugin.supervised(_needs, most="5"), "most='5'"),
    ],
)
def test_refused(make, text: str) -> None:
    """What makes no sense is refused where it is written."""
    with pytest.raises(plugin.WorkError) as caught:
        make()

    assert text in str(caught.value)
    assert caught.value.exit_code == 2


async def test_partial() -> None:
    """Arguments may be given along."""
    got = []

    async def work(number: int) -> None:
        got.append(number)

    async def prepare():
        yield plugin.supervised(functools.partial(work, 5))

    await plugin.Stage(prepare).run()

    assert got == [5]


def test_parameters_without_injection(tmp_path) -> None:
    """Without buvar-di a parameter that nothing fills is refused."""
    program = (
        "from buvar import plugin\n"
        "async def work(number: int): ...\n"
        "try: plugin.every(1, work)\n"
        "except plugin.WorkError as error: print(error)\n"
    )

    output = subprocess.check_output(
        [sys.executable, "-c", program], text=True, timeout=60
    )

    assert "Nothing fills its parameter 'number'" in output
