"""What fails in teardown is told with its plugin, in its own context."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from buvar import context
from buvar import plugin


variable = contextvars.ContextVar("variable", default="outside")


def add(teardown, kind, function) -> object:
    """Add a function to teardown, in some way."""

    async def wait():
        await asyncio.sleep(0)
        function()

    if kind == "function":
        teardown.add(function)
    elif kind == "coroutine function":
        teardown.add(wait)
    else:
        teardown.add(wait())


def name(function) -> str:
    """Return the name of a plugin."""
    return f"{__name__}:{function.__qualname__}"


kinds = pytest.mark.parametrize(
    "kind", ["function", "coroutine function", "awaitable"]
)


def fail() -> None:
    raise OSError


@kinds
def test_failures_name_the_plugin(kind):
    """The notes, the sentence and the facts tell whose teardown failed."""

    async def app(teardown: plugin.Teardown):
        add(teardown, kind, fail)

    async def outer(load: plugin.Loader):
        await load(app)

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(outer)
    (failure,) = plugin.failures(info.value)
    who = f"plugin {name(app)!r}, loaded by {name(outer)!r}"
    assert failure.what == f"the teardown of the {who}, failed"
    assert failure.facts == {"phase": "teardown", "plugin": name(app)}
    assert failure.error.__notes__ == [f"In teardown of {who}"]


@kinds
async def test_failures_of_no_plugin(kind):
    """What a test or a task added belongs to no plugin."""
    with pytest.raises(ExceptionGroup) as info:
        async with plugin.Stage() as stage:
            add(stage.teardown, kind, fail)
    (failure,) = plugin.failures(info.value)
    assert failure.what == "the teardown failed"
    assert failure.facts == {"phase": "teardown"}
    assert failure.error.__notes__ == ["In teardown"]


class Leaves:
    """Context managers that raise what they are given, or what they have."""

    def __init__(self, seen) -> None:
        self.seen = seen

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        self.seen.append((kind, error, traceback))
        if error is not None:
            raise error


class LeavesAsync(Leaves):
    async def __aenter__(self):
        return self

    async def __aexit__(self, *info):
        await asyncio.sleep(0)
        self.__exit__(*info)


@pytest.mark.parametrize("manager", [Leaves, LeavesAsync])
def test_what_ended_the_stage_is_let_through(manager):
    """It is no failure of the teardown, and has its traceback."""
    seen = []

    async def app(teardown: plugin.Teardown):
        await teardown.enter(manager(seen))
        fail()

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(app)
    (error,) = info.value.exceptions
    ((kind, given, traceback),) = seen
    assert (kind, given) == (OSError, error)
    assert traceback is not None
    (failure,) = plugin.failures(info.value)
    assert failure.facts["phase"] == "prepare"
    assert not any(n.startswith("In teardown") for n in error.__notes__)


@kinds
@pytest.mark.parametrize("concurrent", [True, False])
def test_each_sees_the_context_of_its_plugin(kind, concurrent):
    """Plugins prepared at the same time have contexts of their own."""
    seen = []

    def look() -> None:
        layer = context.current_context()
        seen.append((variable.get(), layer is context.get(plugin.Stage).layer))

    async def first(teardown: plugin.Teardown):
        variable.set("first")
        add(teardown, kind, look)
        await asyncio.sleep(0)

    async def second(teardown: plugin.Teardown):
        if concurrent:
            variable.set("second")
        add(teardown, kind, look)
        await asyncio.sleep(0)

    plugin.stage(first, second, concurrent=concurrent)
    names = ["second", "first"] if concurrent else ["first", "first"]
    assert seen == [(name, True) for name in names]


async def test_what_no_plugin_added_sees_the_context_of_the_end():
    """A task that adds something may be gone by then."""
    seen = []

    async def work(stage):
        variable.set("task")
        stage.teardown.add(lambda: seen.append(variable.get()))

    async with plugin.Stage() as stage:
        await asyncio.create_task(work(stage))
    assert seen == ["outside"]


@kinds
def test_failures_in_the_context_of_a_plugin(kind):
    """They are told there as well, and what is left hears of the error."""
    seen = []

    async def app(teardown: plugin.Teardown):
        await teardown.enter(Leaves(seen))
        add(teardown, kind, fail)
        await asyncio.sleep(0)

    async def other():
        raise KeyError

    async def failing():
        await asyncio.sleep(0)
        yield other()

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(app, failing, concurrent=True)
    phases = [f.facts["phase"] for f in plugin.failures(info.value)]
    assert phases == ["task", "teardown"]
    ((_, given, _),) = seen
    assert isinstance(given, KeyError)


@kinds
async def test_what_runs_is_named(kind):
    """While something is done, it is known what: for who waits for the end."""
    seen = []

    def look() -> None:
        seen.append(stage.teardown.running)

    async def app(teardown: plugin.Teardown):
        add(teardown, kind, look)

    stage = plugin.Stage(app)
    async with stage:
        add(stage.teardown, kind, look)
        assert stage.teardown.running == ""
        stage.layer.defer(lambda _: look())
    named = f"teardown of plugin {name(app)!r}"
    assert seen == ["", "teardown", named]
    assert stage.teardown.running == ""


@kinds
async def test_nothing_runs_once_it_has_failed(kind):
    """What failed is not waited for."""
    seen = []
    with pytest.raises(ExceptionGroup):  # noqa: PT012 - a block
        async with plugin.Stage() as stage:
            stage.layer.defer(lambda _: seen.append(stage.teardown.running))
            add(stage.teardown, kind, fail)
    assert seen == [""]
    assert stage.teardown.running == ""


def test_arguments():
    """A function gets the arguments that were given with it."""
    calls = []

    def call(*args, **options) -> None:
        calls.append((args, options))

    async def app(teardown: plugin.Teardown):
        teardown.add(call, 1, name="name")

    plugin.stage(app)
    assert calls == [((1,), {"name": "name"})]
