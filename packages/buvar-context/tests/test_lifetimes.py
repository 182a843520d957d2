"""Layers end once, hand nothing out afterwards, and lose no failure."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging

import pytest

from buvar import context
from buvar.components import Components
from buvar.components import spi


class Item: ...


async def fail(_):
    await asyncio.sleep(0)
    raise OSError


@pytest.mark.parametrize("asked", [True, False])
async def test_an_ended_layer_answers_nothing(asked):
    """Each kind of question names the type, the layer and the cure."""
    with context.child():
        context.add("text")
        inner = context.push()
        if asked:
            context.get(str)
            inner.find(str)
    for question in (
        lambda: inner.get(str),
        lambda: inner.get(Item, default=None),
        lambda: inner.get(str, name="name", default=None),
        lambda: inner.find(str),
        lambda: inner.pop().add(1),
        lambda: inner.push(inner.pop()),
    ):
        with pytest.raises(context.LayerEndedError, match="Jobs"):
            question()
    with pytest.raises(context.LayerEndedError) as info:
        inner.get(Item)
    assert info.value.namespace is Item
    assert "str" in info.value.layer


async def test_no_layer_opens_over_an_ended_one():
    """A task that outlives the block cannot open one in it."""
    with context.child() as layer:
        pass
    token = context.buvar_context.set(layer)
    try:
        with pytest.raises(context.LayerEndedError), context.child():
            pytest.fail("it opened")
        with pytest.raises(context.LayerEndedError):
            async with context.child():
                pytest.fail("it opened")
        with pytest.raises(context.LayerEndedError):
            spi.open_layer(layer)
    finally:
        context.buvar_context.reset(token)


async def test_a_layer_on_top_keeps_its_own():
    """It answers what it holds, what lies below is gone."""
    outer, inner = context.child(), context.child()
    with outer, inner:
        context.add(1)
        assert inner.get(str, default=None) is None
        outer.end_sync()
        assert context.get(int) == 1
        with pytest.raises(context.LayerEndedError):
            context.get(str, default=None)


@pytest.mark.parametrize("kind", ["push", "child"])
def test_a_stack_goes_on_top_of_the_current_context(kind):
    """What was there already is still seen, the first one wins."""
    with context.child():
        context.add(1)
        context.add("below")
        stack = {str: {None: "upper"}}, {str: {None: "lower"}}
        if kind == "child":
            with context.child({bool: {None: True}}, *stack):
                seen = [context.get(one) for one in (int, str, bool)]
        else:
            context.push({bool: {None: True}}, *stack)
            seen = [context.get(one) for one in (int, str, bool)]
        assert seen == [1, "upper", True]


@pytest.mark.parametrize("ending", [SystemExit(3), KeyboardInterrupt()])
async def test_what_asks_the_process_to_end_comes_out(ending, caplog):
    """As the same object, and what failed beside it is logged."""

    async def work():
        async with context.child() as layer:
            layer.defer(fail)
            raise ending

    with pytest.raises(type(ending)) as info:
        await work()
    assert info.value is ending
    assert isinstance(ending.__cause__.exceptions[0], OSError)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info[1] is ending.__cause__


async def test_a_cancelled_block_whose_cleanup_fails(caplog):
    """The task is cancelled, and the failure is logged."""

    async def work():
        async with context.child() as layer:
            layer.defer(fail)
            await asyncio.Future()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert "closing a layer failed" in caplog.text.lower()


async def test_a_timeout_around_a_cleanup_that_fails(caplog):
    """It ends by its timeout, and no cancellation is left over."""

    async def work():
        async with asyncio.timeout(0.01), context.child() as layer:
            layer.defer(fail)
            await asyncio.Future()

    with pytest.raises(TimeoutError):
        await work()
    assert asyncio.current_task().cancelling() == 0
    await asyncio.sleep(0)
    assert "OSError" in caplog.text


async def test_a_cleanup_that_replaces_a_cancellation(caplog):
    """A cancellation is asked for again where a failure took its place."""
    started = asyncio.Event()

    async def replace(_):
        started.set()
        try:
            await asyncio.Future()
        finally:
            raise OSError

    async def work():
        with contextlib.suppress(Exception):
            async with context.child() as layer:
                layer.defer(replace)
        await asyncio.Future()

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()
    assert "OSError" in caplog.text


async def test_a_failure_of_the_block_beside_a_cancelled_cleanup(caplog):
    """Neither is lost: one comes out, the other is its cause."""
    error = KeyError()

    async def work():
        async with context.child() as layer:
            layer.defer(lambda _: asyncio.sleep(20))
            raise error

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "KeyError" in caplog.text


async def test_layers_of_frameworks():
    """A layer is opened with what it holds, and ended with an outcome."""
    spi.announce(Item)
    item, ended = Item(), []
    layer = spi.open_layer(context.current_context(), {Item: item})
    assert spi.peek(layer, Item) is item
    assert spi.peek(layer, bytes) is spi.MISSING
    assert spi.lifetime_of(layer.push()) is layer
    assert spi.stage_of(layer) is spi.stage_of(context.current_context())
    layer.defer(ended.append)
    spi.defer(layer, ended.append)
    error = KeyError()
    await layer.end(error)
    assert ended == [error, error]
    await layer.end()
    layer.end_sync()
    assert ended == [error, error]


async def test_generators_go_on_in_the_context_they_began_in():
    """Whatever task ends the layer, and it sees that layer meanwhile."""
    number = contextvars.ContextVar("number", default=0)
    seen = []

    async def generator():
        token = number.set(1)
        try:
            yield
        finally:
            await asyncio.sleep(0)
            seen.append((number.get(), context.current_context()))
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.Future(), 0.01)
            number.reset(token)

    async def begin(layer):
        one = generator()
        await anext(one)
        spi.defer(layer, (one, AssertionError, asyncio.current_task()))

    for error in (None, KeyError()):
        layer = spi.open_layer(Components().push())
        await asyncio.create_task(begin(layer))
        await layer.end(error)
        assert seen.pop() == (1, layer)
    assert number.get() == 0


async def test_a_layer_ended_by_a_step_of_the_task_that_began():
    """A context that is entered already cannot be entered again."""

    async def generator():
        yield

    async def end(layer):
        await layer.end()

    layer = spi.open_layer(Components().push())
    one = generator()
    await anext(one)
    spi.defer(layer, (one, AssertionError, asyncio.current_task()))
    other = end(layer)
    # As an eager task runs: within a step of this one.
    running = asyncio.current_task()
    asyncio.tasks._leave_task(asyncio.get_running_loop(), running)
    try:
        with pytest.raises(StopIteration):
            other.send(None)
    finally:
        asyncio.tasks._enter_task(asyncio.get_running_loop(), running)
