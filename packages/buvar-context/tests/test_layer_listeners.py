"""Layers are told to those who ask for it, and to nobody else."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from buvar import context
from buvar import plugin
from buvar.components import spi
from buvar.context import _child
from buvar.plugin import LayerClosed
from buvar.plugin import LayerOpened


TIMEOUT = 30.0  # seconds, a bound and no expectation


def plain() -> bool:
    """Tell whether layers are made as if there were no events."""
    return (
        _child._new is _child.Child
        and _child._new_timed is _child.TimedChild
        and spi._new is spi.Lifetime
    )


async def test_nothing_differs_without_listeners(observed) -> None:
    """Only as long as somebody asks for layers they are made otherwise."""
    assert plain()
    async with plugin.Stage(listeners=[print]):
        assert plain()
        async with observed():
            assert not plain()
            assert type(context.child()) is not _child.Child
        assert plain()
        assert type(context.child()) is _child.Child


async def test_layers_have_to_be_asked_for(observed) -> None:
    """Without asking for layers, only all else is told."""
    events = []
    async with plugin.Stage(listeners=[events.append]), observed():
        with context.child():
            pass
        plugin.listen(events.append)

    assert events
    assert not any(isinstance(e, LayerOpened | LayerClosed) for e in events)


async def test_asking_for_one_kind() -> None:
    """A listener is called with the events that it asks for only."""
    opened, closed, ended = [], [], []

    async def task() -> None: ...

    async def listening():
        plugin.listen(opened.append, LayerOpened)
        plugin.listen(closed.append, LayerClosed)
        plugin.listen(ended.append, plugin.TaskEnded)
        yield task()

    async with plugin.Stage(listening) as stage:
        with context.child():
            plugin.listen(closed.append, LayerClosed)
        await stage.wait()

    # Who has not heard that it was opened does not hear of its end.
    assert [type(e) for e in opened + closed] == [LayerOpened, LayerClosed]
    assert [type(e) for e in ended] == [plugin.TaskEnded]


@pytest.mark.parametrize("bad", ["LayerOpened", object, [], plugin.Event])
async def test_asking_for_something_else(bad) -> None:
    """What is no event cannot be asked for."""
    async with plugin.Stage():
        with pytest.raises(plugin.StageOptionError, match="class of an event"):
            plugin.listen(print, LayerOpened, bad)
        assert plain()


async def test_two_stages_in_two_threads(observed, ends) -> None:
    """Each stage is told of its own layers, and goes on when one ends."""
    found: dict[str, list] = {}
    both = threading.Barrier(2)
    first_ended = threading.Event()

    async def main(name: str) -> None:
        async with observed() as events:
            await asyncio.to_thread(both.wait, TIMEOUT)
            with context.child({str: {None: name}}):
                await asyncio.sleep(0)
            if name == "second":
                assert await asyncio.to_thread(first_ended.wait, TIMEOUT)
                assert not plain()
                with context.child({str: {None: name}}):
                    pass
        first_ended.set()
        found[name] = [
            e.layer._items[str] for e in events if isinstance(e, LayerOpened)
        ]
        assert len(ends(events)) == len(found[name])

    threads = [
        threading.Thread(target=lambda n=name: asyncio.run(main(n)))
        for name in ("first", "second")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)

    assert found == {"first": ["first"], "second": ["second"] * 2}
    assert plain()


async def test_a_stage_within_a_stage(observed) -> None:
    """The layers above an inner stage are those of that one."""
    async with observed() as outer:
        async with observed() as inner:
            with context.child():
                pass
        assert (len(outer), len(inner)) == (0, 2)
        with context.child():
            pass
    assert (len(outer), len(inner)) == (2, 2)


async def test_without_a_stage(observed) -> None:
    """Layers that belong to no stage are told to nobody."""
    base = context.current_context()
    async with observed() as events:
        token = context.buvar_context.set(base)
        with context.child():
            pass
        context.buvar_context.reset(token)
    assert events == []


@pytest.mark.parametrize("kind", [LayerOpened, LayerClosed])
async def test_a_listener_that_fails(kind, caplog, ends) -> None:
    """It is logged once and not called again; the block goes on."""
    calls, events = [], []

    def broken(event) -> None:
        calls.append(event)
        raise ValueError

    async def listening() -> None:
        plugin.listen(broken, kind)
        plugin.listen(broken, kind)

    async with plugin.Stage(listening):
        with context.child() as layer:
            layer.add("added")
        assert plain()
        plugin.listen(events.append, LayerOpened, LayerClosed)
        async with context.child():
            pass

    assert len(calls) == 1
    assert ends(events) == [None]
    (record,) = (r for r in caplog.records if r.levelno == logging.ERROR)
    assert record.event_type == kind.__name__


async def test_the_others_of_a_listener_that_fails(caplog, ends) -> None:
    """Another listener is told all, whether it comes before or after."""
    before, after = [], []

    async def listening() -> None:
        plugin.listen(before.append, LayerOpened, LayerClosed)
        plugin.listen(lambda _: 1 / 0, LayerOpened, LayerClosed)
        plugin.listen(after.append, LayerOpened, LayerClosed)

    async with plugin.Stage(listening):
        for _ in range(2):
            with context.child():
                pass

    assert ends(before) == ends(after) == [None, None]
    assert len(caplog.records) == 1


async def open_and_end(kind) -> None:
    if kind == "sync":
        with context.child():
            pass
    elif kind == "async":
        async with context.child():
            pass
    else:
        spi.open_layer(context.current_context()).end_at_once()


@pytest.mark.parametrize("kind", [LayerOpened, LayerClosed])
@pytest.mark.parametrize("of", ["sync", "async", "framework"])
async def test_an_interrupt_within_a_listener(kind, of) -> None:
    """It comes out; all hear of the layer, whose end is no other."""
    events = []

    def interrupted(event) -> None:
        events.append(event)
        raise KeyboardInterrupt

    async def listening() -> None:
        plugin.listen(interrupted, kind)
        plugin.listen(events.append, LayerOpened, LayerClosed)

    async with plugin.Stage(listening):
        base = context.current_context()
        with pytest.raises(KeyboardInterrupt):
            await open_and_end(of)
        assert context.current_context() is base

    twice = [e for e in events if isinstance(e, kind)]
    assert len(twice) == 2
    assert twice[0] is twice[1]
    assert len(events) == 3


async def test_what_a_listener_opens(ends) -> None:
    """Layers that a listener opens are not told: that had no end."""
    events = []

    def opening(event) -> None:
        events.append(event)
        if isinstance(event, LayerClosed):
            # What was opened before is told to have ended.
            other.end_at_once()
        with context.child():
            pass

    async def listening() -> None:
        plugin.listen(opening, LayerOpened, LayerClosed)

    async with plugin.Stage(listening):
        other = spi.open_layer(context.current_context())
        with context.child():
            pass

    assert ends(events) == [None, None]


async def test_jobs_and_work(ends) -> None:
    """Each job, and each call that is repeated, has a layer that is told."""
    events = []

    async def job() -> None: ...

    async def listening(load: plugin.Loader):
        plugin.listen(events.append, LayerOpened, LayerClosed)
        await load("buvar.plugin.jobs")
        yield plugin.supervised(job)
        context.get(plugin.Jobs).add(job(), name="the job")

    await plugin.Stage(listening).run()

    assert ends(events) == [None, None]
    tasks = [e.task for e in events if isinstance(e, LayerOpened)]
    assert "the job" in tasks
