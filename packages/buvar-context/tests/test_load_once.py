"""Each plugin is prepared once, and what fails says where."""

from __future__ import annotations

import asyncio

import pytest

from buvar import context
from buvar import plugin


def test_each_once():
    """A plugin that is loaded again is not prepared again."""
    calls = []

    async def third():
        calls.append(3)

    async def first(load: plugin.Loader):
        await load(third, third)
        calls.append(1)

    async def second(load: plugin.Loader):
        await load(third, first)
        calls.append(2)

    plugin.stage(first, second, first)
    assert calls == [3, 1, 2]


def test_concurrent_loads_share_a_plugin():
    """Two that load a third at once both see what it prepared."""
    calls = []

    async def third():
        await asyncio.sleep(0)
        calls.append(3)
        context.add("third")

    async def loads(load, number):
        await load(third)
        context.add(number, name=number)
        assert context.get(str) == "third"

    async def first(load: plugin.Loader):
        await loads(load, 1)

    async def second(load: plugin.Loader):
        await loads(load, 2)

    async def both(load: plugin.Loader):
        await asyncio.gather(load(first), load(second))
        assert context.find(int) == {1: 1, 2: 2}

    plugin.stage(both)
    assert calls == [3]


def test_circular_loads_return():
    """A plugin that waits for the caller is not waited for."""
    calls = []

    async def first(load: plugin.Loader):
        await load(second)
        calls.append(1)

    async def second(load: plugin.Loader):
        await load(third, second)
        calls.append(2)

    async def third(load: plugin.Loader):
        await load(first)
        calls.append(3)

    plugin.stage(first)
    assert calls == [3, 2, 1]


def test_circular_loads_of_concurrent_plugins_return():
    """Two that are prepared at once may load each other."""
    calls = []

    async def first(load: plugin.Loader):
        await asyncio.sleep(0)
        await load(second)
        calls.append(1)

    async def second(load: plugin.Loader):
        await asyncio.sleep(0)
        await load(first)
        calls.append(2)

    async def both(load: plugin.Loader):
        await asyncio.gather(load(first), load(second))

    plugin.stage(both)
    assert sorted(calls) == [1, 2]


def test_the_chain_is_named():
    """A failure names the plugins that led there, once."""

    async def third():
        raise KeyError

    async def second(load: plugin.Loader):
        await load(third)

    async def first(load: plugin.Loader):
        await load(second)

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(first)
    (error,) = info.value.exceptions
    (note,) = error.__notes__
    names = [part.rpartition(".")[2] for part in note.split("'")[1::2]]
    assert names == ["third", "second", "first"]


def test_a_failed_plugin_fails_again():
    """Loading a plugin that failed fails the same way."""
    errors = []

    async def bad():
        yield asyncio.sleep(0)
        raise KeyError

    async def prepare(load: plugin.Loader):
        for _ in range(2):
            try:
                await load(bad)
            except KeyError as error:
                errors.append(error)

    assert plugin.stage(prepare) == []
    assert errors[0] is errors[1]


def test_a_plugin_whose_loading_was_cancelled():
    """Who waited for a plugin that was cancelled hears so."""

    async def slow():
        await asyncio.Future()

    async def prepare(load: plugin.Loader):
        first = asyncio.create_task(load(slow))
        second = asyncio.create_task(load(slow))
        await asyncio.sleep(0)
        first.cancel()
        await second

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(prepare)
    assert "was cancelled" in str(info.value.exceptions[0])


def test_loading_while_tasks_run():
    """A running task may load plugins, their tasks start at once."""

    async def value():
        return "late"

    async def late():
        yield value()

    async def task():
        await context.get(plugin.Loader)(late)
        return "task"

    async def prepare():
        yield task()

    assert plugin.stage(prepare) == ["task", "late"]


def test_nothing_is_loaded_while_stopping():
    """A stage that ends takes no more plugins."""

    async def late():
        return

    async def prepare(load: plugin.Loader, teardown: plugin.Teardown):
        async def down():
            await load(late)

        teardown.add(down)

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(prepare)
    assert isinstance(info.value.exceptions[0], plugin.StateError)


def test_the_report():
    """The stage tells who loaded what, how long, and what it added."""

    async def task():
        return

    async def inner():
        context.add(1)
        context.add("x", "key", name="name")
        yield task()

    async def main():
        async with plugin.Stage(inner) as stage:
            assert stage.state is plugin.State.RUNNING
        return stage.report()

    (report,) = asyncio.run(main())
    assert report.plugin.endswith("<locals>.inner")
    assert report.loaded_by == ()
    assert report.seconds >= 0
    assert report.components == ((int, None), ("key", "name"))
    assert [name.rpartition(".")[2] for name in report.tasks] == ["task"]
    assert report.error is None


def test_a_task_that_preparing_started_may_load():
    """What a plugin leaves running loads on its own behalf."""
    calls = []

    async def late():
        calls.append("late")

    async def prepare(load: plugin.Loader):
        async def work():
            await asyncio.sleep(0.01)
            await load(late)

        yield asyncio.create_task(work())

    plugin.stage(prepare)
    assert calls == ["late"]


def test_plugins_that_compare_by_their_fields():
    """A callable without a hash is a plugin as well."""

    class Plugin:
        def __eq__(self, other):
            return isinstance(other, Plugin)

        __hash__ = None

        async def __call__(self):
            return asyncio.sleep(0, "x")

    assert plugin.stage(Plugin(), Plugin()) == ["x", "x"]


def test_frozen_exceptions():
    """An exception that takes no notes is raised as it is."""

    class FrozenError(Exception):
        def add_note(self, note):
            raise AttributeError

    async def crash():
        raise FrozenError

    async def prepare(teardown: plugin.Teardown):
        teardown.add(crash())
        yield crash()

    async def fails():
        raise FrozenError

    for plugins, number in ((prepare,), 2), ((fails,), 1):
        with pytest.raises(ExceptionGroup) as info:
            plugin.stage(*plugins)
        assert len(info.value.exceptions) == number
