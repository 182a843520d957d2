"""What others build or add while a call waits is used, not built twice."""

from __future__ import annotations

import asyncio
import collections.abc
import unittest.mock

import pytest

from buvar import context
from buvar import di
from buvar.di._codegen import schedule


class Rate: ...


class Store: ...


class Shop:
    def __init__(self, rate: Rate, store: Store) -> None:
        self.rate, self.store = rate, store


class Market:
    """Gives a rate when it is told to."""

    def __init__(self) -> None:
        self.asked, self.opens = asyncio.Event(), asyncio.Event()
        self.stores: list[Store] = []

    async def rate(self) -> Rate:
        self.asked.set()
        await self.opens.wait()
        return Rate()

    def store(self) -> Store:
        self.stores.append(Store())
        return self.stores[-1]


@pytest.fixture(params=[12, 0], ids=["nested", "flat"])
def market(
    request: pytest.FixtureRequest,
) -> collections.abc.Iterator[Market]:
    """Register what a shop needs, for both ways to write code down."""
    with unittest.mock.patch.object(schedule, "_DEEP", request.param):
        market = Market()
        di.register(market.rate)
        di.register(market.store, scope="layer")
        yield market


@pytest.mark.parametrize("scope", ["call", "layer"])
async def test_what_was_built_meanwhile(market: Market, scope: str) -> None:
    """A call that waited takes what another one has built."""
    di.register(Shop, scope=scope)
    async with context.child():
        task = asyncio.ensure_future(di.nject(Shop))
        await market.asked.wait()
        store = await di.nject(Store)
        market.opens.set()
        assert (await task).store is store
        assert market.stores == [store]


@pytest.mark.parametrize("scope", ["call", "layer"])
async def test_what_was_added_meanwhile(market: Market, scope: str) -> None:
    """A call that waited takes what was added to its layer, builds none."""

    async def shop(rate: Rate, store: Store) -> Shop:
        return Shop(rate, store)

    di.register(shop, scope=scope)
    async with context.child():
        task = asyncio.ensure_future(di.nject(Shop))
        await market.asked.wait()
        store = context.add(Store())
        market.opens.set()
        assert (await task).store is store
        assert market.stores == []


@pytest.mark.parametrize("market", [12], indirect=True)
async def test_what_one_that_failed_has_built(market: Market) -> None:
    """A call that waited for one that failed goes on with what it left."""
    fails = asyncio.Event()

    async def shop(rate: Rate, store: Store) -> Shop:
        if not fails.is_set():
            fails.set()
            message = "closed today"
            raise ValueError(message)
        return Shop(rate, store)

    di.register(shop, scope="layer")
    async with context.child():
        first = asyncio.ensure_future(di.nject(Shop))
        await market.asked.wait()
        # It has its rate, so nothing but the first call makes it wait.
        second = asyncio.ensure_future(di.nject(Shop, rate=Rate()))
        await asyncio.sleep(0)
        assert not fails.is_set()
        market.opens.set()
        with pytest.raises(ValueError, match="closed today"):
            await first
        assert [(await second).store] == market.stores
