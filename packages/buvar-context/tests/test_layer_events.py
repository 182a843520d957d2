"""Who asks for it is told of each layer: once opened, once closed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading

import pytest

from buvar import context
from buvar import plugin
from buvar.components import spi
from buvar.plugin import LayerClosed
from buvar.plugin import LayerOpened


TIMEOUT = 30.0  # seconds, a bound and no expectation


class Request: ...


spi.announce(Request)


async def end(layer, error) -> None:
    await layer.end(error)


async def close(layer, error) -> None:
    await layer.close(error)


async def end_sync(layer, error) -> None:
    layer.end_sync(error)


async def end_at_once(layer, error) -> None:
    assert layer.end_at_once()


# --- what is told -----------------------------------------------------------


async def test_blocks(observed, ends) -> None:
    """A block is told with its place, its task, and the layer below."""
    async with observed() as events:
        base = context.current_context()
        async with context.child() as outer:
            with context.child() as inner:
                pass

    first, second, *_ = events
    assert ends(events) == [None, None]
    assert (first.layer, first.parent) == (outer, base)
    assert (second.layer, second.parent) == (inner, outer)
    assert first.place.startswith(f"{__file__}:")
    assert first.task == asyncio.current_task().get_name()
    assert (first.holds, first.deadline) == ((), None)


@pytest.mark.parametrize("bound", [None, 60])
async def test_blocks_that_hold_something(bound, observed, ends) -> None:
    """The types of what a block starts with are told, and it is told once."""
    async with observed() as events:
        shared = context.push({str: {None: "shared"}})
        async with context.child({int: {None: 1}}, timeout=bound):
            pass
        async with context.child(shared, {float: {None: 0.5}}):
            pass
        with context.child({}, {float: {None: 0.5}}):
            pass

    opened = [e for e in events if isinstance(e, LayerOpened)]
    assert [e.holds for e in opened] == [(int,), (str,), ()]
    assert ends(events) == [None] * 3


async def test_deadlines(observed, ends) -> None:
    """The deadline of a block is told, and that it was over."""
    async with observed() as events:
        with pytest.raises(context.DeadlineError) as info:
            async with context.child(timeout=0.01), context.child():
                await asyncio.Event().wait()

    outer, inner, *_ = events
    assert outer.deadline is inner.deadline is info.value.deadline
    assert outer.place == outer.deadline.place
    cancelled, late = ends(events)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert late is info.value


@pytest.mark.parametrize("how", [end, close, end_sync, end_at_once])
async def test_layers_of_frameworks(how, observed, ends) -> None:
    """A layer of a request is told with what it was opened with."""
    request = Request()
    async with observed() as events:
        below = context.current_context()
        layer = spi.open_layer(below, {Request: request})
        await how(layer, None)
        # Ending it once more is not another end.
        await how(layer, None)

    opened, _ = events
    assert ends(events) == [None]
    assert opened.layer is layer
    assert opened.parent is below
    assert opened.holds == (Request,)
    assert opened.place.startswith(f"{__file__}:")


async def test_a_listener_may_ask_the_layer() -> None:
    """A listener finds in the layer what it was opened for."""
    found = []

    async def listening() -> None:
        plugin.listen(
            lambda event: found.append(event.layer.get(Request)), LayerOpened
        )

    request = Request()
    async with plugin.Stage(listening):
        spi.open_layer(
            context.current_context(), {Request: request}
        ).end_at_once()

    assert found == [request]


async def test_below_an_ended_layer(observed, ends) -> None:
    """A layer is told of although one further down has ended."""
    async with observed() as events:
        async with context.child():
            pushed = context.push()
        token = context.buvar_context.set(pushed)
        async with context.child() as top:
            pass
        context.buvar_context.reset(token)

    assert [e.layer for e in events if isinstance(e, LayerOpened)][1] is top
    assert ends(events) == [None] * 2


# --- how layers end ---------------------------------------------------------


async def fail(_) -> None:
    raise OSError


def fail_sync(_) -> None:
    raise OSError


@pytest.mark.parametrize("how", [end, close, end_sync])
@pytest.mark.parametrize("number", [1, 2])
async def test_failures_of_framework_layers(
    how, number, observed, ends
) -> None:
    """What failed to close is told, or what the layer ended with."""
    error = ValueError()
    async with observed() as events:
        below = context.current_context()
        layer = spi.open_layer(below)
        for _ in range(number):
            layer.defer(fail_sync)
        # It cannot end at once, and has not ended.
        assert not layer.end_at_once()
        assert len(events) == 1
        with contextlib.suppress(ExceptionGroup):
            await how(layer, None)
        await how(spi.open_layer(below), error)

    failed, ended = ends(events)
    assert ended is error
    assert isinstance(failed, ExceptionGroup)
    assert [type(each) for each in failed.exceptions] == [OSError] * number


async def test_a_cancelled_end_of_a_framework_layer(observed, ends) -> None:
    """To be asked to end wins over all that fails, as it does for blocks."""

    async def cancelled(_) -> None:
        raise asyncio.CancelledError

    error = KeyboardInterrupt()
    async with observed() as events:
        below = context.current_context()
        for ended_by, closers in [
            (None, [fail, cancelled]),
            (error, [fail]),
            (error, []),
        ]:
            layer = spi.open_layer(below)
            for closer in closers:
                layer.defer(closer)
            await layer.close(ended_by)

    kinds = [asyncio.CancelledError, KeyboardInterrupt, KeyboardInterrupt]
    assert [type(each) for each in ends(events)] == kinds


@pytest.mark.parametrize(
    "error", [ValueError(), KeyboardInterrupt(), SystemExit(3)]
)
async def test_what_a_block_raises(error, observed, ends) -> None:
    """What comes out of a block is told, whatever it is."""
    async with observed() as events:
        with pytest.raises(type(error)):
            async with context.child():
                raise error
        with pytest.raises(type(error)), context.child():
            raise error

    assert ends(events) == [error, error]


async def test_a_block_that_fails_to_close(observed, ends) -> None:
    """A group of what failed to close comes out of a block, and is told."""
    async with observed() as events:
        with pytest.raises(ExceptionGroup) as first:  # noqa: PT012 - a block
            async with context.child() as layer:
                layer.defer(fail)
                raise ValueError
        with pytest.raises(ExceptionGroup) as second, context.child() as layer:
            layer.defer(fail_sync)

    assert ends(events) == [first.value, second.value]


@pytest.mark.parametrize("where", ["block", "closer"])
async def test_cancelled(where, observed, ends) -> None:
    """A cancellation ends a layer once, also while it is closed."""
    waits = asyncio.Event()

    async def wait(_=None) -> None:
        waits.set()
        await asyncio.Event().wait()

    async def work() -> None:
        async with context.child() as layer:
            if where == "block":
                await wait()
            layer.defer(wait)

    async with observed() as events:
        task = asyncio.create_task(work(), name="worker")
        await asyncio.wait_for(waits.wait(), TIMEOUT)
        task.cancel()
        await asyncio.wait([task])

    (error,) = ends(events)
    assert isinstance(error, asyncio.CancelledError)
    assert events[0].task == "worker"


async def test_an_end_that_is_dropped(observed, ends) -> None:
    """The end of a layer may be dropped half-way: that is its end."""

    async def wait(_) -> None:
        await asyncio.sleep(0)

    async with observed() as events:
        layer = spi.open_layer(context.current_context())
        layer.defer(wait)
        closing = layer.close()
        closing.send(None)
        closing.close()
        await layer.close()

    assert [type(error) for error in ends(events)] == [GeneratorExit]


async def test_an_end_that_goes_wrong() -> None:
    """A layer has ended for its listeners, whatever its end fails of."""
    events = []

    async def listening() -> None:
        plugin.listen(events.append, LayerOpened, LayerClosed)

    async with plugin.Stage(listening):
        layer = spi.open_layer(context.current_context())
        layer.defer(("no", "generator"))
        with pytest.raises(ValueError, match="unpack") as info:
            await layer.close()

    assert events[1].error is info.value
    assert len(events) == 2


async def test_a_generator_that_is_dropped(observed, ends) -> None:
    """The block of a generator that is collected is told."""

    def generate():
        with context.child():
            yield

    async with observed() as events:
        generator = generate()
        next(generator)
        del generator
        gc.collect()

    assert [type(error) for error in ends(events)] == [GeneratorExit]


async def test_ended_within_its_block(observed, ends) -> None:
    """A layer that is ended before its block is over is told once."""
    async with observed() as events:
        async with context.child() as layer:
            await layer.end()
            assert len(events) == 2
        with context.child() as layer:
            layer.end_sync(None)

    assert ends(events) == [None, None]


async def test_what_does_not_open(observed) -> None:
    """A layer that cannot be opened is not told."""
    async with observed() as events:
        with context.child() as ended:
            pass
        del events[:]
        with pytest.raises(RuntimeError, match="opens once"), ended:
            pytest.fail("it opened")
        with pytest.raises(context.LayerEndedError):
            spi.open_layer(ended)
        with pytest.raises(RuntimeError, match="async with"):
            context.child(timeout=1).__enter__()
        token = context.buvar_context.set(ended)
        with pytest.raises(context.LayerEndedError), context.child():
            pytest.fail("it opened")
        with pytest.raises(context.LayerEndedError):
            async with context.child():
                pytest.fail("it opened")
        context.buvar_context.reset(token)

    assert events == []


async def test_a_layer_that_outlives_its_stage(observed, ends) -> None:
    """A layer is told to have ended, if late."""
    async with observed() as events:
        child = context.child()
        child.__enter__()
    assert len(events) == 1

    child.__exit__(None, None, None)

    assert ends(events) == [None]


async def test_in_a_thread() -> None:
    """Layers of threads are told there."""
    threads = []

    async def listening() -> None:
        plugin.listen(lambda _: threads.append(threading.get_ident()))
        plugin.listen(
            lambda _: threads.append(threading.get_ident()), LayerClosed
        )

    def work() -> int:
        with context.child():
            return threading.get_ident()

    async with plugin.Stage(listening):
        del threads[:]
        there = await asyncio.to_thread(work)
        assert threads == [there]
