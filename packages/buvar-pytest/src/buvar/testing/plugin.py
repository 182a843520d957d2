"""
The plugin of pytest: the marker and the fixtures.

It is imported by every run of pytest where the package is installed, so it
imports the rest of buvar only when a test asks for it.
"""

from __future__ import annotations

import inspect
import sys
import types
import typing as t

import pytest

from buvar.testing import MARKER
from buvar.testing import TESTING
from buvar.testing import Load

from ._loops import PREPARED
from ._loops import STAGE
from ._loops import check_loop
from ._loops import fixtures
from ._loops import in_loop_of_test


if t.TYPE_CHECKING:
    from buvar import plugin
    from buvar.components import Components
    from buvar.config import ConfigSource


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(*plugins): run the test inside a stage in which these "
        "plugins are prepared, those of outer markers first",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: t.Any
) -> None:
    """Let the marker alone make a coroutine function an asyncio test."""
    if not inspect.iscoroutinefunction(obj):
        if inspect.iscoroutine(obj) or inspect.isasyncgen(obj):
            _refuse_called_plugin(collector, name, obj)
        return
    names = {mark.name for mark in getattr(obj, "pytestmark", ())}
    if "asyncio" in names or collector.get_closest_marker("asyncio"):
        return
    if MARKER in names or collector.get_closest_marker(MARKER):
        pytest.mark.asyncio(obj)


def _refuse_called_plugin(
    collector: pytest.Module | pytest.Class, name: str, obj: t.Any
) -> None:
    """
    Refuse to lose a test.

    pytest takes ``@mark(function)`` for a decorated function, so that the
    plugin was called with the test, and is now all that is left of it.
    """
    if not collector.funcnamefilter(name):
        return
    if inspect.iscoroutine(obj):
        obj.close()  # It would warn that it was never awaited.
    raise collector.CollectError(
        f"{collector.nodeid}::{name} is no test: pytest gave it to the "
        f"plugin {obj.__qualname__!r} instead of marking it.\n"
        f"Write '@pytest.mark.{MARKER}.with_args({obj.__name__})' where a "
        "function is the only plugin."
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """
    Prepare the plugins of the marker after all other fixtures.

    So a fixture can give them a fake; one that needs them prepared asks for
    ``buvar_plugin_context``, which has them prepared when it is asked for.
    """
    if item.get_closest_marker(MARKER) is None:
        return
    # Tests of one function may share the list.
    names: list[str] = getattr(item, "fixturenames", [])
    if "buvar_plugin_context" not in names:
        names.append("buvar_plugin_context")


@pytest.fixture
def buvar_config_source() -> ConfigSource:
    """Return the configuration of the test: override it to have one."""
    from buvar.config import ConfigSource  # noqa: PLC0415

    return ConfigSource()


@pytest.fixture
def buvar_context(
    buvar_config_source: ConfigSource,
) -> t.Iterator[Components]:
    """Give a layer of components and a registry that end with the test."""
    from buvar import context  # noqa: PLC0415
    from buvar import di  # noqa: PLC0415

    adapters = di.buvar_adapters.set(di.buvar_adapters.get().copy())
    try:
        with context.child() as layer:
            context.add(buvar_config_source)
            # Whoever binds a port takes a free one.
            context.add(True, TESTING)  # noqa: FBT003 - a fact
            yield layer
    finally:
        di.buvar_adapters.reset(adapters)


@pytest.fixture
def buvar_stage(request: pytest.FixtureRequest) -> plugin.Stage:
    """Return a stage for the length of the test, without any plugins yet."""
    stage: plugin.Stage = in_loop_of_test(request, STAGE)
    return stage


@pytest.fixture
def buvar_load(buvar_stage: plugin.Stage) -> Load:
    """Return a function that prepares more plugins."""

    def load(*plugins: plugin.Plugin) -> t.Awaitable[None]:
        # Relative names start at the module of the test.
        frame = sys._getframe(1)  # noqa: SLF001
        check_loop(buvar_stage)
        return buvar_stage.loader.load(plugins, frame)

    return load


@pytest.fixture
def buvar_plugin_context(request: pytest.FixtureRequest) -> Components:
    """Return the components, with the plugins of the markers prepared."""
    layer: Components = in_loop_of_test(request, PREPARED)
    return layer


def named(node: pytest.Item) -> t.Iterator[plugin.Plugin]:
    """Name the plugins of all markers, those of the module first."""
    for mark in reversed([*node.iter_markers(MARKER)]):
        for name in mark.args:
            yield _absolute(node, name) if isinstance(name, str) else name


def _absolute(node: pytest.Item, name: str) -> str:
    """Resolve a relative name where the marker stands."""
    from buvar.plugin import spi  # noqa: PLC0415

    module = t.cast("types.ModuleType", getattr(node, "module"))  # noqa: B009
    return spi.absolute_name(name, vars(module))


globals().update(fixtures(named))
