"""The commands, as a user starts them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading

from pathlib import Path

import pytest


TIMEOUT = 60  # seconds, a bound and no expectation


def test_run(buvar) -> None:
    """``run`` runs the plugins until their tasks end."""
    assert buvar("run", "app", fresh=True) == "Hello\n"


def test_run_with_configuration(buvar, tmp_path: Path) -> None:
    """Files, the environment's prefix and --set decide the values."""
    config = tmp_path / "config.toml"
    config.write_text('[greeting]\ntext = "Hi"\n')

    output = buvar(
        "run", "app:prepare", "-c", str(config), "--set", "greeting.times=2"
    )

    assert output == "Hi\nHi\n"


def test_run_in_workers(buvar) -> None:
    """``--forks`` runs the plugins in each worker."""
    if sys.platform == "win32":
        pytest.skip("no fork")

    # Each writes in pieces where Python does not buffer.
    output = buvar("run", "app", "--forks", "2", fresh=True)

    assert output.count("Hello") == 2


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.usefixtures("buvar")
def test_signals_end_it(tmp_path: Path, number: int) -> None:
    """TERM and INT end the application with exit code 0, and no complaint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "buvar.cli", "run", "app:wait"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    bound = threading.Timer(TIMEOUT, process.kill)
    bound.start()
    with process:
        assert process.stdout
        assert process.stdout.readline() == "waiting\n"
        bound.cancel()

        process.send_signal(number)
        _, errors = process.communicate(timeout=TIMEOUT)

    assert process.returncode == 0
    events = [json.loads(line) for line in errors.splitlines()]
    assert {event["level"] for event in events} <= {"info"}, errors


def test_a_crash_ends_with_1(buvar) -> None:
    """An application that fails shows its traceback and exit code 1."""
    assert "crashed" in buvar("run", "app:crash", code=1)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("run",), "No plugin is named."),
        (("run", "nowhere"), "nowhere"),
        (("run", "app:nothing"), "nothing"),
        (("run", "app", "-c", "missing.toml"), "missing.toml"),
        (("run", "app", "-c", "missing.toml"), "the path that -c names"),
        (("run", "app", "--env-prefix", "a b"), "for '--env-prefix'"),
        (("config", "env", "app", "--env-prefix", "_"), "such as 'APP'"),
        (("run", "app", "--set", "greeting.times=x"), "greeting.times"),
        (("run", "app", "--set", "greeting.tmes=1"), "times"),
        (("run", "app", "--set", "log.level=LOUD"), "LOUD"),
        (("run", "app", "--bind", "nonsense"), "nonsense"),
        (("run", "app", "--forks", "-1"), "--forks"),
        (("rnu", "app"), "No such command 'rnu'"),
        (("run", "app", "--set", "greeting.times"), "section.key=value"),
        (("config", "sample", "nowhere"), "nowhere"),
        (("config", "sample", "app:prepar"), "did you mean 'app:prepare'?"),
        (("config", "env", "app"), "--env-prefix APP"),
        (("config", "sample", "json"), "No section"),
        (("check", "app", "--set", "greeting.times=x"), "greeting.times"),
    ],
)
def test_bad_usage_ends_with_2(buvar, args, expected: str) -> None:
    """What the user got wrong is named, without a traceback."""
    output = buvar(*args, code=2)

    assert expected in output
    assert "Traceback" not in output


def test_check(buvar) -> None:
    """``check`` prepares, verifies, and runs no task."""
    output = buvar("check", "app", fresh=True)

    assert "prepared app; verified" in output
    assert "Hello" not in output


@pytest.mark.parametrize("command", ["run", "check"])
def test_misspelt_sections(buvar, tmp_path: Path, command) -> None:
    """What nothing reads is an error, or a warning; ``log`` is read."""
    tmp_path.joinpath("c.toml").write_text(
        "top = 1\n[greting]\n[log]\n[somewhere.else]\n"
    )

    output = buvar(command, "app", "-c", "c.toml", code=2)

    assert "top: unknown key, nothing reads it" in output
    assert "greting: unknown section, nothing reads it" in output
    if command == "run":
        # What helps here is an option, not something in the code.
        assert output.endswith("have it only logged: --unknown warn.\n")
    assert "c.toml:1" in output
    assert "c.toml:2" in output
    assert "Did you mean 'greeting'?" in output
    assert "somewhere" in output
    assert "Traceback" not in output
    for mode in ("warn", "ignore"):
        buvar(command, "app", "-c", "c.toml", "--unknown", mode)


def test_misspelt_variables(buvar, tmp_path: Path, monkeypatch) -> None:
    """A variable or secret file that sets nothing is an error."""
    monkeypatch.setenv("APP_GREETING_NAMME", "typo")
    monkeypatch.setenv("APP_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("APP_PORT_80_TCP_ADDR", "10.0.0.1")
    folder = tmp_path / "secrets"
    folder.mkdir()
    folder.joinpath("greeting_nam").write_text("typo")
    options = ("--env-prefix", "APP", "--secrets", str(folder))

    output = buvar("run", "app", *options, code=2)

    assert "unknown variable, it sets nothing ($APP_GREETING_NAMME)" in output
    assert "unknown secret file, it sets nothing" in output
    assert "10.0.0.1" not in output
    assert "SERVICE_HOST" not in output


def test_check_finds_what_is_missing(buvar) -> None:
    """``check`` fails where something cannot be injected."""
    output = buvar("check", "app:lacking", code=1)

    assert "Missing" in output
    assert "Traceback" not in output


def test_check_reports_all_kinds_at_once(buvar, tmp_path: Path) -> None:
    """What cannot be injected, wrong values and unknown sections together."""
    file = tmp_path / "wrong.toml"
    file.write_text('[greeting]\ntimes = "often"\n[greting]\ntext = "x"\n')

    output = buvar("check", "app:lacking", "-c", str(file), code=1)

    assert "Missing" in output
    assert "greeting.times: expected a whole number" in output
    assert "greting: unknown section" in output
    assert "Traceback" not in output
    assert "greeting.times" in buvar("check", "app", "-c", str(file), code=2)


def test_a_module_that_cannot_be_imported(buvar, tmp_path: Path) -> None:
    """What fails in a module of the application is shown where it is."""
    tmp_path.joinpath("broken.py").write_text("import nowhere_at_all\n")

    output = buvar("config", "sample", "broken", code=1)

    assert "broken.py" in output
    assert "nowhere_at_all" in output


@pytest.mark.parametrize(
    ("form", "expected"),
    [("tree", "Speaker"), ("mermaid", "flowchart"), ("dot", "digraph")],
)
def test_graph(buvar, form: str, expected: str) -> None:
    """``graph`` draws what is injected."""
    assert expected in buvar("graph", "app", "--format", form)


def test_graph_of_generics(buvar) -> None:
    """``graph`` writes generics out, and each line in one."""
    output = buvar("graph", "app:generic", fresh=True)

    (line,) = [line for line in output.splitlines() if "list[" in line]
    assert line.startswith("└── list[app.Speaker]  call, ")
    assert "app.py:" in line


def test_help(buvar) -> None:
    """Help lists the commands in the order in which one needs them."""
    output = buvar("--help", fresh=True)

    commands = output.partition("Commands:")[2]
    assert [line.split()[0] for line in commands.splitlines()[1:5]] == [
        "run",
        "check",
        "graph",
        "config",
    ]
    assert "3 the workers cannot boot" in " ".join(output.split())
    assert "\n  buvar run app:prepare\n" in buvar("run", "-h")


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_workers_that_cannot_boot(buvar) -> None:
    """Workers whose plugins cannot be prepared end it with exit code 3."""
    output = buvar("run", "app:unable", "--forks", "2", code=3)

    assert "cannot boot" in output.splitlines()[-1]
    assert "unable to prepare" in output


def test_version(buvar) -> None:
    """``--version`` prints the version of the package."""
    assert "1.0.0" in buvar("--version")


def test_importing_imports_nothing_else() -> None:
    """The package is free until the command is used."""
    program = (
        "import sys, buvar.cli; "
        "assert not {'click', 'rich', 'aiohttp', 'attrs'} & set(sys.modules)"
    )

    subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=TIMEOUT
    )


def test_a_failure_is_one_event(buvar) -> None:
    """What fails is logged with the user's frames, and what it means."""
    (line,) = buvar("run", "app:unable", code=1).splitlines()
    event = json.loads(line)
    assert event["event"] == "The plugin 'app:unable' could not be prepared."
    assert (event["phase"], event["plugin"]) == ("prepare", "app:unable")
    (error,) = event["exception"]
    assert error["exc_value"] == "unable to prepare"
    assert [frame["name"] for frame in error["frames"]] == ["unable"]
    assert "cli" not in line.replace('"logger":"buvar.cli"', "")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("run app_b", 1),
        ("run app_b --forks 2 --user root", 3),
        ("run app_b --forks 2 --user root --no-preload", 3),
        ("config sample app_b", 1),
        ("graph app_b", 1),
    ],
)
def test_a_failed_import_starts_in_the_users_file(
    buvar, tmp_path: Path, words: str, code: int
) -> None:
    """Whichever command imports a plugin, no frame of ours is shown."""
    tmp_path.joinpath("app_b.py").write_text("import app_c\n")
    tmp_path.joinpath("app_c.py").write_text("1 / 0\n")

    lines = buvar(*words.split(), code=code).splitlines()

    events = [json.loads(line) for line in lines if line.startswith("{")]
    (failed,) = [event for event in events if "exception" in event]
    error = failed["exception"][0]
    if words.endswith("--no-preload"):
        # A worker tells of all that failed in its stage.
        assert error["frames"] == []
        ((error,),) = error["exceptions"]
    names = [Path(frame["filename"]).name for frame in error["frames"]]
    assert names == ["app_b.py", "app_c.py"]


def test_check_beside_the_running_service(buvar, tmp_path: Path) -> None:
    """``check`` binds nothing, whoever has the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        set_ = ("--set", f"aiohttp.port={port}")

        assert "All is well" in buvar("check", "buvar_aiohttp", *set_)
        output = buvar("run", "buvar_aiohttp", *set_, code=2)

    assert "in use" in output.splitlines()[0]
    assert "Traceback" not in output
