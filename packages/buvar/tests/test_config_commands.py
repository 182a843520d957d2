"""The commands that generate and explain a configuration."""

from __future__ import annotations

import json
import textwrap
import tomllib

from pathlib import Path


def test_sample_reads_back(buvar) -> None:
    """``config sample`` writes TOML with the defaults and their help."""
    output = buvar("config", "sample", "app", fresh=True)

    assert "What to say." in output
    sample = tomllib.loads(output)
    assert sample["greeting"]["text"] == "Hello"
    # What `run` itself reads.
    assert sample["log"]["level"] == "INFO"


def test_env(buvar) -> None:
    """``config env`` lists the variables with the prefix."""
    args = ("config", "env", "app", "--env-prefix", "APP")
    output = buvar(*args, fresh=True)

    assert "APP_GREETING_TEXT=Hello\n" in output
    assert "APP_LOG_LEVEL=INFO\n" in output


def test_show(buvar) -> None:
    """``config show`` says where each value came from."""
    args = ("config", "show", "app", "--set", "greeting.times=3")
    output = buvar(*args, fresh=True)

    assert "greeting.times = '3'" in output
    assert "--set greeting.times" in output
    assert "default" in output


def test_schema(buvar) -> None:
    """``config schema`` writes the JSON Schema of the sections."""
    output = buvar("config", "schema", "app.prepare", fresh=True)
    schema = json.loads(output)

    assert "times" in schema["properties"]["greeting"]["properties"]
    assert "level" in schema["properties"]["log"]["properties"]


def test_sections_without_plugins(buvar, tmp_path: Path) -> None:
    """A module may have sections, and prepare nothing."""
    tmp_path.joinpath("settings.py").write_text("from app import Greeting\n")

    assert "[greeting]" in buvar("config", "sample", "settings")


NESTED = """
    import attrs
    from buvar import config, di, plugin

    @attrs.define
    class Outer(config.Config, section="outer"):
        name: str

    async def prepare(load: plugin.Loader):
        await load("inner")
        await di.nject(Outer)
        await load("late")
"""
INNER = """
    import attrs
    from buvar import config

    @attrs.define
    class {name}(config.Config, section="{section}"):
        x: int = 1

    async def prepare(): ...
"""


def test_configuration_of_nested_plugins(buvar, tmp_path: Path) -> None:
    """The commands know the sections of plugins that plugins load."""
    tmp_path.joinpath("nested.py").write_text(textwrap.dedent(NESTED))
    for name in ("Inner", "Late"):
        text = INNER.format(name=name, section=name.lower())
        file = tmp_path / f"{name.lower()}.py"
        file.write_text(textwrap.dedent(text))
    secrets = tmp_path / "secrets"
    secrets.mkdir()

    output = buvar("config", "sample", "nested")
    assert "[outer]" in output
    assert "[inner]" in output
    assert "[late]" not in output

    secrets.joinpath("outer_name").write_text("hunter2")
    options = ("nested", "--secrets", str(secrets), "--env-prefix", "APP")
    for command in ("sample", "env", "schema", "show"):
        output = buvar("config", command, *options)
        assert "late" in output.lower()
        assert "hunter2" not in output
    assert "outer.name = ***" in output
    buvar("check", *options)
