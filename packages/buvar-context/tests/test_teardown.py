"""What is to be done at the end is done: latest first, each once."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from buvar import context
from buvar import plugin


class FailError(Exception): ...


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
        with pytest.raises(TypeError) as info:
            teardown.add(bad)
        assert str(info.value) == (
            f"{bad!r} can be neither awaited nor called. "
            "Add a coroutine or a function."
        )
        with pytest.raises(TypeError) as info:
            await teardown.enter(bad)
        assert str(info.value) == (
            f"{bad!r} is not a context manager. "
            "Use teardown.add() for functions."
        )

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
