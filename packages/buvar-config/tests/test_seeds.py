"""The programs of the contract, as they stand there."""

from __future__ import annotations

import typing as t

import attr
import attrs
import pytest
import toml

from buvar import config
from buvar import context
from buvar import di


TOML = """\
log_level = "DEBUG"
show_warnings = "yes"
[foobar]
some = "value"
"""


def test_configuration(monkeypatch) -> None:
    """Sections are loaded from parsed TOML; the environment wins."""
    monkeypatch.setenv("APP_FOOBAR_SOME", "thing")

    @attr.s(auto_attribs=True)
    class GeneralConfig:
        log_level: str = "INFO"
        show_warnings: bool = config.bool_var(False)

    @attr.s(auto_attribs=True)
    class FoobarConfig:
        some: str

    source = config.ConfigSource(toml.loads(TOML), env_prefix="APP")

    assert source.load(GeneralConfig) == GeneralConfig(
        log_level="DEBUG", show_warnings=True
    )
    assert source.load(FoobarConfig, "foobar").some == "thing"


@pytest.fixture
def registry() -> t.Iterator[None]:
    """Keep adapters and components of a test to itself."""
    token = di.buvar_adapters.set(di.Adapters())
    with context.child():
        yield
    di.buvar_adapters.reset(token)


async def test_section_injects_itself(registry) -> None:
    """A section is injected by its class, defined before or later."""
    await config.prepare()

    @attr.s(auto_attribs=True)
    class FoobarConfig(config.Config, section="foobar"):
        some: str

    context.add(config.ConfigSource(toml.loads(TOML)))

    assert (await di.nject(FoobarConfig)).some == "value"


async def test_component_wins_over_source(registry) -> None:
    """A section that code added to the context is not loaded."""

    @attrs.define
    class Web(config.Config, section="web"):
        port: int = 80

    added = context.add(Web(port=1))
    context.add(config.ConfigSource({"web": {"port": 2}}))
    await config.prepare()

    assert await di.nject(Web) is added


async def test_other_sections_are_not_confused(registry) -> None:
    """A section in the context does not stand for another one."""

    @attrs.define
    class Web(config.Config, section="web"):
        port: int = 80

    @attrs.define
    class Other(config.Config, section="other"):
        port: int = 81

    context.add(Web(port=1))
    context.add(config.ConfigSource({"other": {"port": 2}}))
    await config.prepare()

    assert await di.nject(Other) == Other(port=2)


async def test_defaults_need_no_source(registry) -> None:
    """Without a source a section has its defaults."""

    @attrs.define
    class Web(config.Config, section="web"):
        port: int = 80

    await config.prepare()

    assert await di.nject(Web) == Web(port=80)
