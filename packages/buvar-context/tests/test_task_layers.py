"""Each task has a layer of its own."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from buvar import context
from buvar.context._tasks import task_layers


@pytest.fixture
def run(loop_factory):
    """Run a coroutine where tasks have layers, on each kind of loop."""

    def run(coro):
        async def main():
            context.set_task_factory()
            context.set_task_factory(asyncio.get_running_loop())
            with context.child():
                return await coro

        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(main())

    return run


def test_siblings_do_not_see_each_other(run):
    """What a task adds is seen by itself and by tasks it starts."""

    async def child():
        return context.get(int)

    async def work(number):
        context.add(number)
        await asyncio.sleep(0)
        return context.get(int), await asyncio.create_task(child())

    async def main():
        found = await asyncio.gather(*map(work, range(3)))
        return found, context.get(int, default=None)

    assert run(main()) == ([(0, 0), (1, 1), (2, 2)], None)


def test_layers_of_tasks_have_no_lifetime(run):
    """What lives as long as a layer lives in the one around the task."""

    async def work(layer):
        return context.current_context()._scope is layer

    async def main():
        layer = context.current_context()
        return await asyncio.create_task(work(layer), name="named")

    assert run(main())


def test_a_given_context_is_kept(run):
    """A task that shares a context explicitly has no layer."""

    async def work():
        context.add("shared")
        return context.current_context()

    async def main():
        given = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        layer = await loop.create_task(work(), context=given)
        return layer is context.current_context()

    assert run(main())


def test_threads_see_the_context(run):
    """``asyncio.to_thread`` takes the context along."""

    async def main():
        context.add("x")
        return await asyncio.to_thread(context.get, str)

    assert run(main()) == "x"


async def test_an_older_factory_is_kept():
    """A factory that was set before makes the tasks, whatever it takes."""
    made = []

    def factory(loop, coro, **options):
        made.append(coro.__name__)
        return asyncio.Task(coro, loop=loop, **options)

    async def work():
        return context.current_context()

    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    with task_layers(loop):
        layer = await loop.create_task(work())
    assert layer._below is context.current_context()
    assert made == ["work"]
    assert loop.get_task_factory() is factory


async def test_nested_blocks_share_one_factory():
    """A block in a block changes nothing, the outer one puts back."""
    loop = asyncio.get_running_loop()
    with task_layers(loop):
        outer = loop.get_task_factory()
        with task_layers(loop):
            assert loop.get_task_factory() is outer
        assert loop.get_task_factory() is outer
    assert loop.get_task_factory() is None
