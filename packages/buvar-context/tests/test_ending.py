"""A stage ends in bounded time, whatever its tasks do."""

from __future__ import annotations

import asyncio
import time

import pytest

from buvar import context
from buvar import plugin


class Tasks:
    """Tasks that end, or do not."""

    def __init__(self):
        self.released = asyncio.Event()

    async def drain(self):
        await context.get(plugin.Cancel).wait()
        await asyncio.sleep(0.01)
        return "drained"

    async def ignore_cancel(self):
        try:
            await asyncio.Future()
        finally:
            self.released.set()

    async def ignore_everything(self):
        while True:
            try:
                await asyncio.Future()
            except asyncio.CancelledError:
                if self.released.is_set():
                    return


async def test_tasks_may_end_by_themselves():
    """A task that heeds Cancel is never cancelled."""
    tasks = Tasks()

    async def prepare(cancel: plugin.Cancel):
        yield tasks.drain()
        cancel.set()

    assert await plugin.Stage(prepare).run() == ["drained"]


async def test_tasks_are_cancelled_after_a_bound():
    """A task that ignores Cancel is cancelled, that is no failure."""
    tasks = Tasks()

    async def prepare(cancel: plugin.Cancel):
        yield tasks.ignore_cancel()
        cancel.set()

    stage = plugin.Stage(prepare, cancel_timeout=0.01)
    (result,) = await stage.run()
    assert isinstance(result, asyncio.CancelledError)
    assert tasks.released.is_set()


async def test_tasks_are_abandoned_after_another_bound(caplog):
    """A task that ignores its cancellation is named and abandoned."""
    tasks, calls = Tasks(), []

    async def prepare(cancel: plugin.Cancel, teardown: plugin.Teardown):
        teardown.add(calls.append, "down")
        yield tasks.ignore_everything()
        cancel.set()

    stage = plugin.Stage(prepare, cancel_timeout=0.01, abandon_timeout=0.01)
    with pytest.raises(ExceptionGroup) as info:
        await stage.run()
    (error,) = info.value.exceptions
    assert isinstance(error, plugin.AbandonedTaskError)
    assert "ignore_everything" in error.task
    assert "await asyncio.Future()" in error.where
    assert "ignore_everything" in caplog.text
    assert calls == ["down"]
    await end_abandoned(tasks)


async def end_abandoned(tasks):
    """End what the stage gave up, so that the test leaves nothing."""
    tasks.released.set()
    for task in list(abandoned()):
        task.cancel()
        await asyncio.wait([task])


def abandoned():
    import gc

    for item in gc.get_objects():
        if (
            isinstance(item, asyncio.Task)
            and not item.done()
            and "ignore_everything" in item.get_name()
        ):
            yield item


async def test_stop_twice_cancels():
    """A second stop does not wait for the first bound."""
    tasks = Tasks()

    async def prepare(stage: plugin.Stage):
        yield tasks.ignore_cancel()
        loop = asyncio.get_running_loop()
        loop.call_later(0.01, stage.stop)
        loop.call_later(0.02, stage.stop)

    (result,) = await plugin.Stage(prepare).run()
    assert isinstance(result, asyncio.CancelledError)


async def test_stop_thrice_abandons():
    """A third stop does not wait for the second bound."""
    tasks = Tasks()

    async def prepare(stage: plugin.Stage):
        yield tasks.ignore_everything()
        loop = asyncio.get_running_loop()
        for number in range(1, 4):
            loop.call_later(number * 0.01, stage.stop)

    (result,) = await plugin.Stage(prepare, return_exceptions=True).run()
    assert isinstance(result, plugin.AbandonedTaskError)
    await end_abandoned(tasks)


async def test_stop_while_preparing():
    """What is prepared serves nobody yet: it is cancelled at once."""
    calls = []

    async def prepare(stage: plugin.Stage, teardown: plugin.Teardown):
        teardown.add(calls.append, "down")
        yield asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(stage.stop)
        await asyncio.Future()

    stage = plugin.Stage(prepare, on_ready=lambda: calls.append("ready"))
    assert await stage.run() == []
    assert calls == ["down"]
    assert asyncio.current_task().cancelling() == 0


async def test_stop_that_preparing_ignores():
    """A plugin that swallows the cancellation is not followed by tasks."""

    async def prepare(stage: plugin.Stage):
        stage.stop()
        yield asyncio.sleep(0)

    async def swallow(stage: plugin.Stage):
        stage.stop()
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            return

    assert await plugin.Stage(prepare).run() == []
    assert await plugin.Stage(swallow).run() == []
    with pytest.raises(plugin.StateError, match="stopped by a signal"):
        await plugin.Stage(swallow).__aenter__()


async def test_stop_twice_while_tearing_down():
    """A callback that hangs is interrupted, those after it run."""
    calls = []

    async def hang(stage):
        stage.stop()
        asyncio.get_running_loop().call_soon(stage.stop)
        await asyncio.Future()

    async def prepare(stage: plugin.Stage, teardown: plugin.Teardown):
        teardown.add(calls.append, "down")
        teardown.add(hang, stage)

    with pytest.raises(ExceptionGroup) as info:
        await plugin.Stage(prepare).run()
    assert "interrupted by a signal" in str(info.value.exceptions[0])
    assert calls == ["down"]
    assert asyncio.current_task().cancelling() == 0


def test_what_plugins_leave_running_is_cancelled(caplog):
    """The loop of the sync stage is closed though a task never ends."""
    seen = []

    async def stubborn():
        while True:
            try:
                await asyncio.Future()
            except asyncio.CancelledError:
                seen.append("cancelled")

    async def prepare():
        seen.append(asyncio.create_task(stubborn(), name="stubborn"))
        await asyncio.sleep(0)

    import buvar.plugin._leftovers as leftovers

    before, leftovers._LEFT_OVER = leftovers._LEFT_OVER, 0.01
    try:
        start = time.monotonic()
        assert plugin.stage(prepare) == []
        assert time.monotonic() - start < 5
    finally:
        leftovers._LEFT_OVER = before
    assert seen[1:] == ["cancelled"]
    assert "'stubborn' still runs" in caplog.text
