"""The programs users know run as they stand in the contract."""

from __future__ import annotations

import os
import subprocess
import sys

from pathlib import Path

import pytest


TIMEOUT = 60  # seconds, a bound and no expectation

CONFIG = """\
log_level = "DEBUG"
show_warnings = "yes"

[foobar]
some = "value"
"""

BOOTSTRAP = """\
from buvar import plugin
plugin.stage({target}, cancel_timeout=0.1)
"""

PLUGIN = """\
import asyncio
from buvar import context, plugin
class Foo: ...
async def task():
    print("task")
async def server():
    my_component = context.get(Foo)
    print("server", type(my_component).__name__)
    context.get(plugin.Cancel).set()
    await asyncio.Future()
async def prepare(load: plugin.Loader):
    await load(".another.plugin")
    my_component = context.add(Foo())
    yield task()
    yield server()
"""

OTHER_PLUGIN = """\
async def prepare():
    print("another")
"""

INJECTION = """\
from buvar import di
from buvar import plugin
class Bar: ...
class Foo:
    def __init__(self, bar: Bar = None): self.bar = bar
    @classmethod
    async def adapt(cls, baz: str) -> "Foo": return Foo()
async def adapt(bar: Bar) -> Foo: return Foo(bar)
async def task():
    assert (await di.nject(Foo, baz="baz")).bar is None
    bar = Bar()
    assert (await di.nject(Foo, bar=bar)).bar is bar
    print("injected")
async def prepare():
    di.register(Foo.adapt)
    di.register(adapt)
    yield task()

plugin.stage(prepare)
"""

INJECTION_IN_A_FUNCTION = """\
import asyncio
from buvar import di
async def main():
    class Bar: ...
    class Foo:
        def __init__(self, bar: Bar = None): self.bar = bar
        @classmethod
        async def adapt(cls, baz: str) -> "Foo": return Foo()
    async def adapt(bar: "Bar") -> "Foo": return Foo(bar)
    di.register(Foo.adapt)
    di.register(adapt)
    assert (await di.nject(Foo, baz="baz")).bar is None
    bar = Bar()
    assert (await di.nject(Foo, bar=bar)).bar is bar
    print("injected")
asyncio.run(main())
"""

CONFIGURATION = """\
import attr, toml
from buvar import config
@attr.s(auto_attribs=True)
class GeneralConfig:
    log_level: str = "INFO"
    show_warnings: bool = config.bool_var(False)
@attr.s(auto_attribs=True)
class FoobarConfig:
    some: str
source = config.ConfigSource(toml.load("config.toml"), env_prefix="APP")
assert source.load(GeneralConfig) == GeneralConfig(
    log_level="DEBUG", show_warnings=True)
assert source.load(FoobarConfig, "foobar").some == "thing"
print("configured")
"""

SECTION = """\
import attr, toml
from buvar import config, context, di, plugin
@attr.s(auto_attribs=True)
class FoobarConfig(config.Config, section="foobar"):
    some: str
async def prepare(load: plugin.Loader):
    context.add(config.ConfigSource(
        toml.load("config.toml"), env_prefix="APP"))
    await load(config)
    foobar_config = await di.nject(FoobarConfig)
    print(foobar_config.some)

plugin.stage(prepare)
"""

LOGGING = """\
import sys
from buvar import log
log_config = log.LogConfig(tty=sys.stdout.isatty(), level="DEBUG")
log_config.setup()

import logging
import structlog
logging.getLogger("seed").debug("from the standard library")
structlog.get_logger().debug("from structlog", some=1)
"""

FIXTURES = """\
import pytest
from buvar import context, plugin
async def prepare():
    context.add("foobar")

@pytest.mark.buvar_plugins("tests.test_testing")
{mark}async def test_wrapped_stage_context():
    assert context.get(str) == "foobar"
    assert context.get(plugin.Cancel)
@pytest.mark.buvar_plugins()
{mark}async def test_load(buvar_load):
    await buvar_load(prepare)
    assert context.get(str) == "foobar"
"""


@pytest.fixture
def run(tmp_path: Path):
    """Run a program in an empty folder and return what it printed."""
    tmp_path.joinpath("config.toml").write_text(CONFIG)
    variables = {**os.environ, "APP_FOOBAR_SOME": "thing"}
    variables.pop("PYTEST_ADDOPTS", None)

    def run(program: str, *args: str) -> str:
        command = [sys.executable, "-X", "dev"]
        if program:
            tmp_path.joinpath("program.py").write_text(program)
            command += ["-W", "error", "program.py"]
        done = subprocess.run(
            [*command, *args],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.mark.parametrize(
    "target",
    [
        '"some.module.with.prepare"',
        '"some.module.with"',
        '"some.module.with:prepare"',
        '__import__("importlib").import_module("some.module.with")',
        '__import__("importlib").import_module("some.module.with").prepare',
    ],
)
def test_bootstrap_and_plugin(run, tmp_path: Path, target: str) -> None:
    """Programs 1 and 2: a plugin is named, loads another and runs tasks."""
    folder = tmp_path / "some" / "module"
    folder.joinpath("another").mkdir(parents=True)
    folder.joinpath("with.py").write_text(PLUGIN)
    folder.joinpath("another", "plugin.py").write_text(OTHER_PLUGIN)

    output = run(BOOTSTRAP.format(target=target))

    assert output.splitlines() == ["another", "task", "server Foo"]


@pytest.mark.parametrize("program", [INJECTION, INJECTION_IN_A_FUNCTION])
def test_injection(run, program: str) -> None:
    """Program 3: what is missing is injected, by name, type and adapter."""
    assert run(program) == "injected\n"


def test_configuration(run) -> None:
    """Program 4: a file and the environment make typed values."""
    assert run(CONFIGURATION) == "configured\n"


def test_a_section_injects_itself(run) -> None:
    """Program 5: a section of the configuration is injected by its type."""
    assert run(SECTION) == "thing\n"


def test_logging(run) -> None:
    """Program 6: both kinds of loggers write through one chain."""
    output = run(LOGGING)

    assert "from the standard library" in output
    assert "from structlog" in output


@pytest.mark.parametrize(
    ("mode", "mark"),
    [("strict", "@pytest.mark.asyncio\n"), ("auto", ""), ("strict", "")],
)
def test_fixtures(run, tmp_path: Path, mode: str, mark: str) -> None:
    """Program 8: tests run inside a stage whose plugins are prepared."""
    tests = tmp_path / "tests"
    tests.mkdir()
    tests.joinpath("test_testing.py").write_text(FIXTURES.format(mark=mark))

    output = run(
        "", "-m", "pytest", "-q", "-o", f"asyncio_mode={mode}", "tests"
    )

    assert "2 passed" in output
