"""Several threads, each with a loop of its own, use one registry."""

from __future__ import annotations

import asyncio
import collections.abc
import contextvars
import sys
import threading
import typing as t

import pytest

from buvar import context
from buvar import di
from buvar.components import Components
from buvar.di._codegen import once
from buvar.di._registry.compiled import Compiled
from buvar.di._registry.compiled import Resolver


T = t.TypeVar("T")

#: Longer than any of this takes: a hang is to fail.
PATIENCE = 30


class Item: ...


class Dear:
    def __init__(self, item: Item) -> None:
        self.item = item


class Results(t.Generic[T]):
    """What coroutines give, each run in a thread and a loop of its own."""

    def __init__(self, *coroutines: collections.abc.Awaitable[T]) -> None:
        self.values: list[T] = []
        self.errors: list[BaseException] = []
        self.threads = [
            threading.Thread(
                target=contextvars.copy_context().run,
                args=(self.run, one),
                daemon=True,
            )
            for one in coroutines
        ]
        for thread in self.threads:
            thread.start()

    def run(self, awaitable: collections.abc.Awaitable[T]) -> None:
        async def main() -> T:
            return await awaitable

        try:
            self.values.append(asyncio.run(main()))
        except BaseException as error:  # noqa: BLE001 - reported
            self.errors.append(error)

    def get(self) -> list[T]:
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        assert self.errors == []
        return self.values


@pytest.fixture
def eager_switches() -> collections.abc.Iterator[None]:
    """Let threads take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_switches")
def test_registering_while_others_resolve() -> None:
    """No thread misses what is registered, whatever others register."""
    di.register(Item, Dear)
    start = threading.Barrier(4)

    async def work(number: int) -> int:
        start.wait(PATIENCE)
        for n in range(60):
            cls = type(f"Own{number}_{n}", (), {})
            di.register(cls)
            own, dear = await di.nject(cls, Dear)
            assert (type(own), type(dear.item)) == (cls, Item)
            with di.override({cls: number}):
                assert await di.nject(cls) == number
            di.check()
            assert len(di.buvar_adapters.get().copy().adapters) > n
        return number

    assert sorted(Results(*map(work, range(4))).get()) == [0, 1, 2, 3]
    assert len(di.graph().nodes) == 2 + 4 * 60


async def test_a_plan_that_was_overtaken_is_not_kept() -> None:
    """What is registered while another thread plans is used from then on."""
    planning, go_on = threading.Event(), threading.Event()

    class Fallback: ...

    def make(item: Item = t.cast("Item", Fallback())) -> Dear:  # noqa: B008
        return Dear(item)

    def registry() -> di.Adapters:
        return di.buvar_adapters.get()

    di.register(make)
    find = registry().find

    def slow(key: t.Hashable) -> t.Any:
        found = find(key)
        if key is Item and not planning.is_set():
            planning.set()
            assert go_on.wait(PATIENCE)
        return found

    registry().find = slow  # type: ignore[method-assign]
    results: Results[Dear] = Results(di.nject(Dear))
    assert planning.wait(PATIENCE)
    di.register(Item)
    go_on.set()
    assert type(results.get()[0].item) is Fallback
    assert type((await di.nject(Dear)).item) is Item


async def test_what_another_loop_builds_is_waited_for() -> None:
    """A layer shared by two threads keeps one object, and none hangs."""
    building = threading.Event()
    ready: list[t.Callable[[], object]] = []
    built: list[Item] = []

    async def make() -> Item:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        ready.append(lambda: loop.call_soon_threadsafe(done.set))
        building.set()
        await done.wait()
        built.append(Item())
        return built[-1]

    async def cancelled() -> None:
        task = asyncio.ensure_future(di.nject(Item))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    di.register(make, scope="stage")
    first: Results[Item] = Results(di.nject(Item))
    assert building.wait(PATIENCE)
    # One that waits and goes, its loop is closed by then.
    Results(cancelled()).get()
    asked = [asyncio.ensure_future(di.nject(Item)) for _ in range(3)]
    await asyncio.sleep(0)
    ready[0]()
    got = [*await asyncio.gather(*asked), *first.get()]
    assert got == built * 4
    assert len(built) == 1


async def test_what_ends_while_one_begins_to_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The end of a build in another thread is not missed."""
    building, go_on = threading.Event(), threading.Event()

    async def make() -> Item:
        building.set()
        assert go_on.wait(PATIENCE)
        return Item()

    di.register(make, scope="stage")
    first: Results[Item] = Results(di.nject(Item))
    over = once.Waiters.over

    def late(turn: once.Waiters) -> t.Any:
        # The other thread builds to the end before it is waited for.
        go_on.set()
        first.get()
        return over(turn)

    monkeypatch.setattr(once.Waiters, "over", late)
    assert building.wait(PATIENCE)
    assert await di.nject(Item) is first.get()[0]


@pytest.mark.parametrize("injected", [True, False])
async def test_a_component_that_comes_while_one_plans(
    injected: bool,
) -> None:
    """What another thread adds meanwhile is used, as if it had been there."""
    # Somewhere there is one, so that the context has to be asked.
    Components().add(Item())
    layer = context.current_context()
    di.register(Item, Dear)
    adapters = di.buvar_adapters.get()
    find, added = adapters.find, Item()

    def late(key: t.Hashable) -> t.Any:
        if key is Item:
            thread = threading.Thread(target=layer.add, args=(added,))
            thread.start()
            thread.join(PATIENCE)
        return find(key)

    @di.inject
    async def handler(dear: Dear) -> Dear:
        return dear

    adapters.find = late  # type: ignore[method-assign]
    dear = await (handler() if injected else di.nject(Dear))
    assert dear.item is added


def test_what_was_planned_before_a_change_is_not_kept() -> None:
    """Another thread may register something while one plans."""

    async def call(*_: t.Any) -> None: ...

    compiled = Compiled()
    resolver = Resolver(call, frozenset(), frozenset())
    version = compiled.version
    compiled.clear()
    compiled.prefer("key", resolver, version)
    assert not compiled.calls
    compiled.prefer("key", resolver, compiled.version)
    assert compiled.calls == {"key": call}
