"""Frameworks end layers: what they defer, what they hear, what is raised."""

from __future__ import annotations

import asyncio
import contextvars
import logging

import pytest

from buvar import context
from buvar.components import Components
from buvar.components import spi


class TwiceError(Exception): ...


class A: ...


class B: ...


class C: ...


@pytest.fixture
def layer() -> spi.Lifetime:
    return spi.open_layer(Components().push())


def keep(layer, *kinds) -> None:
    """Keep objects as injection does."""
    for kind in kinds:
        layer._kept[kind] = kind()
    spi.changed(layer)


def kept(layer) -> list[str]:
    """Return what the layer still hands out."""
    return [kind.__name__ for kind in (A, B, C) if layer.get(kind, default=0)]


async def deferred(layer, behind=lambda: None, *, more=False):
    """Have an asynchronous generator end with a layer."""

    async def generate():
        yield
        behind()
        if more:
            yield

    generator = generate()
    await anext(generator)
    layer.defer((generator, TwiceError, spi.running_task()))
    return generator


# --- one generator alone: the usual case, which is spelled out --------------


async def test_one_generator(layer):
    """It goes on once, and nothing failed."""
    calls = []
    await deferred(layer, lambda: calls.append("closed"))
    assert await layer.close() == []
    assert calls == ["closed"]


async def test_one_generator_that_fails(layer):
    """What it raises is returned."""
    await deferred(layer, lambda: 1 / 0)
    (failure,) = await layer.close()
    assert isinstance(failure, ZeroDivisionError)


async def test_one_generator_that_yields_again(layer):
    """It is closed, and that is a failure."""
    generator = await deferred(layer, more=True)
    (failure,) = await layer.close()
    assert isinstance(failure, TwiceError)
    assert generator.ag_frame is None


async def test_what_is_deferred_while_the_only_generator_ends(layer):
    """It runs, sees nothing of what was kept, and all failures are there."""
    seen = []

    def fail(_):
        seen.extend(kept(layer))
        raise KeyError

    def behind():
        keep(layer, A)
        layer.defer(fail)
        raise OSError

    await deferred(layer, behind)
    failures = await layer.close()
    assert [type(failure) for failure in failures] == [OSError, KeyError]
    assert seen == []


async def test_what_is_deferred_by_a_generator_that_ends_well(layer):
    """What it defers has no failure of its own either."""
    calls = []
    await deferred(layer, lambda: layer.defer(calls.append))
    assert await layer.close() == []
    assert calls == [None]


def test_one_generator_that_is_ended_in_no_loop(layer):
    """It goes on in the context of the task that began it."""
    variable = contextvars.ContextVar("variable")
    seen = []

    async def begin():
        token = variable.set(1)
        await deferred(layer, lambda: seen.append(variable.reset(token)))

    async def main():
        await asyncio.create_task(begin())
        # The task must be there to ask it for its context.
        return layer._closers

    loop = asyncio.new_event_loop()
    held = loop.run_until_complete(main())
    with pytest.raises(StopIteration) as info:
        layer.close().send(None)
    loop.close()
    assert held is not None
    assert info.value.value == []
    assert seen == [None]


# --- several, in their order ------------------------------------------------


@pytest.mark.parametrize("waits", [True, False])
async def test_what_is_closed_is_forgotten(layer, waits):
    """Each closer sees what was kept before it, and what is not closed yet."""
    seen = []

    async def wait():
        seen.append(kept(layer))

    def closer(_):
        if waits:
            return wait()
        return seen.append(kept(layer))

    for kind in (A, B, C):
        layer.defer(closer)
        keep(layer, kind)
    failures = (await layer.close()) if waits else layer._close_sync(None)
    assert failures == []
    assert seen == [["A", "B", "C"], ["A", "B"], ["A"]]


@pytest.mark.parametrize("end", ["end", "end_sync"])
async def test_closers_hear_what_ended_the_layer(layer, end):
    """Each gets the error; to let it through is not a failure."""
    error, heard = KeyError(), []

    def let_through(given):
        heard.append(given)
        raise given

    layer.defer(let_through)
    layer.defer(let_through)
    ended = getattr(layer, end)(error)
    if ended is not None:
        await ended
    assert heard == [error, error]


@pytest.mark.parametrize("end", ["end", "end_sync"])
async def test_a_layer_ended_by_a_cancellation(layer, end, caplog):
    """The cancellation comes out, caused by what failed to close."""
    error = asyncio.CancelledError()
    layer.defer(lambda _: 1 / 0)
    with pytest.raises(asyncio.CancelledError) as info:  # noqa: PT012
        ended = getattr(layer, end)(error)
        if ended is not None:
            await ended
    assert info.value is error
    (failure,) = info.value.__cause__.exceptions
    assert isinstance(failure, ZeroDivisionError)
    assert len(caplog.records) == 1


def test_a_layer_that_ended_at_once(layer):
    """It hands nothing out any more, asked before or not."""
    assert layer.end_at_once()
    with pytest.raises(context.LayerEndedError):
        layer.get(str, default=None)


# --- what is raised ---------------------------------------------------------


def raised(failures, error=None, **options):
    """Return what is raised for some failures."""
    with pytest.raises(BaseException) as info:  # noqa: PT011 - any
        spi.raise_failures("closing failed", failures, error, **options)
    return info.value


def test_failures_are_raised_as_a_group(caplog):
    """In their order, with the message, and nothing is logged."""
    failures = [OSError(), KeyError()]
    group = raised(failures, ValueError())
    assert group.message == "closing failed"
    assert list(group.exceptions) == failures
    assert not caplog.records


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_to_end_the_process_wins(ending, caplog):
    """Over a cancellation, wherever it stands; nothing failed beside it."""
    cancelled, end = asyncio.CancelledError(), ending()
    assert raised([cancelled, end]) is end
    assert raised([end], cancelled) is end
    assert raised([cancelled], end) is end
    assert end.__cause__ is None
    assert not caplog.records


def test_the_first_to_ask_for_an_end_wins():
    """What ended the block came before what failed to close."""
    first, second = SystemExit(1), SystemExit(2)
    assert raised([second], first) is first
    assert raised([first, second]) is first


def test_what_failed_beside_an_end_is_its_cause(caplog):
    """The error of the block comes first, and all of it is logged."""
    error, failure, end = ValueError(), OSError(), asyncio.CancelledError()
    assert raised([failure, end], error) is end
    assert list(end.__cause__.exceptions) == [error, failure]
    (record,) = caplog.records
    assert record.getMessage() == (
        "Closing failed, while it was asked to end by CancelledError."
    )
    assert record.levelno == logging.ERROR
    assert record.exc_info[1] is end.__cause__


def test_what_the_caller_has_logged(caplog):
    """It is not logged twice, but is the cause nevertheless."""
    end = raised([OSError()], asyncio.CancelledError(), logged=True)
    assert isinstance(end.__cause__, ExceptionGroup)
    assert not caplog.records


async def cancelled_while(make):
    """Return what is raised in a task that is being cancelled."""
    found = []

    async def work():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as cancelled:
            found.append(raised(make(cancelled)))
            raise

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return found[0]


async def test_failures_of_a_task_that_is_cancelled():
    """One that took the place of the cancellation does not hide it."""

    def replaced(cancelled):
        failure = OSError()
        failure.__cause__ = KeyError()
        failure.__cause__.__context__ = cancelled
        return [ValueError(), failure]

    found = await cancelled_while(replaced)
    assert isinstance(found, asyncio.CancelledError)
    assert len(found.__cause__.exceptions) == 2


async def test_other_failures_of_a_task_that_is_cancelled():
    """What has nothing to do with the cancellation is raised as it is."""

    def circular(_):
        first, second = OSError(), KeyError()
        first.__context__, second.__context__ = second, first
        return [ValueError(), first]

    found = await cancelled_while(circular)
    assert isinstance(found, ExceptionGroup)


async def test_a_cancellation_that_was_over():
    """A task that nobody cancels is not taken for one that is."""
    failure = OSError()
    failure.__context__ = asyncio.CancelledError()
    assert isinstance(raised([failure]), ExceptionGroup)


async def test_failures_where_no_task_runs():
    """A callback of the loop can raise them, too."""
    found = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(
        lambda: found.set_result(raised([OSError()]))
    )
    assert isinstance(await found, ExceptionGroup)
