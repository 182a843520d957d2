"""Corners that users meet only by accident."""

from __future__ import annotations

import asyncio
import sys
import types
import typing as t

import pytest

from buvar import components
from buvar import context
from buvar import plugin
from buvar.components import _namespace


def test_the_namespace_check(monkeypatch):
    """A regular package of that name is refused, with the cure."""
    old = types.ModuleType("buvar")
    old.__file__ = "somewhere/buvar/__init__.py"
    monkeypatch.setitem(sys.modules, "buvar", old)
    with pytest.raises(ImportError, match="pip uninstall buvar") as info:
        _namespace.check_namespace()
    assert info.value.path == old.__file__


def test_a_stack_may_start_with_a_shared_layer():
    """Layers given to a new stack are shared, however often."""
    shared = components.Components()
    stacks = [components.Components(shared) for _ in range(3)]
    assert [stack.get(str, default=None) for stack in stacks] == [None] * 3
    shared.add("x")
    assert [stack.get(str) for stack in stacks] == ["x"] * 3


def test_cancel_outside_of_a_stage():
    """Cancel is an event, for tests of tasks as well."""
    cancel = plugin.Cancel()
    cancel.set()
    assert cancel.is_set()


def test_a_forward_reference():
    """An annotation may be wrapped text."""

    async def prepare(load):
        assert isinstance(load, plugin.Loader)

    prepare.__annotations__["load"] = t.ForwardRef("plugin.Loader")
    plugin.stage(prepare)


def test_diamonds_of_concurrent_loads():
    """Many ways that lead to one plugin are each looked at once."""

    async def slow():
        await asyncio.sleep(0.01)

    async def left(load: plugin.Loader):
        await load(slow)

    async def right(load: plugin.Loader):
        await load(slow)

    async def top(load: plugin.Loader):
        await asyncio.gather(load(left), load(right))

    async def other(load: plugin.Loader):
        await asyncio.sleep(0)
        await load(top)

    async def both(load: plugin.Loader):
        await asyncio.gather(load(top), load(other))

    plugin.stage(both)


async def test_what_others_add_belongs_to_no_plugin():
    """Components that no plugin added are in no report."""

    async def prepare():
        return

    async with plugin.Stage(prepare) as stage:
        context.add("x")
    assert stage.report()[0].components == ()


@pytest.mark.parametrize("given", ["coroutine", "future", "other"])
async def test_tasks_that_never_ran_are_given_up(given):
    """What was yielded by a plugin that failed is closed or cancelled."""

    class Other:
        def __await__(self):
            raise AssertionError

    future = asyncio.get_running_loop().create_future()
    kinds = {"coroutine": asyncio.sleep(0), "future": future}
    awaitable = kinds.pop(given, None) or Other()
    for unused in kinds.values():
        getattr(unused, "close", future.cancel)()

    async def prepare():
        yield awaitable
        raise KeyError

    with pytest.raises(ExceptionGroup):
        await plugin.Stage(prepare).run()
    assert given != "future" or future.cancelled()


async def test_a_future_that_ignores_cancellation():
    """What is no task can be abandoned as well."""

    class Stubborn(asyncio.Future):
        def cancel(self, msg=None):
            return False

    stubborn = Stubborn()

    async def prepare(cancel: plugin.Cancel):
        cancel.set()
        yield stubborn

    stage = plugin.Stage(prepare, cancel_timeout=0, abandon_timeout=0)
    with pytest.raises(ExceptionGroup, match="stage failed") as info:
        await stage.run()
    assert "no Python code" in str(info.value.exceptions[0])
    stubborn.set_result(None)
    await asyncio.sleep(0)


async def test_failures_beside_an_interrupted_callback():
    """A callback that failed is told from one that was interrupted."""

    async def hang(stage):
        stage.stop()
        stage.stop()
        await asyncio.Future()

    async def prepare(stage: plugin.Stage, teardown: plugin.Teardown):
        teardown.add(lambda: 1 / 0)
        teardown.add(hang, stage)

    with pytest.raises(ExceptionGroup) as info:
        await plugin.Stage(prepare).run()
    kinds = [type(error) for error in info.value.exceptions]
    assert kinds == [plugin.StateError, ZeroDivisionError]


async def test_stopped_and_cancelled_at_once():
    """A stage that is cancelled as well as stopped is cancelled."""

    async def prepare(stage: plugin.Stage):
        stage.stop()
        task.cancel()
        await asyncio.Future()

    task = asyncio.create_task(plugin.Stage(prepare).run())
    await asyncio.wait([task])
    assert task.cancelled()


async def test_stopped_as_the_last_callback_returns():
    """An interrupt that came too late has no effect."""

    def stop(stage):
        stage.stop()
        stage.stop()

    async def prepare(stage: plugin.Stage, teardown: plugin.Teardown):
        teardown.add(stop, stage)

    assert await plugin.Stage(prepare).run() == []
    await asyncio.sleep(0)


async def test_an_error_that_a_callback_lets_through():
    """A context manager that raises what it got did not fail."""
    seen = []

    class Manager:
        def __enter__(self):
            return self

        def __exit__(self, kind, error, traceback):
            seen.append(error)
            raise error

    async def prepare(teardown: plugin.Teardown):
        await teardown.enter(Manager())
        raise KeyError

    with pytest.raises(ExceptionGroup) as info:
        await plugin.Stage(prepare).run()
    assert list(info.value.exceptions) == seen
    assert not [n for n in seen[0].__notes__ if "teardown" in n]


async def test_interrupts_stop_in_order():
    """INT and TERM call ``stop()``, handlers of none are skipped."""
    stops = []

    class Signals(plugin.Signals):
        def handle_break(self): ...

    signals = Signals(lambda: stops.append(1))
    for handler in signals.handlers().values():
        handler()
    assert len(stops) == 2
    signals.restore()
