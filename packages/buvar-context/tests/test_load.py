"""Plugins are found by what users call them."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import sys
import textwrap
import types

import pytest

from buvar import plugin
from buvar.plugin import spi


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write the modules of a package that can be imported."""

    def write(**modules):
        root = tmp_path / "somepkg"
        root.mkdir(exist_ok=True)
        (root / "__init__.py").touch()
        for name, code in modules.items():
            (root / f"{name}.py").write_text(textwrap.dedent(code))

    monkeypatch.syspath_prepend(tmp_path)
    yield write
    for name in list(sys.modules):
        if name.split(".")[0] == "somepkg":
            del sys.modules[name]


PREPARE = """
    async def result(): return __name__
    async def prepare(): yield result()
    other = prepare
    class Group:
        @staticmethod
        async def prepare(): yield result()
"""


@pytest.mark.parametrize(
    "name",
    [
        "somepkg.a",
        "somepkg.a:prepare",
        "somepkg.a:other",
        "somepkg.a:Group.prepare",
        "somepkg.a:Group",
        "somepkg.a.prepare",
        "somepkg.a.other",
        "somepkg:a",
    ],
)
def test_by_name(package, name):
    """A plugin is a module, or a function in one."""
    package(a=PREPARE)
    __import__("somepkg.a")
    assert plugin.stage(name) == ["somepkg.a"]


def test_a_module_may_have_the_name_of_a_keyword(package):
    """Modules that no import statement can name are plugins as well."""
    package(**{"with": PREPARE})
    assert plugin.stage("somepkg.with.prepare") == ["somepkg.with"]


def test_by_object(package):
    """A plugin may be a module, a function, a method, any callable."""
    package(a=PREPARE)
    module = __import__("somepkg.a").a

    async def result():
        return "x"

    class Callable:
        async def __call__(self):
            return result()

        async def method(self):
            return result()

    async def partial(text, load: plugin.Loader):
        return [result(), result()]

    assert plugin.stage(module) == ["somepkg.a"]
    assert plugin.stage(types.SimpleNamespace(prepare=module.prepare)) == [
        "somepkg.a"
    ]
    assert plugin.stage(Callable()) == ["x"]
    assert plugin.stage(Callable().method) == ["x"]
    assert plugin.stage(functools.partial(partial, "t")) == ["x", "x"]


def test_relative_names(package):
    """Relative names start at the package of the module that uses them."""
    package(
        a=PREPARE,
        b="""
            from buvar import plugin
            async def prepare(load: plugin.Loader):
                await load(".a", ".a:prepare")
            def stage():
                return plugin.stage(".b")
            def run():
                return plugin.run(".b")
        """,
    )
    module = __import__("somepkg.b").b
    assert plugin.stage("somepkg.b") == ["somepkg.a"]
    assert module.stage() == ["somepkg.a"]
    assert module.run() == 0


def test_by_entry_point(package, monkeypatch):
    """An installed plugin is loaded by the name of its entry point."""
    package(a=PREPARE)
    point = importlib.metadata.EntryPoint("json", "somepkg.a", "buvar.plugins")
    other = importlib.metadata.EntryPoint(
        "some-plugin", "somepkg.a:prepare", "buvar.plugins"
    )
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda group: [point, other]
    )
    assert plugin.stage("some-plugin") == ["somepkg.a"]
    assert plugin.stage("json") == ["somepkg.a"]
    with pytest.raises(ExceptionGroup) as info:
        plugin.stage("some-plugins")
    assert "did you mean 'some-plugin'?" in str(info.value.exceptions[0])


def test_an_import_error_inside_is_shown_as_it_is(package):
    """A plugin that imports what is missing is not said to be missing."""
    package(a="import not_there_at_all")
    with pytest.raises(ExceptionGroup) as info:
        plugin.stage("somepkg.a")
    (error,) = info.value.exceptions
    assert type(error) is ModuleNotFoundError
    assert error.name == "not_there_at_all"


@pytest.mark.parametrize("where", ["top", "package"])
def test_relative_names_without_a_package_variable(package, where):
    """A module run by ``exec`` may lack ``__package__``."""
    package(a=PREPARE)
    name = {"top": "somepkg.b", "package": "somepkg"}[where]
    code = "from buvar import plugin\nresult = plugin.stage('.a')"
    scope = {"__name__": name, "__builtins__": __builtins__}
    if where == "package":
        scope["__path__"] = []
    exec(code, scope)  # noqa: S102 - that is the case
    assert scope["result"] == ["somepkg.a"]


def test_a_loader_is_called_and_nothing_else():
    """What users see of a loader is the call; its types are complete."""

    async def prepare(load: plugin.Loader):
        assert [name for name in dir(load) if not name.startswith("_")] == []
        with pytest.raises(TypeError):
            load("somepkg.a", origin=sys._getframe())

    plugin.stage(prepare)


def test_frameworks_load_for_somebody_else(package):
    """A relative name starts where it is named, not where it is loaded."""
    package(a="import sys\nFRAME = sys._getframe()", b=PREPARE)
    origin = importlib.import_module("somepkg.a").FRAME

    async def prepare(load: plugin.Loader):
        await spi.load_from(load, [".b"], origin)

    assert plugin.stage(prepare) == ["somepkg.b"]
