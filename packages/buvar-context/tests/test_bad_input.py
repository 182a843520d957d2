"""Each mistake gets one error that names it and its cure."""

from __future__ import annotations

import asyncio
import math
import types

import pytest

from buvar import context
from buvar import plugin


class Foo: ...


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("not_there", "no module 'not_there'"),
        ("json.not_there", "no module 'json.not_there'"),
        ("not_there.at.all", "no module 'not_there'"),
        ("json:not_there", "'json' has no 'not_there'"),
        ("json:dump.not_there", "'json' has no 'dump.not_there'"),
        ("json:lods", "did you mean 'json:loads'?"),
        ("no-module", "no module 'no-module'"),
        ("json.py", "did you mean 'json'?"),
        ("json/tool.py", "did you mean 'json.tool'?"),
        ("./json/tool.py:main", "did you mean 'json.tool:main'?"),
        ("json/", "did you mean 'json'?"),
        ("../json.py", "it is a path"),
        ("json.tol", "did you mean 'json.tool'?"),
        ("json.tol:prepare", "did you mean 'json.tool'?"),
        ("", "no such entry point"),
        ("not_there:prepare", "no module 'not_there'"),
    ],
)
def test_no_such_plugin(stage_error, name, text):
    """A name that does not exist is repeated, with what is missing."""
    error = stage_error(name)
    assert isinstance(error, plugin.PluginNotFoundError)
    assert text in str(error)
    assert "buvar.plugins" in str(error).splitlines()[-1]


def test_relative_name_from_a_script(script):
    """A script is in no package that a relative name could start at."""
    program = script("""
        from buvar import plugin
        plugin.stage(".relative")
    """)
    code, _, err = program.end()
    assert code == 1
    assert "RelativeNameError: The plugin '.relative'" in err
    assert "python -m" in err


def test_relative_name_above_the_top(stage_error):
    """A relative name may not leave the package it starts in."""
    error = stage_error("......relative")
    assert isinstance(error, plugin.RelativeNameError)
    assert "python -m" in str(error)


def test_module_without_prepare(stage_error):
    """A module has to have ``prepare``."""
    error = stage_error("json")
    assert isinstance(error, plugin.NoPrepareError)
    assert "'json'" in str(error)
    assert "async def prepare" in str(error)


def sync():
    return None


class Sync:
    def __call__(self):
        return None


@pytest.mark.parametrize(
    "bad",
    [
        sync,
        Foo,
        Foo(),
        Sync(),
        42,
        types.SimpleNamespace(prepare=1),
        types.SimpleNamespace(prepare=sync),
        f"{__name__}:sync",
    ],
)
def test_what_is_no_plugin(stage_error, bad, monkeypatch):
    """A plugin is async, or has an async ``prepare``."""
    module = types.ModuleType(__name__)
    module.sync = sync
    monkeypatch.setitem(__import__("sys").modules, __name__, module)
    error = stage_error(bad)
    assert isinstance(error, plugin.NoPrepareError)


@pytest.mark.parametrize("kind", [list, tuple, set])
def test_a_collection_of_plugins(stage_error, kind):
    """Several plugins are several arguments."""
    error = stage_error(kind(["json"]))
    assert isinstance(error, plugin.NoPrepareError)
    assert "an argument of its own" in str(error)


async def not_to_be_called():
    yield


async def nor_this():
    """Be a plugin."""


@pytest.mark.parametrize("function", [not_to_be_called, nor_this])
def test_a_plugin_that_was_called(stage_error, function):
    """The function is given, not what calling it returns."""
    error = stage_error(function())
    assert isinstance(error, plugin.NoPrepareError)
    assert f"'{function.__name__}' cannot be prepared" in str(error)
    assert "Give the function itself" in str(error)


async def yields_none():
    yield None


async def yields_function():
    yield yields_none


async def returns_text():
    return "text"


async def returns_list():
    return [1]


async def yields_twice():
    same = asyncio.sleep(0)
    yield same
    yield same


@pytest.mark.parametrize(
    ("prepare", "text"),
    [
        (yields_none, "cannot be awaited"),
        (yields_function, "cannot be awaited"),
        (returns_text, "neither an awaitable nor an iterable"),
        (returns_list, "cannot be awaited"),
        (yields_twice, "given before"),
    ],
)
def test_what_is_no_task(stage_error, prepare, text):
    """What cannot be run as a task is shown with its plugin."""
    error = stage_error(prepare)
    assert isinstance(error, plugin.TaskError)
    assert prepare.__name__ in str(error)
    assert text in str(error)


def test_a_coroutine_function_as_task(stage_error):
    """A function that was not called is told from other mistakes."""

    async def prepare():
        yield yields_forgotten

    async def yields_forgotten(): ...

    assert "not called" in str(stage_error(prepare))


def test_an_added_class(stage_error):
    """Adding a class is an error that names its plugin."""

    async def prepare():
        context.add(Foo)

    error = stage_error(prepare)
    assert isinstance(error, ValueError)
    assert "prepare" in error.__notes__[0]


#: Options in seconds that may be left out by None.
OPTIONAL_SECONDS = ("abandon_timeout", "watchdog", "exit_timeout")


def forever():
    raise AssertionError


@pytest.mark.parametrize(
    "options",
    [
        {"components": [1]},
        {"signals": 1},
        {"signals": int},
        *(
            {name: value}
            for name in ("cancel_timeout", *OPTIONAL_SECONDS)
            for value in (-1, -math.inf, math.nan, "1", True)
        ),
        {"cancel_timeout": None},
        {"on_ready": 1},
        {"on_ready": yields_none},
        {"on_ready": returns_text},
        {"loop": 1, "loop_factory": forever},
    ],
)
def test_options(options):
    """An option that makes no sense is named before anything begins."""
    with pytest.raises(plugin.StageOptionError) as info:
        plugin.stage("not_there", **options)
    assert info.value.option in options


def test_no_bounds():
    """What bounds something may be infinite, or be left out."""

    async def prepare():
        yield asyncio.sleep(0, 3)

    for bound in (math.inf, None):
        options = dict.fromkeys(OPTIONAL_SECONDS, bound)
        found = plugin.stage(prepare, cancel_timeout=math.inf, **options)
        assert found == [3]


def test_a_handler_of_no_signal():
    """A signal handler has to be named after a signal."""

    class Signals(plugin.Signals):
        def handle_nothing(self): ...

    with pytest.raises(ExceptionGroup) as info:
        plugin.stage(signals=Signals)
    assert "Signals.handle_nothing" in str(info.value.exceptions[0])
