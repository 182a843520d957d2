"""A layer opened for a block ends with it."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from buvar import context


def closer(calls, name, error=None):
    async def close(ended):
        calls.append((name, ended))
        if error is not None:
            raise error

    return close


def test_ends_with_the_block():
    """What was added in the block is gone after it."""
    before = context.current_context()
    with context.child() as layer:
        assert context.current_context() is layer
        context.add("x", "key")
        context.push()
    assert context.current_context() is before
    assert context.get("key", default=None) is None


def test_starts_with_what_is_given():
    """A layer may start with components, over another stack."""
    with context.child({str: {None: "a"}}, {int: {None: 1}}):
        assert (context.get(str), context.get(int)) == ("a", 1)


def test_is_a_scope():
    """Things that live as long as a layer live in the block's."""
    with context.child() as layer:
        assert layer._scope is None
        assert context.push()._scope is layer
        assert context.push()._stage is layer._stage


async def test_closers_run_latest_first():
    """Closers run in reverse, each with what ended the block."""
    calls = []

    async def work():
        async with context.child() as layer:
            layer.defer(closer(calls, 1))
            layer.defer(closer(calls, 2))
            raise KeyError

    with pytest.raises(KeyError) as info:
        await work()
    assert calls == [(2, info.value), (1, info.value)]


async def test_all_closers_run():
    """Each closer runs though others fail, failures are grouped."""
    calls = []
    first, second = ValueError(1), ValueError(2)

    async def work():
        async with context.child() as layer:
            layer.defer(closer(calls, 1, first))
            layer.defer(closer(calls, 2))
            layer.defer(closer(calls, 3, second))

    with pytest.raises(ExceptionGroup) as info:
        await work()
    assert [name for name, _ in calls] == [3, 2, 1]
    assert info.value.exceptions == (second, first)


async def test_a_closer_may_let_the_exception_through():
    """A closer that raises what ended the block did not fail."""
    error = KeyError()

    async def work():
        async with context.child() as layer:
            layer.defer(closer([], 1, error))
            raise error

    with pytest.raises(KeyError):
        await work()


async def test_cancelled_while_closing():
    """A task cancelled while closing is cancelled once all is closed."""
    calls = []
    started = asyncio.Event()

    async def slow(_):
        started.set()
        await asyncio.Future()

    async def work():
        async with context.child() as layer:
            layer.defer(closer(calls, 1, ValueError()))
            layer.defer(slow)

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as info:
        await task
    assert calls == [(1, None)]
    assert isinstance(info.value.__cause__, ExceptionGroup)


def test_sync_closers():
    """A plain block runs closers that need not be awaited."""
    calls = []
    with context.child() as layer:
        layer.defer(calls.append)
    assert calls == [None]


def test_plain_block_cannot_await():
    """A closer to be awaited is named, others run, nothing warns."""
    calls = []

    def work():
        with context.child() as layer:
            layer.defer(calls.append)
            layer.defer(closer(calls, 1))

    with pytest.raises(ExceptionGroup) as info:
        work()
    assert calls == [None]
    (error,) = info.value.exceptions
    assert isinstance(error, context.AsyncCloserError)
    assert "async with" in str(error)
    assert "closer" in str(error)


async def test_plain_block_cannot_await_futures():
    """A future is no reason for another error."""
    with pytest.raises(ExceptionGroup), context.child() as layer:
        layer.defer(lambda _: asyncio.Future())


@pytest.mark.parametrize("own", [True, False])
def test_nothing_ends_with_an_ended_layer(own):
    """Whoever comes late hears that the layer has ended."""
    with context.child() as layer:
        if own:
            layer.defer(lambda _: None)
    with pytest.raises(context.LayerEndedError, match="outlives"):
        layer.defer(print)


def test_opens_once():
    """One object opens one layer."""
    opened = context.child()
    with opened:
        pass
    with pytest.raises(RuntimeError, match="each block"), opened:
        pass


def test_ended_in_another_context():
    """A block left in another context leaves that one alone."""
    opened = context.child()
    contextvars.copy_context().run(opened.__enter__)
    before = context.current_context()
    opened.__exit__(None, None, None)
    assert context.current_context() is before


async def test_ended_in_another_context_async():
    """So does a block that awaits its end."""
    opened = context.child()

    async def open_elsewhere():
        await opened.__aenter__()
        context.add("x")

    await asyncio.create_task(open_elsewhere())
    before = context.current_context()
    await opened.__aexit__(None, None, None)
    assert context.current_context() is before
    assert context.get(str, default=None) is None


def test_functions_of_the_context():
    """The functions work on the current stack."""
    with context.child() as layer:
        assert context.add("x") == "x"
        context.add("y", name="name")
        assert context.get(str, name="name") == "y"
        assert context.find(str) == {None: "x", "name": "y"}
        with pytest.raises(LookupError):
            context.get("nothing")
        upper = context.push({int: {None: 1}})
        assert upper._below is layer
        assert context.get(int) == 1
        assert context.get(int, default=2) == 1
        assert context.pop() is layer


def test_run_keeps_to_itself():
    """A function that runs in a copy changes nothing outside."""
    with context.child():
        context.add("x")

        def work(number, *, text):
            context.add(number)
            context.push()
            return context.get(str), context.get(int), text

        assert context.run(work, 1, text="t") == ("x", 1, "t")
        assert context.get(int, default=None) is None
