"""What is to be done at the end is done: latest first, each once."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import context
from buvar import plugin
from buvar.components import spi


class FailError(Exception): ...


KINDS = ["function", "coroutine function", "awaitable", "manager", "closer"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.booleans()), max_size=12))
def test_each_runs_once_latest_first(steps):  # noqa: C901 - one of a kind
    """Whatever fails: each ran once, in reverse, all failures are raised."""
    calls, failures = [], []

    def sync(number, fails):
        calls.append(number)
        if fails:
            failures.append(FailError(number))
            raise failures[-1]

    async def wait(number, fails):
        await asyncio.sleep(0)
        sync(number, fails)

    @contextlib.asynccontextmanager
    async def manager(number, fails):
        yield
        sync(number, fails)

    async def register(teardown, kind, number, fails):
        layer = context.current_context()
        if kind == "function":
            teardown.add(sync, number, fails=fails)
        elif kind == "coroutine function":
            teardown.add(wait, number, fails)
        elif kind == "awaitable":
            teardown.add(wait(number, fails))
        elif kind == "manager":
            await teardown.enter(manager(number, fails))
        else:
            spi.lifetime_of(layer).defer(lambda _: sync(number, fails))

    async def prepare(teardown: plugin.Teardown):
        for number, (kind, fails) in enumerate(steps):
            await register(teardown, kind, number, fails)

    caught = ()
    try:
        plugin.stage(prepare)
    except ExceptionGroup as group:
        caught = group.exceptions
    assert calls == list(reversed(range(len(steps))))
    assert list(caught) == failures


@pytest.mark.parametrize("fails", [True, False])
def test_context_managers(fails):
    """What is entered is left with the exception that ended the stage."""
    seen = []

    class Manager:
        def __enter__(self):
            return "entered"

        def __exit__(self, kind, error, traceback):
            seen.append((kind, error, traceback))

    class AsyncManager:
        async def __aenter__(self):
            return "entered"

        async def __aexit__(self, *info):
            seen.append(info)

    async def prepare(teardown: plugin.Teardown):
        assert await teardown.enter(Manager()) == "entered"
        assert await teardown.enter(AsyncManager()) == "entered"
        if fails:
            raise FailError

    with pytest.raises(ExceptionGroup) if fails else contextlib.nullcontext():
        plugin.stage(prepare)
    kind = FailError if fails else None
    assert [info[0] for info in seen] == [kind, kind]
    assert seen[0][1:] == seen[1][1:]


def test_several_failures_reach_context_managers_as_a_group():
    """What is left gets all that ended the stage."""
    seen = []

    async def fail():
        raise FailError

    async def prepare(teardown: plugin.Teardown):
        teardown.add(fail)

        @contextlib.contextmanager
        def manager():
            try:
                yield
            except ExceptionGroup as group:
                seen.append(len(group.exceptions))
                raise

        await teardown.enter(manager())
        yield fail()
        yield fail()

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(prepare)
    assert seen == [2]
    assert len(info.value.exceptions) == 3


@pytest.mark.parametrize("bad", [None, 1, "text"])
def test_what_cannot_be_done(bad):
    """What can be neither awaited, called nor entered is refused."""

    async def prepare(teardown: plugin.Teardown):
        with pytest.raises(TypeError, match="neither awaited nor called"):
            teardown.add(bad)
        with pytest.raises(TypeError, match=r"teardown\.add"):
            await teardown.enter(bad)

    plugin.stage(prepare)


def test_awaitables_take_no_arguments():
    """Arguments for something that is awaited are a mistake."""

    async def prepare(teardown: plugin.Teardown):
        with pytest.raises(TypeError, match="no arguments"):
            teardown.add(asyncio.sleep(0), 1)

    plugin.stage(prepare)


async def test_teardown_after_the_end():
    """Nothing can be torn down once the stage has ended, nothing warns."""
    async with plugin.Stage() as stage:
        pass
    with pytest.raises(context.LayerEndedError):
        stage.teardown.add(asyncio.sleep(0))
    with pytest.raises(context.LayerEndedError):
        stage.teardown.add(print)


def test_callbacks_may_add_callbacks():
    """What is added during teardown is done as well."""
    calls = []

    async def prepare(teardown: plugin.Teardown):
        teardown.add(lambda: teardown.add(calls.append, 1))

    plugin.stage(prepare)
    assert calls == [1]


def test_callbacks_see_the_components():
    """Teardown runs with the layer of the plugins."""

    async def prepare(teardown: plugin.Teardown):
        context.add("x")
        teardown.add(lambda: seen.append(context.get(str)))

    seen = []
    plugin.stage(prepare)
    assert seen == ["x"]
