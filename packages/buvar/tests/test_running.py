"""How the workers are run: the section, variables, options, who wins."""

from __future__ import annotations

import contextlib
import inspect
import json
import math
import os
import re
import sys
import textwrap

from pathlib import Path

import attrs
import pytest

from buvar import config
from buvar import fork
from buvar.cli._fork_config import ForkConfig


APPLICATION = """
    import asyncio, os
    from buvar import context, fork

    async def tell():
        os.umask(mask := os.umask(0))
        print(
            "told", type(asyncio.get_running_loop()).__module__, oct(mask),
            context.get(fork.Worker).max_requests, os.getcwd(), os.geteuid(),
            flush=True,
        )

    async def prepare(): yield tell()
"""


@pytest.fixture
def buvar(tmp_path: Path, monkeypatch, interpreter):
    """Run the command, or a program, in a folder with an application."""
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    tmp_path.joinpath("app.py").write_text(textwrap.dedent(APPLICATION))

    def run(
        *args: str,
        code: int = 0,
        program: str | None = None,
        fresh: bool = False,
    ) -> str:
        start = ["-m", "buvar.cli"] if program is None else [program]
        done = interpreter.run(*start, *args, cwd=tmp_path, fresh=fresh)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout

    return run


#: From the lowest to the highest; each is tried with all those above it.
PRECEDENCE = {
    "default": "1",
    "$WEB_CONCURRENCY": "2",
    "first.toml:2": "3",
    "second.toml:2": "4",
    "fork_forks": "5",
    "$APP_FORK_FORKS_FILE": "6",
    "$APP_FORK_FORKS": "7",
    "--set fork.forks": "8",
    "--forks": "9",
}


@pytest.mark.parametrize("row", range(len(PRECEDENCE)))
def test_precedence(buvar, tmp_path: Path, monkeypatch, row: int) -> None:
    """What stands further down in the table wins over all above it."""
    origins = list(PRECEDENCE)
    given = {origin: PRECEDENCE[origin] for origin in origins[: row + 1]}
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    args = ["--env-prefix", "APP", "--secrets", str(secrets)]
    for origin, value in given.items():
        name = origin.removeprefix("$")
        if origin.endswith(".toml:2"):
            file = origin.removesuffix(":2")
            tmp_path.joinpath(file).write_text(f"[fork]\nforks = {value}\n")
            args += ["-c", file]
        elif origin == "fork_forks":
            secrets.joinpath(origin).write_text(value)
        elif origin.endswith("_FILE"):
            tmp_path.joinpath("number").write_text(value)
            monkeypatch.setenv(name, str(tmp_path / "number"))
        elif origin.startswith("$"):
            monkeypatch.setenv(name, value)
        elif origin.startswith("--set"):
            args += ["--set", f"fork.forks={value}"]
        elif origin == "--forks":
            args += ["--forks", value]

    shown = buvar("config", "show", "fork", *args).splitlines()[0]

    value, origin = re.fullmatch(r"fork\.forks = (\S+) +(.*)", shown).groups()
    if origin == str(secrets / "fork_forks"):
        assert value == "***"
    elif origins[row].endswith("_FILE"):
        assert origin.startswith(origins[row])
    else:
        expected = PRECEDENCE[origins[row]], origins[row]
        assert (value.strip("'"), origin) == expected


def test_the_section_has_every_option() -> None:
    """Whatever ``fork.stage`` takes the section has, with its default."""
    parameters = inspect.signature(fork.stage).parameters.values()
    options = {
        one.name: one.default
        for one in parameters
        if one.kind is one.KEYWORD_ONLY and one.name != "components"
    }
    settings = {one.name for one in attrs.fields(ForkConfig)}

    assert settings - options.keys() == {"loop", "reload_paths", "roles"}
    assert options.keys() - settings == set()
    mine = ForkConfig().stage_options()
    # The command does not fork unless it is told to, and what is bound on
    # the command line is meant to be served.
    options.update(forks=1, sockets=[], unserved="error")
    assert mine == options


def test_options_reach_the_workers(buvar, tmp_path: Path) -> None:
    """What options say is so in each worker."""
    folder = tmp_path / "work"
    folder.mkdir()
    told = buvar(
        "run",
        "app",
        *("--workers", "2", "--umask", "027", "--directory", "work"),
        *("--max-requests", "100", "--max-requests-jitter", "0"),
        *("--user", str(os.geteuid()), "--pid", "pid", "--no-preload"),
        *("--graceful-timeout", "5", "--log-level", "ERROR"),
    ).splitlines()

    line = f"told asyncio.unix_events 0o27 100 {folder} {os.geteuid()}"
    assert told == [line, line]
    assert not tmp_path.joinpath("pid").exists()


@pytest.mark.parametrize("name", ["uvloop", "winloop", "rloop", "auto"])
def test_other_loops(buvar, tmp_path: Path, name: str) -> None:
    """The loop is another one if that is asked for and installed."""
    windows = sys.platform == "win32"
    module = name
    if name == "auto":
        module = "winloop" if windows else "uvloop"
    tmp_path.joinpath(f"{module}.py").write_text(
        "import asyncio\n"
        "class Loop(asyncio.SelectorEventLoop): ...\n"
        "def new_event_loop(): return Loop()\n"
    )

    assert f"told {module}" in buvar("run", "app", "--loop", name)


def test_workers_as_root_are_named(tmp_path: Path, interpreter) -> None:
    """Workers that run as root without anybody's wish are a warning."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("not root")
    tmp_path.joinpath("app.py").write_text(textwrap.dedent(APPLICATION))

    def run(*args: str) -> str:
        command = ("-m", "buvar.cli", "run", "app", *args)
        done = interpreter.run(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stderr

    assert "The workers run as root" in run("--forks", "2")
    assert "as root" not in run("--forks", "2", "--user", "root")
    assert "as root" not in run()


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--forks", "x"], "fork.forks: expected a whole number, not 'x'"),
        (["--forks", "-1"], "fork.forks: expected 0 or more, not '-1'"),
        (["--loop", "uvlop"], "expected one of 'asyncio', 'uvloop',"),
        (["--umask", "99"], 'expected octal digits such as "027", not'),
        (["--graceful-timeout", "-1"], "a finite number of seconds, 0"),
        (["--graceful-timeout", "inf"], "expected a finite number of"),
        (["--max-requests", "0"], "expected a number more than 0"),
        (["--max-requests-jitter", "5"], "less than max_requests"),
        (["--log-level", "LOUD"], "'LOUD' is not a log level"),
        (["--set", "fork.frks=2"], "Did you mean 'forks'?"),
        (["--user", "nobody-at-all"], "there is no such user"),
        (["--directory", "nowhere"], "the path of a folder"),
        (["--fork", "2"], "--forks"),
        ([".web"], "'.web' is relative"),
        (["./app.py"], "did you mean 'app'?"),
        (["ap"], "did you mean 'app'?"),
        (["--set", 'fork.roles.a.plugins=[".web"]'], "not relative"),
    ],
)
def test_bad_options(buvar, args: list[str], expected: str) -> None:
    """A wrong option is named, with exit code 2 and no traceback."""
    output = buvar("run", "app", *args, code=2)

    assert expected in output
    if "expected" in expected:
        assert f"({args[0]})" in output
    assert "Traceback" not in output
    assert "told" not in output


SECONDS = [
    field.name
    for field in attrs.fields(ForkConfig)
    if field.type in ("float", float)
]


@pytest.mark.parametrize("name", SECONDS)
def test_what_the_section_takes_a_stage_takes(name: str, capsys) -> None:
    """The command refuses what ``fork.stage`` does, and nothing else."""

    async def prepare() -> None: ...

    def section(value: float) -> None:
        # What it means is up to the section: no boot_timeout is inf.
        ForkConfig(**{name: value})

    def stage(value: float) -> None:
        fork.stage(prepare, forks=1, **{name: value})

    def takes(function, refusal: type[BaseException]) -> list[float]:
        taken = []
        for value in (-1.0, -math.inf, math.nan, 0.0, 0.5, 60.0, math.inf):
            with contextlib.suppress(refusal):
                function(value)
                taken.append(value)
        return taken

    found = takes(section, ValueError)

    assert takes(stage, fork.OptionError) == found
    assert found[-2:] in ([0.5, 60.0], [60.0, math.inf])


def test_a_number_of_workers_that_is_none(buvar, monkeypatch) -> None:
    """A wrong $WEB_CONCURRENCY is named; an empty one is none."""
    monkeypatch.setenv("WEB_CONCURRENCY", "many")
    assert "not 'many' ($WEB_CONCURRENCY)" in buvar("run", "app", code=2)

    monkeypatch.setenv("WEB_CONCURRENCY", " ")
    assert buvar("run", "app").count("told") == 1
    # With the prefix of that name it is no misspelt setting.
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    assert buvar("run", "app", "--env-prefix", "WEB").count("told") == 2


def test_sections_of_the_command(buvar) -> None:
    """The words fork and log name what the command itself reads."""
    assert buvar("config", "sample", "fork").startswith("# How the workers")
    shown = buvar("config", "show", "log", "--log-level", "DEBUG")
    assert re.search(r"log.level = 'DEBUG' +--log-level", shown)
    assert "fork" not in shown
    schema = json.loads(buvar("config", "schema", "fork"))
    assert set(schema["properties"]) == {"fork"}
    variables = buvar("config", "env", "fork", "--env-prefix", "APP")
    assert "APP_FORK_FORKS=1\n" in variables


PROGRAM = """
    from buvar import cli

    async def greet():
        print("Hello", flush=True)
        {then}

    async def prepare(): yield greet()

    if __name__ == "__main__":
        cli.run(prepare, files=["shop.toml"], env_prefix="SHOP")
"""


def test_a_program_of_its_own(buvar, tmp_path: Path, monkeypatch) -> None:
    """One call gives a program files, variables, options and exit codes."""
    shop = tmp_path / "shop.py"
    shop.write_text(textwrap.dedent(PROGRAM.format(then="")))
    settings = tmp_path / "shop.toml"
    settings.write_text("[fork]\nforks = 2\n")

    assert buvar(program="shop.py", fresh=True) == "Hello\nHello\n"
    monkeypatch.setenv("SHOP_FORK_FORKS", "3")
    assert buvar(program="shop.py").count("Hello") == 3
    assert buvar("--forks", "1", program="shop.py") == "Hello\n"
    assert "Usage: shop.py [OPTIONS]" in buvar("-h", program="shop.py")
    assert "PLUGINS" not in buvar("-h", program="shop.py")

    settings.write_text("[frk]\n")
    output = buvar("--forks", "1", code=2, program="shop.py")
    assert "frk: unknown section" in output
    assert "shop.toml:1" in output
    settings.unlink()
    assert "shop.toml" in buvar(code=2, program="shop.py")

    settings.write_text("")
    shop.write_text(textwrap.dedent(PROGRAM.format(then="1 / 0")))
    output = buvar("--forks", "1", code=1, program="shop.py")
    assert "ZeroDivisionError" in output


def test_files_are_found_from_another_directory(
    tmp_path: Path, interpreter
) -> None:
    """A relative path of a file is that of where the command was started."""
    folder = tmp_path / "work"
    folder.mkdir()
    tmp_path.joinpath("app.py").write_text(
        "from buvar import config, context\n"
        "async def read():\n"
        "    source = context.get(config.ConfigSource)\n"
        "    source.reload()\n"
        "    print('read', source['x'], flush=True)\n"
        "async def prepare(): yield read()\n"
    )
    tmp_path.joinpath("c.toml").write_text("x = 5\n")

    done = interpreter.run(
        *("-m", "buvar.cli", "run", "app", "-c", "c.toml"),
        *("--directory", "work", "--unknown", "ignore"),
        cwd=tmp_path,
    )

    assert done.stdout == "read 5\n"


def test_the_sample_reads_back(buvar, tmp_path: Path) -> None:
    """The sample of the section is the section."""
    sample = tmp_path / "sample.toml"
    sample.write_text(buvar("config", "sample", "fork"))

    assert config.ConfigSource.read(sample).load(ForkConfig, "fork") == (
        ForkConfig()
    )
