"""A check prepares plugins, looks at them, and starts nothing."""

from __future__ import annotations

import pytest

from buvar import context
from buvar import plugin


def test_nothing_is_started():
    """Plugins are prepared and torn down, no task runs."""
    calls = []

    async def task():
        calls.append("task")

    async def prepare(teardown: plugin.Teardown):
        calls.append(plugin.checking())
        context.add("prepared")
        plugin.add_check(lambda: calls.append(context.get(str)))
        teardown.add(calls.append, "down")
        yield task()

    plugin.check(prepare, look=lambda: calls.append("look"))
    assert calls == [True, "prepared", "look", "down"]


def test_what_is_looked_at_may_be_wrong():
    """What a look raises is raised after the teardown, by itself."""
    calls = []

    async def prepare(teardown: plugin.Teardown):
        teardown.add(calls.append, "down")

    def look():
        raise ValueError("wrong")

    with pytest.raises(ExceptionGroup) as info:
        plugin.check(prepare, look=look)
    (error,) = info.value.exceptions
    assert not hasattr(error, "__notes__")
    assert calls == ["down"]


def test_all_that_is_wrong_is_raised():
    """A function that fails keeps no other one from looking."""
    calls = []

    def wrong(name):
        calls.append(name)
        raise ValueError(name)

    async def prepare(teardown: plugin.Teardown):
        teardown.add(calls.append, "down")
        plugin.add_check(lambda: wrong("first"))
        plugin.add_check(lambda: wrong("second"))

    with pytest.raises(ExceptionGroup) as info:
        plugin.check(prepare, look=lambda: wrong("look"))
    assert [str(error) for error in info.value.exceptions] == calls[:-1]
    assert calls == ["first", "second", "look", "down"]


def test_a_run_is_no_check():
    """While a stage runs, or none does, nothing is only checked."""
    seen = []

    async def prepare():
        plugin.add_check(lambda: seen.append("checked"))
        seen.append(plugin.checking())

    plugin.stage(prepare)
    assert seen == [False]
    plugin.add_check(lambda: seen.append("nowhere"))
    assert not plugin.checking()


async def test_tasks_start_with_the_outermost_plugin():
    """Plugins that are loaded late run once all of them are prepared."""
    import asyncio

    seen = []

    async def task():
        seen.append("task")

    async def inner():
        yield task()

    async def outer(load: plugin.Loader):
        await load(inner)
        await asyncio.sleep(0.01)
        seen.append("prepared")

    async def fails(load: plugin.Loader):
        await load(inner)
        await asyncio.sleep(0.01)
        raise KeyError

    async with plugin.Stage() as stage:
        await stage.loader(outer)
        await asyncio.sleep(0.01)
    assert seen == ["prepared", "task"]

    seen.clear()
    async with plugin.Stage() as stage:
        with pytest.raises(KeyError):
            await stage.loader(fails)
        await asyncio.sleep(0.01)
        assert seen == []
        await stage.loader(inner)
        await asyncio.sleep(0.01)
    assert seen == ["task"]
