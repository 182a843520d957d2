"""What a test does is gone when it ends."""

from __future__ import annotations

import attrs
import pytest

from buvar import config
from buvar import context
from buvar import di
from buvar import plugin


class Thing:
    """Something to find."""


async def make() -> Thing:
    return Thing()


async def prepare():
    context.add("of a plugin")
    di.register(make)


@pytest.fixture(scope="module")
def layers() -> list[object]:
    """Remember the layers that tests had."""
    return []


@pytest.mark.buvar_plugins.with_args(prepare)
@pytest.mark.parametrize("number", [1, 2])
async def test_components(number: int, layers: list[object]) -> None:
    """Each test has layers of its own, without the components of others."""
    layer = context.current_context()
    assert context.get(int, default=None) is None
    assert not any(layer is other for other in layers)

    context.add(number)
    context.get(plugin.Stage).layer.add(number)
    layers.append(layer)


@pytest.mark.parametrize("number", [1, 2])
async def test_adapters(buvar_load, number: int) -> None:
    """What a test registers is not known to the next one."""
    with pytest.raises(di.ResolveError):
        await di.nject(Thing)

    await buvar_load(prepare)

    assert isinstance(await di.nject(Thing), Thing)


@pytest.mark.parametrize("number", [1, 2])
def test_adapters_of_sync_tests(buvar_context, number: int) -> None:
    """A sync test has adapters of its own as well."""
    adapters = di.buvar_adapters.get()
    assert not adapters.overrides
    assert not adapters.find(Thing)

    di.register(make)

    assert adapters.find(Thing)
    assert di.buvar_adapters.get() is adapters


def _section(value: str) -> type[config.Config]:
    @attrs.define
    class It(config.Config, section="isolation"):
        some: str = value

    return It


@pytest.mark.buvar_plugins(config)
@pytest.mark.parametrize("value", ["one", "two"])
async def test_sections(value: str) -> None:
    """Tests may each have a class of their own for a section."""
    assert (await di.nject(_section(value))).some == value


@pytest.mark.buvar_plugins(config)
async def test_sections_of_another_test() -> None:
    """Another class for the section is no conflict in another test."""

    @attrs.define
    class Other(config.Config, section="isolation"):
        some: str = "other"

    assert (await di.nject(Other)).some == "other"


def test_without_fixtures() -> None:
    """A test that asks for nothing sees none of it."""
    assert context.get(config.ConfigSource, default=None) is None
    assert context.get(str, default=None) is None
