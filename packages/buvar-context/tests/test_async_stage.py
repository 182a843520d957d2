"""A stage in a running loop: ``async with plugin.Stage(...)``."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from buvar import context
from buvar import plugin


class Foo: ...


async def server():
    await context.get(plugin.Cancel).wait()
    return "served"


async def prepare(teardown: plugin.Teardown):
    context.add(Foo())
    yield server()


async def test_block():
    """In the block the components are there, after it nothing is left."""
    before = context.current_context()
    loop = asyncio.get_running_loop()
    async with plugin.Stage(prepare) as stage:
        assert stage.state is plugin.State.RUNNING
        assert context.get(Foo)
        assert context.get(plugin.Cancel) is stage.cancel
        assert context.get(plugin.Stage) is stage
        assert stage.results == []
    assert stage.state is plugin.State.ENDED
    assert stage.results == ["served"]
    assert context.current_context() is before
    assert loop.get_task_factory() is None


async def test_exception_in_the_block():
    """An exception of the block is raised as it is, after teardown."""
    stage = plugin.Stage(prepare)

    async def work():
        async with stage:
            raise KeyError

    with pytest.raises(KeyError):
        await work()
    assert stage.results == ["served"]


async def test_exception_in_the_block_and_elsewhere():
    """An exception of the block and others are raised together."""

    async def fails(teardown: plugin.Teardown):
        teardown.add(lambda: 1 / 0)

    async def work():
        async with plugin.Stage(fails):
            raise KeyError

    with pytest.raises(ExceptionGroup) as info:
        await work()
    kinds = [type(error) for error in info.value.exceptions]
    assert kinds == [KeyError, ZeroDivisionError]


async def test_preparing_fails():
    """The block is not entered if preparing fails."""

    async def fails():
        raise KeyError

    before = context.current_context()
    with pytest.raises(ExceptionGroup):
        await plugin.Stage(fails, return_exceptions=True).__aenter__()
    assert context.current_context() is before


async def test_runs_once():
    """A stage is entered once."""
    stage = plugin.Stage()
    await stage.run()
    with pytest.raises(plugin.StateError, match="make a new one"):
        await stage.run()


@pytest.mark.parametrize("moment", ["preparing", "running", "teardown"])
async def test_cancelled_from_outside(moment):
    """A cancelled stage tears down and is cancelled, at any moment."""
    reached, calls = asyncio.Event(), []

    async def halt(here):
        if here == moment:
            reached.set()
            await asyncio.Future()

    async def plugin_(teardown: plugin.Teardown):
        teardown.add(calls.append, "down")
        teardown.add(halt, "teardown")
        await halt("preparing")
        if moment == "running":
            yield halt("running")

    task = asyncio.create_task(plugin.Stage(plugin_).run())
    await reached.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert calls == ["down"]


async def test_cancelled_while_tasks_end():
    """Cancelling a stage that waits for its tasks cancels them at once."""

    async def slow():
        await asyncio.Future()

    async def plugin_(cancel: plugin.Cancel):
        yield slow()
        cancel.set()

    task = asyncio.create_task(plugin.Stage(plugin_).run())
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_timeout_around_a_stage():
    """``asyncio.timeout`` ends a stage as it ends anything else."""

    async def never():
        yield asyncio.Future()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await plugin.Stage(never).run()
    assert asyncio.current_task().cancelling() == 0


async def test_left_in_another_context():
    """A stage may be left in another task than it was entered in."""
    stage = plugin.Stage(prepare)
    before = context.current_context()
    context_ = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    await loop.create_task(stage.__aenter__(), context=context_)
    await loop.create_task(stage.__aexit__(None, None, None))
    assert stage.results == ["served"]
    assert context.current_context() is before


async def test_wait_returns_when_a_task_fails():
    """``wait()`` returns when the stage is to stop."""

    async def crash():
        raise KeyError

    async def plugin_():
        yield server()
        yield crash()

    async def work():
        async with plugin.Stage(plugin_) as stage:
            await stage.wait()
            assert stage.cancel.is_set()

    with pytest.raises(ExceptionGroup):
        await work()


async def test_stages_may_overlap():
    """Stages nest, each with its own components."""
    async with plugin.Stage(prepare) as outer:
        async with plugin.Stage(prepare) as inner:
            assert context.get(plugin.Stage) is inner
            assert inner.layer in context.current_context().stack
        assert context.get(plugin.Stage) is outer
        assert not outer.cancel.is_set()
