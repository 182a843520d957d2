"""Functions that others wrapped, and values that count as another type."""

from __future__ import annotations

import collections.abc
import contextlib
import functools
import typing as t

import pytest

from buvar import context
from buvar import di


class Item: ...


class Box:
    def __init__(self, item: Item | None = None) -> None:
        self.item = item


async def test_context_managers_are_entered() -> None:
    """What contextlib made of a generator is used as that generator."""
    events: list[str] = []

    @contextlib.contextmanager
    def item() -> collections.abc.Iterator[Item]:
        yield Item()
        events.append("item")

    class Maker:
        @contextlib.asynccontextmanager
        async def box(self, item: Item) -> collections.abc.AsyncIterator[Box]:
            yield Box(item)
            events.append("box")

    di.register(item, Maker().box)
    async with context.child():
        box = await di.nject(Box)
        assert type(box.item) is Item
    assert events == ["box", "item"]


async def test_cached_functions_keep_their_annotations() -> None:
    """A wrapper that says what it wraps is read through."""

    @functools.lru_cache
    def item() -> Item:
        return Item()

    di.register(item, Box)
    assert await di.nject(Item) is await di.nject(Item)
    assert type((await di.nject(Box)).item) is Item


@pytest.mark.parametrize("scope", ["call", "layer"])
async def test_an_adapter_may_return_none_if_it_says_so(
    scope: di.Scope,
) -> None:
    """None is a value of Optional, nothing is missing then."""

    async def item() -> Item | None:
        return None

    async def broken() -> Item:
        return None  # type: ignore[return-value]

    di.register(item, scope=scope)
    di.register(Box)
    with context.child():
        assert (await di.nject(Box)).item is None
    di.register(broken, scope=scope)
    with (
        context.child(),
        pytest.raises(
            di.ResolveError, match=r"returned None, not an instance of Item\."
        ),
    ):
        await di.nject(Box)


async def test_a_wrapper_may_make_it_async() -> None:
    """What is called decides, not what it was made of."""

    def slowly(function: t.Callable[..., Item]) -> t.Any:
        @functools.wraps(function)
        async def later(*args: t.Any) -> Item:
            return function(*args)

        return later

    @slowly
    def item() -> Item:
        return Item()

    di.register(item, Box)
    assert type((await di.nject(Box)).item) is Item


async def test_a_coroutine_that_nobody_awaits() -> None:
    """It is no Item, and is closed: no warning that it never ran."""

    async def later() -> Item:
        return Item()

    def item() -> Item:
        return t.cast("Item", later())

    di.register(item)
    with pytest.raises(di.ResolveError, match="instance of coroutine"):
        await di.nject(Item)


async def test_an_int_is_a_float_where_one_is_named() -> None:
    """As type checkers have it."""

    def make(number: float) -> Box:
        assert number == 3
        return Box()

    di.register(make)
    await di.nject(Box, number=3)
    with pytest.raises(di.ResolveError):
        await di.nject(Box, other=3)
    with pytest.raises(di.ResolveError):
        await di.nject(Box, number="3")


async def test_a_name_is_no_type() -> None:
    """The error says what to ask for."""
    with pytest.raises(di.ResolveError, match="not for its name"):
        await di.nject("Item")


async def test_a_layer_that_ended_meanwhile() -> None:
    """A generator that was started too late is closed at once."""
    events: list[str] = []

    async def item() -> collections.abc.AsyncIterator[Item]:
        await opened.__aexit__(None, None, None)
        try:
            yield Item()
        finally:
            events.append("closed")

    def box() -> collections.abc.Iterator[Box]:
        try:
            yield Box()
        finally:
            events.append("closed")

    di.register(item, box)
    opened = context.child()
    await opened.__aenter__()
    layer = context.current_context()
    with pytest.raises(context.LayerEndedError):
        await di.nject(Item)
    assert events == ["closed"]
    context.buvar_context.set(layer)
    with pytest.raises(context.LayerEndedError):
        await di.nject(Box)
    assert events == ["closed"]
