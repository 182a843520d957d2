"""Asynchronous generators end with a layer: they go on behind the yield."""

from __future__ import annotations

import asyncio

import pytest

from buvar import context
from buvar.components import spi


class TwiceError(Exception): ...


async def generator(calls, name, error=None, more=False):
    try:
        yield name
    except BaseException as thrown:
        calls.append((name, type(thrown)))
        raise
    calls.append((name, None))
    if error is not None:
        raise error
    if more:
        yield name
        calls.append("never reached")


async def started(layer, *args, **options):
    one = generator(*args, **options)
    await anext(one)
    end_with(layer, one)
    return one


def end_with(layer, one):
    """Have a generator end with a layer, as injection does."""
    spi.defer(layer, (one, TwiceError, asyncio.current_task()))


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_generators_go_on_latest_first(number):
    """One or several, each is finished."""
    calls = []
    async with context.child() as layer:
        for name in range(number):
            await started(layer, calls, name)
    assert calls == [(name, None) for name in reversed(range(number))]


async def test_between_other_closers():
    """They keep their place among functions."""
    calls = []
    async with context.child() as layer:
        await started(layer, calls, 1)
        layer.defer(calls.append)
        await started(layer, calls, 2)
    assert calls == [(2, None), None, (1, None)]


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    "error",
    [OSError, StopAsyncIteration, asyncio.CancelledError, RuntimeError],
)
async def test_the_error_is_thrown_in(number, error):
    """What ended the block is raised at each yield, and passes unchanged."""
    calls = []
    opened = context.child()
    layer = await opened.__aenter__()
    for name in range(number):
        await started(layer, calls, name)
    # Handed in as 'async with' does; what is let through is no failure.
    await opened.__aexit__(error, error(), None)
    assert calls == [(name, error) for name in reversed(range(number))]


async def test_another_runtime_error_is_a_failure():
    """Only what a generator makes of a StopIteration is not reported."""

    async def fails():
        try:
            yield
        finally:
            raise RuntimeError("mine")

    opened = context.child()
    layer = await opened.__aenter__()
    one = fails()
    await anext(one)
    end_with(layer, one)
    with pytest.raises(ExceptionGroup) as info:
        await opened.__aexit__(OSError, OSError(), None)
    assert str(info.value.exceptions[0]) == "mine"


async def test_an_error_may_be_swallowed_by_a_generator():
    """A generator that ends quietly has done its part."""

    async def quiet():
        try:
            yield
        except OSError:
            return

    with pytest.raises(OSError, match="outer"):  # noqa: PT012
        async with context.child() as layer:
            one = quiet()
            await anext(one)
            end_with(layer, one)
            raise OSError("outer")


@pytest.mark.parametrize("number", [1, 2])
async def test_failures_are_raised_as_a_group(number):
    """Each runs although another failed."""
    calls = []
    with pytest.raises(ExceptionGroup) as info:  # noqa: PT012
        async with context.child() as layer:
            for name in range(number):
                await started(layer, calls, name, ValueError(name))
    assert len(calls) == number
    assert [type(one) for one in info.value.exceptions] == [ValueError] * (
        number
    )
    assert context.current_context() is not layer


@pytest.mark.parametrize("number", [1, 2])
async def test_a_second_yield_is_an_error(number):
    """It is closed there, and named by who started it."""
    calls = []
    with pytest.raises(ExceptionGroup) as info:  # noqa: PT012
        async with context.child() as layer:
            for name in range(number):
                one = await started(layer, calls, name, more=True)
    assert [type(e) for e in info.value.exceptions] == [TwiceError] * number
    assert one.ag_frame is None
    assert "never reached" not in calls


async def test_closers_added_while_a_generator_ends():
    """What is added meanwhile still runs."""
    calls = []

    async def adds(layer):
        yield
        layer.defer(calls.append)

    async with context.child() as layer:
        one = adds(layer)
        await anext(one)
        end_with(layer, one)
    assert calls == [None]


async def test_cancelled_while_a_generator_ends():
    """A cancellation passes as it is, and the layer is left."""
    before = context.current_context()
    reached = asyncio.Event()

    async def slow():
        yield
        reached.set()
        await asyncio.Future()

    async def work():
        async with context.child() as layer:
            one = slow()
            await anext(one)
            end_with(layer, one)

    task = asyncio.create_task(work())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert context.current_context() is before


async def test_a_plain_block_cannot_go_on():
    """The generator is named, nothing warns."""
    calls = []
    with pytest.raises(ExceptionGroup) as info, context.child() as layer:
        one = await started(layer, calls, 1)
    (error,) = info.value.exceptions
    assert isinstance(error, context.AsyncCloserError)
    assert "generator" in str(error)
    await one.aclose()


async def test_the_start_of_a_layer_may_be_given():
    """Async blocks take namespaces and stacks as plain ones do."""
    async with context.child({"key": {None: 1}}):
        assert context.get("key") == 1
    opened = context.child()
    async with opened:
        pass
    with pytest.raises(RuntimeError, match="each block"):
        await opened.__aenter__()
