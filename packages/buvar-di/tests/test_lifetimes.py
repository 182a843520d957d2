"""Lifetimes are layers: kept, built once, closed with their layer."""

from __future__ import annotations

import asyncio

import pytest

from buvar import context
from buvar import di


class Item: ...


class Dear:
    def __init__(self, item: Item) -> None:
        self.item = item


class User:
    def __init__(self, dear: Dear, item: Item) -> None:
        self.dear, self.item = dear, item


async def test_call_is_kept_nowhere() -> None:
    """By default each call builds anew."""
    di.register(Item)
    assert await di.nject(Item) is not await di.nject(Item)
    assert context.get(Item, default=None) is None


async def test_layer_is_kept_in_the_nearest_scope() -> None:
    """A layer keeps its object, the context finds it, another has its own."""
    di.register(Item, scope="layer")
    with context.child():
        first = await di.nject(Item)
        context.push()
        assert await di.nject(Item) is first
        assert context.get(Item) is first
    with context.child():
        assert await di.nject(Item) is not first


async def test_stage_is_kept_below_the_scopes() -> None:
    """What belongs to the stage is the same in each request."""
    di.register(Item, scope="stage")
    with context.child():
        first = await di.nject(Item)
    with context.child():
        assert await di.nject(Item) is first
    assert context.get(Item) is first


async def test_stage_shares_what_was_asked_for_by_a_base() -> None:
    """By whichever type it was asked for first, all layers find it by each."""

    class Special(Item): ...

    def special() -> Special:
        return Special()

    di.register(special, scope="stage")
    with context.child():
        first = await di.nject(Item)
    with context.child():
        assert context.get(Item) is context.get(Special) is first
        assert await di.nject(Special) is first


async def test_added_comes_before_kept() -> None:
    """What was added to a layer was asked for, what it keeps was needed."""

    class Special(Item): ...

    di.register(Special, scope="layer")
    added = Item()
    with context.child():
        context.add(added)
        kept = await di.nject(Special)
        assert await di.nject(Item) is added
        assert context.get(Item) is added
        assert context.get(Special) is kept


@pytest.mark.parametrize("scope", ["layer", "stage"])
async def test_built_once_for_200_tasks(scope: di.Scope) -> None:
    """However many ask at the same time, one builds."""
    built: list[Dear] = []
    ready = asyncio.Event()

    async def make(item: Item) -> Dear:
        await ready.wait()
        built.append(Dear(item))
        return built[-1]

    di.register(Item, User)
    di.register(make, scope=scope)
    with context.child():
        tasks = [asyncio.ensure_future(di.nject(User)) for _ in range(200)]
        await asyncio.sleep(0)
        ready.set()
        users = await asyncio.gather(*tasks)
    assert len(built) == 1
    assert {user.dear for user in users} == set(built)
    assert len({user.item for user in users}) == 200
    # One of them built it: it shares what it built on the way.
    assert [user.item is user.dear.item for user in users].count(True) == 1


async def test_a_failure_does_not_poison() -> None:
    """After a failed attempt the next one may succeed."""
    attempts: list[int] = []

    async def make() -> Item:
        attempts.append(1)
        await asyncio.sleep(0)
        if len(attempts) == 1:
            raise OSError
        return Item()

    di.register(make, scope="layer")
    with context.child():
        got = await asyncio.gather(
            *(di.nject(Item) for _ in range(5)), return_exceptions=True
        )
        items = {one for one in got if isinstance(one, Item)}
        assert len(items) == 1
        assert [type(one) for one in got].count(OSError) == 1
        assert await di.nject(Item) in items
    assert len(attempts) == 2


@pytest.mark.parametrize("which", [0, 1])
async def test_a_cancelled_task_does_not_break_the_others(which: int) -> None:
    """Neither a builder nor a waiter takes others along."""
    ready = asyncio.Event()

    async def make() -> Item:
        await ready.wait()
        return Item()

    di.register(make, scope="layer")
    with context.child():
        tasks = [asyncio.ensure_future(di.nject(Item)) for _ in range(3)]
        await asyncio.sleep(0)
        tasks.pop(which).cancel()
        await asyncio.sleep(0)
        ready.set()
        one, other = await asyncio.gather(*tasks)
        assert one is other


async def test_what_is_kept_may_need_what_is_awaited() -> None:
    """Who has all it needs at hand builds it, those who wait take that."""
    ready = asyncio.Event()
    built: list[Dear] = []

    async def item() -> Item:
        await ready.wait()
        return Item()

    def dear(item: Item, number: int = 3) -> Dear:
        built.append(Dear(item))
        return built[-1]

    di.register(item)
    di.register(dear, scope="layer")
    with context.child():
        tasks = [asyncio.ensure_future(di.nject(Dear)) for _ in range(3)]
        await asyncio.sleep(0)
        own = Item()
        first = await di.nject(Dear, item=own)
        assert first.item is own
        ready.set()
        assert await asyncio.gather(*tasks) == [first] * 3
    with context.child():
        tasks = [asyncio.ensure_future(di.nject(Dear)) for _ in range(3)]
        assert set(await asyncio.gather(*tasks)) == {built[-1]}
    assert len(built) == 2


async def test_two_tasks_that_wait_for_each_other() -> None:
    """Neither hangs: what would never end is a cycle."""

    async def item() -> Item:
        await asyncio.sleep(0)
        await di.nject(Dear)
        raise AssertionError

    async def dear() -> Dear:
        await asyncio.sleep(0)
        await di.nject(Item)
        raise AssertionError

    di.register(item, dear, scope="layer")
    with context.child():
        got = await asyncio.gather(
            di.nject(Item), di.nject(Dear), return_exceptions=True
        )
    assert [type(one) for one in got] == [di.CycleError, di.CycleError]


async def test_what_is_being_built_is_named() -> None:
    """A layer shows it, so that one sees what a stage waits for."""
    ready = asyncio.Event()

    async def make() -> Item:
        await ready.wait()
        return Item()

    di.register(make, scope="layer")
    with context.child() as layer:
        task = asyncio.ensure_future(di.nject(Item))
        await asyncio.sleep(0)
        assert "<building make>" in repr(layer)
        ready.set()
        await task
        assert "building" not in repr(layer)


async def test_built_once_where_nothing_is_awaited() -> None:
    """200 tasks share what one of them built without waiting."""
    built: list[Item] = []

    def make() -> Item:
        built.append(Item())
        return built[-1]

    di.register(make, scope="layer")
    di.register(Dear)
    with context.child():
        dears = await asyncio.gather(*(di.nject(Dear) for _ in range(200)))
    assert {dear.item for dear in dears} == set(built)
    assert len(built) == 1


async def test_asking_for_itself_while_being_built() -> None:
    """An adapter that asks for what it builds does not wait for itself."""

    async def make() -> Item:
        await asyncio.sleep(0)
        return await di.nject(Item)

    di.register(make, scope="layer")
    with context.child(), pytest.raises(di.CycleError, match="being built"):
        await di.nject(Item)


async def test_two_adapters_of_one_type_in_one_layer() -> None:
    """An adapter may wrap what an earlier one for the same type gives."""

    class Loud(Item):
        def __init__(self, inner: Item) -> None:
            self.inner = inner

    async def wrap(item: Item) -> Item:
        return Loud(item)

    di.register(Item, wrap, scope="layer")
    with context.child():
        got = await di.nject(Item)
        assert isinstance(got, Loud)
        assert type(got.inner) is Item
        assert context.get(Loud) is got


async def test_the_longer_lived_must_not_need_the_shorter_lived() -> None:
    """Holding on to what ends before is an error, found by check() too."""
    di.register(Item, scope="layer")
    di.register(Dear, scope="stage")
    with context.child(), pytest.raises(di.ScopeError, match="ends with its"):
        await di.nject(Dear)
    with pytest.raises(di.CheckError, match="before the stage"):
        di.check()


async def test_the_longer_lived_does_not_see_the_request() -> None:
    """A component of the request is no part of what the stage keeps."""
    di.register(Dear, scope="stage")
    with context.child():
        context.add(Item())
        with pytest.raises(di.ScopeError, match="ends before the stage"):
            await di.nject(Dear)


async def test_what_holds_the_request_is_not_lent_to_the_stage() -> None:
    """A call's own object is shared with the stage only if it may be."""

    class Holder:
        def __init__(self, item: Item) -> None:
            self.item = item

    class Kept:
        def __init__(self, holder: Holder) -> None:
            self.holder = holder

    di.register(Holder)
    di.register(Kept, scope="stage")
    below = context.add(Item())
    with context.child():
        upper = context.add(Item())
        holder, kept = await di.nject(Holder, Kept)
    assert holder.item is upper
    assert kept.holder.item is below
