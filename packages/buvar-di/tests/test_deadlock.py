"""What waits for itself through a task of its own is an error."""

from __future__ import annotations

import asyncio
import collections.abc
import typing as t

import pytest

from buvar import context
from buvar import di


class Pool: ...


async def gathered(task: asyncio.Task[t.Any]) -> None:
    await asyncio.gather(task, asyncio.sleep(0))


async def awaited(task: asyncio.Task[t.Any]) -> None:
    await task


async def waited(task: asyncio.Task[t.Any]) -> None:
    done, _ = await asyncio.wait([task])
    for one in done:
        one.result()


async def shielded(task: asyncio.Task[t.Any]) -> None:
    await asyncio.shield(task)


async def bounded(task: asyncio.Task[t.Any]) -> None:
    await asyncio.wait_for(task, 20)


async def completed(task: asyncio.Task[t.Any]) -> None:
    for one in asyncio.as_completed([task]):
        await one


async def grouped(task: asyncio.Task[t.Any]) -> None:
    async def join() -> None:
        await task

    async with asyncio.TaskGroup() as group:
        group.create_task(join())


WAYS = (gathered, awaited, waited, shielded, bounded, completed, grouped)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("wait", WAYS)
async def test_an_adapter_that_waits_for_a_task_of_its_own(
    wait: t.Callable[[asyncio.Task[t.Any]], t.Awaitable[None]], late: bool
) -> None:
    """However it waits, and whenever it begins to: nothing hangs."""

    async def make() -> Pool:
        task = asyncio.create_task(di.nject(Pool))
        if late:
            await asyncio.sleep(0.1)
        await wait(task)
        return Pool()

    di.register(make, scope="layer")
    async with context.child(), asyncio.timeout(10):
        with pytest.raises((di.CycleError, ExceptionGroup)) as info:
            await di.nject(Pool)
    error: BaseException = info.value
    while isinstance(error, BaseExceptionGroup):
        error = t.cast("BaseException", error.exceptions[0])
    assert isinstance(error, di.CycleError)
    assert "while it is being built" in str(error)


async def test_the_start_of_a_generator_that_waits_for_a_task() -> None:
    """An async generator is an adapter like others."""

    class Session: ...

    async def pool() -> collections.abc.AsyncIterator[Pool]:
        await di.nject(Session)
        yield Pool()

    async def session() -> Session:
        await asyncio.gather(di.nject(Pool))
        return Session()

    di.register(pool, session, scope="layer")
    async with context.child(), asyncio.timeout(10):
        with pytest.raises(di.CycleError):
            await di.nject(Pool)


async def test_a_task_that_the_adapter_does_not_wait_for() -> None:
    """It gets what the adapter builds, however long that takes."""
    tasks: list[asyncio.Task[Pool]] = []

    async def make() -> Pool:
        tasks.append(asyncio.create_task(di.nject(Pool)))
        await asyncio.sleep(0.3)
        return Pool()

    di.register(make, scope="layer")
    async with context.child(), asyncio.timeout(10):
        pool = await di.nject(Pool)
        assert await tasks[0] is pool
