"""What happens while something is being built for a layer."""

from __future__ import annotations

import asyncio
import sys

import pytest

from buvar import context
from buvar import di


class Item: ...


class User:
    def __init__(self, item: Item) -> None:
        self.item = item


async def test_what_is_added_meanwhile_is_taken() -> None:
    """A component that another task adds is not built a second time."""
    started, added = asyncio.Event(), asyncio.Event()

    async def make() -> Item:
        started.set()
        await added.wait()
        return Item()

    di.register(make, User, scope="layer")
    with context.child():
        asking = asyncio.ensure_future(di.nject(User))
        await started.wait()
        user = context.add(User(Item()))
        added.set()
        assert await asking is user


async def test_waiting_for_it_in_another_layer() -> None:
    """An adapter may wait for its own type where it is built for others."""
    ready = asyncio.Event()

    async def make() -> Item:
        layer = context.get(str, default=None)
        if layer == "shared":
            await ready.wait()
            return Item()
        context.buvar_context.set(shared)
        return await di.nject(Item)

    di.register(make, scope="layer")
    with context.child() as shared:
        context.add("shared")
        first = asyncio.ensure_future(di.nject(Item))
        with context.child():
            context.add("another")
            second = asyncio.ensure_future(di.nject(Item))
            await asyncio.sleep(0)
            ready.set()
            assert await second is await first


async def test_waiting_while_another_type_is_built() -> None:
    """A task that builds one thing may wait for another task's other one."""
    ready = asyncio.Event()

    async def slow() -> Item:
        await ready.wait()
        return Item()

    async def user(item: Item) -> User:
        return User(item)

    di.register(slow, user, scope="layer")
    with context.child():
        item = asyncio.ensure_future(di.nject(Item))
        await asyncio.sleep(0)
        asking = asyncio.ensure_future(di.nject(User))
        await asyncio.sleep(0)
        ready.set()
        assert (await asking).item is await item


@pytest.mark.skipif(
    sys.version_info < (3, 12), reason="eager tasks came with Python 3.12"
)
async def test_an_eager_task_of_the_builder_waits() -> None:
    """A task started by an adapter is another one, though it runs inside."""
    tasks: list[asyncio.Task[Item]] = []

    async def ask() -> Item:
        return await di.nject(Item)

    async def make() -> Item:
        tasks.append(asyncio.ensure_future(ask()))
        await asyncio.sleep(0)
        return Item()

    di.register(make, scope="layer")
    loop = asyncio.get_running_loop()
    loop.set_task_factory(getattr(asyncio, "eager_task_factory", None))
    try:
        with context.child():
            item = await di.nject(Item)
            assert await tasks[0] is item
    finally:
        loop.set_task_factory(None)


async def test_what_is_kept_beside_what_has_to_wait() -> None:
    """Nothing is looked for that cannot be there, all of it is built once."""

    class Top:
        def __init__(self, user: User, text: str) -> None:
            self.user, self.text = user, text

    async def slow() -> str:
        await asyncio.sleep(0)
        return "text"

    di.register(Item, slow, Top)
    di.register(User, scope="layer")
    with context.child():
        first, second = await di.nject(Top), await di.nject(Top)
        assert first.user is second.user
        assert type(first.user.item) is Item


async def test_it_is_decided_when_it_is_awaited() -> None:
    """The context of the one who awaits counts, not of the one who calls."""
    di.register(User)
    asking = di.nject(User)
    with context.child():
        item = context.add(Item())
        assert (await asking).item is item


async def test_an_error_is_raised_when_it_is_awaited() -> None:
    """A call alone fails never, as that of a coroutine function."""
    missing, unhashable = di.nject(User), di.nject(list[{}])  # type: ignore[valid-type]
    with pytest.raises(di.ResolveError):
        await missing
    with pytest.raises(di.ResolveError, match="hashed"):
        await unhashable


async def test_no_target_gives_no_value() -> None:
    """What was unpacked may be empty."""
    targets: list[type] = []
    assert await di.nject(*targets) == []
    assert await di.nject(*targets, name="x") == []


def test_without_a_loop() -> None:
    """What is built without waiting needs no event loop."""

    async def make() -> Item:
        return Item()

    di.register(make, scope="layer")
    with context.child(), pytest.raises(StopIteration) as stop:
        di.nject(Item).send(None)
    assert isinstance(stop.value.value, Item)
