"""Generators are ended by the layer that owns what they built."""

from __future__ import annotations

import collections.abc

import pytest

from buvar import context
from buvar import di


class Item: ...


class Dear:
    def __init__(self, item: Item) -> None:
        self.item = item


async def test_generators_end_with_their_layer_latest_first() -> None:
    """Sync and async generators are closed in reverse order."""
    events: list[str] = []

    def item() -> collections.abc.Iterator[Item]:
        yield Item()
        events.append("item closed")

    async def dear(item: Item) -> collections.abc.AsyncIterator[Dear]:
        yield Dear(item)
        events.append("dear closed")

    di.register(item, dear)
    async with context.child():
        await di.nject(Dear)
        assert events == []
    assert events == ["dear closed", "item closed"]


async def test_generators_get_the_error_that_ended_the_layer() -> None:
    """The exception is raised at the yield."""
    seen: list[type[BaseException]] = []

    def item() -> collections.abc.Iterator[Item]:
        try:
            yield Item()
        except OSError as error:
            seen.append(type(error))
            raise

    async def dear(item: Item) -> collections.abc.AsyncIterator[Dear]:
        try:
            yield Dear(item)
        except OSError as error:
            seen.append(type(error))

    di.register(item, dear)
    with pytest.raises(OSError, match="broken"):  # noqa: PT012
        async with context.child():
            await di.nject(Dear)
            raise OSError("broken")
    assert seen == [OSError, OSError]


async def test_generators_that_fail_to_close() -> None:
    """What a generator raises instead of the error is raised."""

    def item() -> collections.abc.Iterator[Item]:
        try:
            yield Item()
        finally:
            raise ValueError

    async def dear(item: Item) -> collections.abc.AsyncIterator[Dear]:
        yield Dear(item)
        raise KeyError

    di.register(item, dear)
    with pytest.raises(ExceptionGroup) as caught:
        async with context.child():
            await di.nject(Dear)
    assert {type(one) for one in caught.value.exceptions} == {
        ValueError,
        KeyError,
    }


@pytest.mark.parametrize("error", [StopIteration, StopAsyncIteration])
async def test_stop_iteration_passes_generators(
    error: type[Exception],
) -> None:
    """An error that generators turn into another is not reported twice."""

    def item() -> collections.abc.Iterator[Item]:
        yield Item()

    async def dear(item: Item) -> collections.abc.AsyncIterator[Dear]:
        yield Dear(item)

    di.register(item, dear)
    layer = context.child()
    await layer.__aenter__()
    await di.nject(Dear)
    await layer.__aexit__(error, error(), None)


async def test_generators_that_yield_twice() -> None:
    """A second yield is an error, sync or async."""

    def item() -> collections.abc.Iterator[Item]:
        yield Item()
        yield Item()

    async def dear(item: Item) -> collections.abc.AsyncIterator[Dear]:
        yield Dear(item)
        yield Dear(item)

    di.register(item, dear)
    with pytest.raises(ExceptionGroup) as caught:
        async with context.child():
            await di.nject(Dear)
    assert len(caught.value.exceptions) == 2
    for one in caught.value.exceptions:
        assert isinstance(one, di.GeneratorError)
        assert "yielded twice" in str(one)


async def test_generators_that_do_not_yield() -> None:
    """A generator that ends at once is an error."""

    def item() -> collections.abc.Iterator[Item]:
        yield from ()

    async def dear() -> collections.abc.AsyncIterator[Dear]:
        for one in ():
            yield one

    di.register(item, dear)
    async with context.child():
        with pytest.raises(di.GeneratorError, match="without yielding"):
            await di.nject(Item)
        with pytest.raises(di.GeneratorError, match="without yielding"):
            await di.nject(Dear)


async def test_a_generator_needs_a_layer_that_ends() -> None:
    """Where nothing would close it, a generator is not started."""

    def item() -> collections.abc.Iterator[Item]:
        yield Item()

    di.register(item)
    with pytest.raises(di.ScopeError, match=r"context\.child"):
        await di.nject(Item)
