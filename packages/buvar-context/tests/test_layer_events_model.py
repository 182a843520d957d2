"""In every interleaving each layer that opened is told to end, once."""

from __future__ import annotations

import asyncio
import contextlib
import threading

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import context
from buvar import plugin
from buvar.components import spi
from buvar.plugin import LayerClosed
from buvar.plugin import LayerOpened


TIMEOUT = 30.0  # seconds, a bound and no expectation


async def fail(_) -> None:
    await asyncio.sleep(0)
    raise OSError


async def wait(_) -> None:
    await asyncio.sleep(0)


def fail_sync(_) -> None:
    raise OSError


CLOSERS = [fail, wait, fail_sync, lambda _: None]

kinds = st.sampled_from(["with", "async with", "timeout", "open_layer"])
endings = st.sampled_from(["end", "close", "end_sync", "end_at_once"])
errors = st.sampled_from([None, ValueError(), asyncio.CancelledError()])
closers = st.lists(st.sampled_from(CLOSERS), max_size=2)
operations = st.lists(
    st.tuples(kinds, closers, errors, endings, st.integers(0, 3)),
    max_size=8,
)


async def opened(kind, given_closers):
    """Open a layer, return it and how it is ended."""
    child = context.child(timeout=60 if kind == "timeout" else None)
    if kind == "with":
        layer = child.__enter__()
    elif kind == "open_layer":
        layer = spi.open_layer(context.current_context())
    else:
        layer = await child.__aenter__()
    for closer in given_closers:
        layer.defer(closer)
    return layer


async def ended(kind, layer, error, ending) -> None:
    """End a layer as its kind is."""
    facts = (None if error is None else type(error), error, None)
    if kind == "with":
        layer.__exit__(*facts)
    elif kind != "open_layer":
        await layer.__aexit__(*facts)
    elif ending == "end_at_once":
        if not layer.end_at_once():
            await layer.end(error)
    elif ending == "end_sync":
        layer.end_sync(error)
    else:
        await getattr(layer, ending)(error)


@settings(max_examples=60, deadline=None)
@given(operations)
def test_layers_that_end_in_any_order(observed, ends, drawn):
    """Layers of each kind, also when they end below others that are open."""

    async def main() -> None:
        open_ones, expected = [], 0
        async with observed() as events:
            for kind, given_closers, error, ending, which in drawn:
                with contextlib.suppress(context.LayerEndedError):
                    layer = await opened(kind, given_closers)
                    open_ones.append((kind, layer, error, ending))
                    expected += 1
                if which < len(open_ones):
                    with contextlib.suppress(BaseException):
                        await ended(*open_ones.pop(which))
            while open_ones:
                with contextlib.suppress(BaseException):
                    await ended(*open_ones.pop())
        assert len(ends(events)) == expected

    asyncio.run(main())


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 6), closers),
        min_size=1,
        max_size=5,
    )
)
def test_tasks_that_are_cancelled_at_any_step(observed, ends, drawn):
    """Layers of tasks that are cancelled while they open, run, or close."""

    async def work(depth, given_closers) -> None:
        if not depth:
            await asyncio.sleep(0)
            return
        async with context.child() as layer:
            for closer in given_closers:
                layer.defer(closer)
            await asyncio.sleep(0)
            await work(depth - 1, given_closers)

    async def cancelled(depth, steps, given_closers) -> None:
        task = asyncio.create_task(work(depth, given_closers))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    async def main() -> None:
        async with observed() as events:
            await asyncio.gather(*(cancelled(*each) for each in drawn))
        ends(events)

    asyncio.run(main())


def test_threads_that_open_at_the_same_time():
    """Two stages in two threads, each with threads of its own."""
    found: list[list] = []
    start = threading.Barrier(2)

    def work() -> None:
        for _ in range(200):
            with context.child(), context.child():
                pass

    async def main() -> None:
        events: list = []

        async def listening() -> None:
            plugin.listen(events.append, LayerOpened, LayerClosed)

        async with plugin.Stage(listening) as stage:
            await asyncio.to_thread(start.wait, TIMEOUT)
            await asyncio.gather(*(asyncio.to_thread(work) for _ in range(3)))
            assert {
                id(spi.stage_of(e.layer))
                for e in events
                if isinstance(e, LayerOpened)
            } == {id(stage.layer)}
        found.append(events)

    threads = [
        threading.Thread(target=lambda: asyncio.run(main())) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)

    for events in found:
        opened_ones = [id(e) for e in events if isinstance(e, LayerOpened)]
        closed_ones = [
            id(e.opened) for e in events if isinstance(e, LayerClosed)
        ]
        assert len(opened_ones) == 1200
        assert sorted(opened_ones) == sorted(closed_ones)
    assert len(found) == 2
