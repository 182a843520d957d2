"""What the fixtures give to a test."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from buvar import config
from buvar import context
from buvar import di
from buvar import plugin
from buvar.components import Components
from buvar.testing import MARKER


async def prepare():
    context.add("foobar")


async def prepare_number(load: plugin.Loader):
    await load(prepare)
    context.add(len(context.get(str)))


class Service:
    """Something that runs as long as the stage."""

    def __init__(self) -> None:
        self.events: list[str] = []

    async def serve(self):
        self.events.append("started")
        await context.get(plugin.Cancel).wait()
        self.events.append("stopped")


async def prepare_service(teardown: plugin.Teardown):
    service = context.add(Service())
    teardown.add(service.events.append, "torn down")
    yield service.serve()


def test_source_is_empty(buvar_config_source) -> None:
    """The configuration of a test is empty unless it is overridden."""
    assert buvar_config_source == config.ConfigSource()


def test_context(buvar_context: Components) -> None:
    """A sync test has a layer that holds its configuration."""
    assert context.current_context() is buvar_context
    assert context.get(config.ConfigSource) == {}

    context.add("here")

    assert buvar_context.get(str) == "here"


async def test_context_in_a_coroutine(buvar_context: Components) -> None:
    """A coroutine sees the same layer, and the fixture what it adds."""
    context.add("here")

    assert buvar_context.get(str) == "here"
    assert context.get(config.ConfigSource) == {}


async def test_stage(buvar_stage: plugin.Stage) -> None:
    """The test runs inside of a stage without plugins."""
    assert context.get(plugin.Stage) is buvar_stage
    assert context.get(plugin.Cancel) is buvar_stage.cancel
    assert context.get(plugin.Teardown) is buvar_stage.teardown
    assert context.get(plugin.Loader) is buvar_stage.loader
    assert buvar_stage.report() == []
    assert not buvar_stage.cancel.is_set()


async def test_load(buvar_load, buvar_stage: plugin.Stage) -> None:
    """Plugins are prepared on demand, each once."""
    await buvar_load(prepare_number, prepare)
    await buvar_load(prepare)

    assert context.get(str) == "foobar"
    assert context.get(int) == 6
    assert len(buvar_stage.report()) == 2


async def test_tasks_of_plugins_run(buvar_load) -> None:
    """The tasks of a plugin that is loaded run at once."""
    await buvar_load(prepare_service)
    await asyncio.sleep(0)

    assert context.get(Service).events == ["started"]


@pytest.mark.buvar_plugins.with_args(prepare)
async def test_plugin_context(buvar_plugin_context: Components) -> None:
    """The components of the plugins are given, and are in the context."""
    assert buvar_plugin_context.get(str) == "foobar"
    assert context.get(str) == "foobar"


async def test_plugin_context_without_marker(buvar_plugin_context) -> None:
    """Without a marker the stage has no plugins."""
    assert context.get(plugin.Stage).layer is buvar_plugin_context
    assert context.get(plugin.Stage).report() == []


@pytest.mark.buvar_plugins.with_args(prepare)
def test_sync_test() -> None:
    """A sync test sees what the plugins of its marker have prepared."""
    assert context.get(str) == "foobar"


@pytest.mark.buvar_plugins.with_args(prepare)
async def test_tasks_of_a_test() -> None:
    """A task of the test sees the components, on a layer of its own."""

    async def task() -> str:
        context.add(1)
        return context.get(str)

    assert await asyncio.create_task(task()) == "foobar"
    assert context.get(int, default=None) is None


@pytest.mark.buvar_plugins(config)
class TestConfiguration:
    """A section is injected from the configuration of the test."""

    @pytest.fixture
    def buvar_config_source(self) -> config.ConfigSource:
        return config.ConfigSource({"it": {"some": "thing"}})

    async def test_section(self) -> None:
        """What the overridden fixture says is loaded."""

        @attrs.define
        class It(config.Config, section="it"):
            some: str

        assert (await di.nject(It)).some == "thing"


def test_marker(pytestconfig: pytest.Config) -> None:
    """The marker is documented."""
    lines = pytestconfig.getini("markers")

    assert [line for line in lines if line.startswith(f"{MARKER}(*plugins")]
