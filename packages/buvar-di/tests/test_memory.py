"""Calls leave nothing behind, without the garbage collector."""

from __future__ import annotations

import collections.abc
import contextlib
import gc
import os
import tracemalloc
import typing as t
import weakref

import pytest

from buvar import context
from buvar import di


#: More of them in one command: BUVAR_DI_CALLS=100000 pytest ...
CALLS: t.Final = int(os.environ.get("BUVAR_DI_CALLS", "2000"))


class Item: ...


class Dear:
    def __init__(self, item: Item) -> None:
        self.item = item


class User:
    def __init__(self, dear: Dear, item: Item, text: str = "x") -> None:
        self.parts = (dear, item, text)


async def opened(item: Item) -> collections.abc.AsyncIterator[Dear]:
    yield Dear(item)


def lent(item: Item) -> collections.abc.Iterator[Dear]:
    yield Dear(item)


async def awaited(item: Item) -> Dear:
    return Dear(item)


@contextlib.contextmanager
def collecting_nothing() -> collections.abc.Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def flat(request: t.Callable[[], t.Awaitable[object]]) -> None:
    """Ask again and again: neither objects nor memory may grow."""
    for _ in range(50):
        await request()
    with collecting_nothing():
        tracemalloc.start()
        try:
            objects = len(gc.get_objects())
            memory, _ = tracemalloc.get_traced_memory()
            for _ in range(CALLS):
                await request()
            grown = tracemalloc.get_traced_memory()[0] - memory
            assert len(gc.get_objects()) - objects < CALLS / 20
            # Less than a byte for what a single reference takes eight.
            assert grown < max(CALLS, 20_000)
        finally:
            tracemalloc.stop()
        assert gc.collect() < CALLS / 20


@pytest.mark.parametrize("make", [opened, lent, awaited])
async def test_a_layer_for_each_call(make: t.Any) -> None:
    """What a request built is gone with it."""
    di.register(Item, User)
    di.register(make, scope="layer")

    async def request() -> None:
        async with context.child():
            context.add("text")
            user = await di.nject(User, item=Item())
            gone = weakref.ref(user)
        del user
        assert gone() is None

    await flat(request)


async def test_calls_that_fail() -> None:
    """Neither an adapter's own error nor a missing type leaves a cycle."""

    def broken(item: Item) -> Dear:
        raise OSError

    def missing(number: int) -> User:
        raise AssertionError

    di.register(Item, broken)
    di.register(missing)

    async def request() -> None:
        async with context.child():
            with contextlib.suppress(OSError):
                await di.nject(Dear)

    await flat(request)


async def test_an_injected_function() -> None:
    """Neither does a function that is called with what it lacks."""

    @di.inject
    async def handler(dear: Dear) -> weakref.ref[Dear]:
        return weakref.ref(dear)

    di.register(Item)
    di.register(opened, scope="layer")

    async def request() -> None:
        async with context.child():
            gone = await handler()
        assert gone() is None

    await flat(request)


async def test_it_would_notice() -> None:
    """A cycle, or what is kept for each call, fails these tests."""
    kept: list[object] = []

    async def cycle() -> None:
        one: list[object] = []
        one.append(one)

    async def hoard() -> None:
        kept.append(bytes(100))

    for leaking in (cycle, hoard):
        with pytest.raises(AssertionError):
            await flat(leaking)
