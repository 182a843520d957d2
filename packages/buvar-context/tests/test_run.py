"""A stage prepares plugins, runs their tasks, returns their results."""

from __future__ import annotations

import asyncio
import traceback

import pytest

from buvar import components
from buvar import context
from buvar import plugin


class Foo: ...


class CrashError(Exception): ...


async def value(number):
    return number


async def crash():
    raise CrashError


async def server():
    cancel = context.get(plugin.Cancel)
    await cancel.wait()
    return "served"


def test_results_in_the_order_of_yields(loop_factory):
    """Results come in the order in which tasks were yielded."""

    async def slow():
        await asyncio.sleep(0.01)
        return "slow"

    async def inner():
        return [value(2), value(3)]

    async def single():
        return value(5)

    async def prepare(load: plugin.Loader):
        yield slow()
        await load(inner)
        yield value(4)

    found = plugin.stage(prepare, single, loop_factory=loop_factory)
    assert found == ["slow", 2, 3, 4, 5]


def test_nothing_to_run():
    """A stage whose plugins gave no tasks ends at once."""

    async def prepare():
        context.add(Foo())

    assert plugin.stage(prepare) == []
    assert plugin.stage() == []


def test_the_stack_of_a_stage():
    """Import time, components passed, stage, plugins, task: in that order."""
    base = context.current_context()
    given = components.Components().push()
    given.add(Foo())
    stacks = []

    async def task():
        stacks.append(context.current_context().stack)
        return context.get(int)

    async def prepare(
        cancel: plugin.Cancel,
        teardown: plugin.Teardown,
        load: plugin.Loader,
        signals: plugin.Signals,
        foo: Foo,
    ):
        assert foo is given.get(Foo)
        context.add(1)
        stacks.append(context.current_context().stack)
        yield task()

    assert plugin.stage(prepare, components=given) == [1]
    (plugins, stage, upper, lower, *rest), (_, *below) = stacks
    assert below == [plugins, stage, upper, lower, *rest]
    assert rest == list(base.stack)
    assert (upper._items, lower._items) == (given._items, given._below._items)
    assert {plugin.Cancel, plugin.Loader, plugin.Teardown} <= set(stage._items)
    assert plugins._items[int] == 1
    assert plugins._scope is plugins._stage is None
    assert context.current_context() is base


def test_components_as_mapping():
    """Components may be given as a mapping."""

    async def prepare(text: str):
        return value(text)

    assert plugin.stage(prepare, components={str: {None: "x"}}) == ["x"]


def test_tasks_and_plugins_see_what_they_should():
    """Plugins share a layer, each task has its own."""

    async def task(number):
        context.add(number)
        await asyncio.sleep(0)
        return context.get(int), context.get(str)

    async def first():
        yield task(1)
        yield task(2)

    async def second():
        context.add("shared")

    assert plugin.stage(first, second) == [(1, "shared"), (2, "shared")]


def test_a_failing_task_stops_the_stage(loop_factory):
    """When a task fails the others are to end, the failure is raised."""

    async def prepare():
        yield server()
        yield crash()

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(prepare, loop_factory=loop_factory)
    (error,) = info.value.exceptions
    assert isinstance(error, CrashError)
    assert "test_a_failing_task" in "".join(error.__notes__)
    assert "in crash" in "".join(traceback.format_exception(error))


def test_failures_may_be_returned():
    """``return_exceptions`` puts failures among the results."""

    async def ignorant():
        await asyncio.Future()

    async def prepare(teardown: plugin.Teardown):
        teardown.add(crash())
        yield server()
        yield crash()
        yield ignorant()

    found = plugin.stage(prepare, return_exceptions=True, cancel_timeout=0.01)
    assert found[0] == "served"
    assert isinstance(found[1], CrashError)
    assert isinstance(found[2], asyncio.CancelledError)
    assert isinstance(found[3], CrashError)


def test_a_failing_prepare_may_be_returned():
    """What fails in preparing comes first."""

    async def prepare(teardown: plugin.Teardown):
        teardown.add(crash())
        yield value(1)
        raise ValueError

    first, last = plugin.stage(prepare, return_exceptions=True)
    assert isinstance(first, ValueError)
    assert isinstance(last, CrashError)


def test_all_steps_may_fail_at_once():
    """Failures of tasks and of teardown are raised together."""

    async def prepare(teardown: plugin.Teardown):
        teardown.add(crash())
        yield crash()
        yield crash()

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(prepare)
    assert len(info.value.exceptions) == 3
    notes = [error.__notes__[0] for error in info.value.exceptions]
    assert [note.split()[1] for note in notes] == ["task", "task", "teardown"]


def test_prepare_and_teardown_may_fail_at_once():
    """What was prepared is torn down although another plugin failed."""
    calls = []

    async def first(teardown: plugin.Teardown):
        teardown.add(calls.append, 1)
        teardown.add(crash())
        yield value(1)

    async def second():
        raise ValueError

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(first, second)
    kinds = [type(error) for error in info.value.exceptions]
    assert kinds == [ValueError, CrashError]
    assert calls == [1]


def test_cancel_set_while_preparing():
    """Setting Cancel early prepares all, then stops what runs."""

    async def first(cancel: plugin.Cancel):
        cancel.set()

    async def second():
        yield server()

    assert plugin.stage(first, second) == ["served"]


def test_a_task_that_cancels_itself_is_no_failure():
    """A task cancelled by somebody else stops nothing."""

    async def cancelled():
        raise asyncio.CancelledError

    async def prepare():
        yield cancelled()
        yield value(1)

    first, second = plugin.stage(prepare)
    assert isinstance(first, asyncio.CancelledError)
    assert second == 1


def test_any_awaitable_is_a_task():
    """Futures, tasks and other awaitables may be yielded."""

    class Awaitable:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return "awaited"

    async def prepare():
        future = asyncio.get_running_loop().create_future()
        future.set_result("future")
        yield future
        yield asyncio.create_task(value("task"), name="mine")
        yield Awaitable()

    assert plugin.stage(prepare) == ["future", "task", "awaited"]


def test_on_ready():
    """``on_ready`` is called once, when all tasks have been started."""
    calls = []

    async def task():
        calls.append("task")

    async def prepare():
        calls.append("prepare")
        yield task()

    plugin.stage(prepare, on_ready=lambda: calls.append("ready"))
    assert sorted(calls) == ["prepare", "ready", "task"]
    assert calls[0] == "prepare"


def test_on_ready_may_fail():
    """A failure of ``on_ready`` stops the stage."""

    async def prepare():
        yield server()

    def fail():
        raise CrashError

    with pytest.raises(ExceptionGroup, match="stage failed"):
        plugin.stage(prepare, on_ready=fail)


def test_a_given_loop_is_left_open():
    """``loop=`` runs there, and leaves the loop as it was."""

    async def prepare():
        return value(asyncio.get_running_loop())

    loop = asyncio.new_event_loop()
    try:
        assert plugin.stage(prepare, loop=loop) == [loop]
        assert plugin.stage(prepare, loop=loop) == [loop]
        assert loop.get_task_factory() is None
    finally:
        loop.close()


async def test_not_in_a_running_loop():
    """The sync stage says what to use in a running loop."""
    with pytest.raises(plugin.StageOptionError, match=r"plugin\.Stage"):
        plugin.stage()


def test_a_context_manager_is_not_the_caller(monkeypatch):
    """Variables of the caller's context stay as they are."""
    before = context.current_context()

    async def prepare():
        context.push()
        context.add("x")

    plugin.stage(prepare)
    assert context.current_context() is before
    assert context.get(str, default=None) is None
