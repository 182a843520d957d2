"""Background jobs run some at a time and end with the stage."""

from __future__ import annotations

import asyncio

import pytest

from buvar import context
from buvar import plugin
from buvar.plugin import jobs


async def test_some_at_a_time():
    """No more jobs run at once than the limit says."""
    running, most = 0, 0
    work = jobs.Jobs(limit=3)

    async def job():
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return "done"

    tasks = [work.add(job()) for _ in range(10)]
    assert len(work) == 10
    await work.join()
    assert most == 3
    assert [task.result() for task in tasks] == ["done"] * 10
    assert len(work) == 0


async def test_failures_are_logged(caplog):
    """A job that fails is logged with its name, others go on."""
    work = jobs.Jobs()

    async def fail():
        raise KeyError

    work.add(fail(), name="mail")
    await work.join()
    assert "The job 'mail' failed" in caplog.text


async def test_bad_jobs():
    """A job is a coroutine, the limit a positive number."""
    with pytest.raises(TypeError, match="coroutine"):
        jobs.Jobs().add(1)
    with pytest.raises(ValueError, match="At least one"):
        jobs.Jobs(limit=0)


async def test_close_cancels_what_does_not_end(caplog):
    """Jobs get some time to end, also those that have not begun."""
    work = jobs.Jobs(limit=1, timeout=0.01)
    first = work.add(asyncio.sleep(60))
    second = work.add(asyncio.sleep(60))
    await work.close()
    assert first.cancelled()
    assert second.cancelled()
    assert "2 jobs were cancelled" in caplog.text
    with pytest.raises(jobs.JobsClosedError, match="torn down"):
        work.add(asyncio.sleep(0))
    await work.close()


def test_as_plugin():
    """Loaded as a plugin, jobs end with the stage."""
    calls = []

    async def job():
        await asyncio.sleep(0)
        calls.append("job")

    async def prepare(load: plugin.Loader):
        await load(jobs)
        context.get(plugin.Jobs).add(job())

    plugin.stage(prepare)
    plugin.stage("buvar.plugin.jobs")
    assert calls == ["job"]


def test_own_jobs_are_used():
    """Jobs that are there already are the ones that end."""

    async def prepare(load: plugin.Loader):
        mine = context.add(jobs.Jobs(limit=1))
        await load(jobs)
        assert context.get(plugin.Jobs) is mine

    plugin.stage(prepare)
