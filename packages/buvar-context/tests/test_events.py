"""Whoever listens is told what happens to a stage; nobody costs nothing."""

from __future__ import annotations

import asyncio
import logging

import pytest

from buvar import context
from buvar import plugin


def names(events) -> list[str]:
    """Write events in a line each, without their times."""
    found = []
    for event in events:
        facts = event._asdict()
        facts.pop("seconds", None)
        values = [
            value.name if isinstance(value, plugin.State) else repr(value)
            for value in facts.values()
        ]
        found.append(f"{type(event).__name__}({', '.join(values)})")
    return [line.replace(__name__ + ":", "") for line in found]


async def inner() -> None: ...


async def outer(load: plugin.Loader):
    await load(inner)

    async def task() -> None: ...

    yield task()


async def test_the_life_of_a_stage() -> None:
    """Each plugin, each task and each state is told, in order."""
    events = []
    await plugin.Stage(outer, listeners=[events.append]).run()

    task = "'outer:outer.<locals>.task'"
    assert names(events) == [
        "StateChanged(PREPARING)",
        "PluginPreparing('outer', ())",
        "PluginPreparing('inner', ('outer',))",
        "PluginPrepared('inner')",
        "PluginPrepared('outer')",
        "StateChanged(RUNNING)",
        f"TaskStarted('outer', {task})",
        f"TaskEnded('outer', {task}, None)",
        "StateChanged(STOPPING)",
        "StateChanged(TEARDOWN)",
        "StateChanged(ENDED)",
    ]


async def test_failures() -> None:
    """What failed is told with its exception."""

    async def failing() -> None:
        raise ValueError

    events = []
    with pytest.raises(ExceptionGroup):
        await plugin.Stage(failing, listeners=[events.append]).run()

    (failed,) = (e for e in events if isinstance(e, plugin.PluginFailed))
    assert isinstance(failed.error, ValueError)


async def test_tasks_that_fail_or_do_not_end() -> None:
    """An end says what a task failed of, or that it goes on."""
    let = asyncio.Event()

    async def fails() -> None:
        raise ValueError

    async def waits() -> None:
        await asyncio.Event().wait()

    async def goes_on() -> None:
        while not let.is_set():
            try:
                await let.wait()
            except asyncio.CancelledError:
                continue

    async def prepare():
        yield goes_on()
        yield waits()
        yield fails()

    events = []
    with pytest.raises(ExceptionGroup):
        await plugin.Stage(
            prepare,
            listeners=[events.append],
            cancel_timeout=0.01,
            abandon_timeout=0.01,
        ).run()
    let.set()

    ends = {
        event.task.rpartition(".")[2]: type(event.error)
        for event in events
        if isinstance(event, plugin.TaskEnded)
    }
    assert ends == {
        "fails": ValueError,
        "waits": asyncio.CancelledError,
        "goes_on": plugin.AbandonedTaskError,
    }


async def test_a_plugin_listens() -> None:
    """In a plugin one listens from there on."""
    events = []

    async def first() -> None:
        plugin.listen(events.append)

    await plugin.Stage(first, inner).run()

    assert names(events)[:3] == [
        "PluginPrepared('test_a_plugin_listens.<locals>.first')",
        "PluginPreparing('inner', ())",
        "PluginPrepared('inner')",
    ]


async def test_a_listener_that_fails(caplog) -> None:
    """It is logged once and not called again; the stage goes on."""
    calls, events = [], []

    def broken(event) -> None:
        calls.append(event)
        raise ValueError("broken")

    await plugin.Stage(outer, listeners=[broken, events.append]).run()

    assert len(calls) == 1
    assert len(events) == 11
    (record,) = (r for r in caplog.records if r.levelno == logging.ERROR)
    assert "it is not called again" in record.message
    assert record.exc_info is not None


def test_nothing_is_made_without_listeners(monkeypatch) -> None:
    """Without a listener there is no event."""

    def refuse(*_: object) -> None:
        raise AssertionError

    for module in ("_loader", "_tasks", "_stage"):
        for cls in (
            "PluginPreparing",
            "PluginPrepared",
            "TaskStarted",
            "TaskEnded",
            "StateChanged",
        ):
            monkeypatch.setattr(
                f"buvar.plugin.{module}.{cls}", refuse, raising=False
            )

    assert plugin.stage(outer) == [None]


async def _coroutine(event) -> None: ...


@pytest.mark.parametrize("listener", [_coroutine, None, "print"])
def test_bad_listeners(listener) -> None:
    """What cannot be called, or would have to be awaited, is refused."""
    with pytest.raises(plugin.StageOptionError, match="not a plain function"):
        plugin.Stage(listeners=[listener])


def test_no_stage_to_listen_to() -> None:
    """Outside of a stage it is said where to listen."""
    assert context.get(plugin.Stage, default=None) is None
    with pytest.raises(plugin.StateError, match=r"Stage\(listeners="):
        plugin.listen(print)
