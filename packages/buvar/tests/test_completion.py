"""What a shell completes the command to, and the help that teaches."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from pathlib import Path

import click.testing
import pytest

from buvar.cli._commands import buvar


TIMEOUT = 60  # seconds, a bound and no expectation


@pytest.fixture
def complete(tmp_path: Path, monkeypatch):
    """Complete a command line in a folder with a service."""
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("shop").mkdir()
    for name in ("__init__", "web", "clock", "_impl"):
        tmp_path.joinpath("shop", f"{name}.py").write_text("raise OSError")
    tmp_path.joinpath("conftest.py").touch()
    tmp_path.joinpath("notes.txt").touch()
    runner = click.testing.CliRunner()

    def complete(line: str) -> list[str]:
        done = runner.invoke(
            buvar,
            prog_name="buvar",
            env={
                "_BUVAR_COMPLETE": "bash_complete",
                "COMP_WORDS": line,
                "COMP_CWORD": str(len(line.split(" ")) - 1),
            },
        )
        return done.output.splitlines()

    return complete


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("buvar co", ["plain,config", "plain,completion"]),
        ("buvar run sh", ["plain,shop"]),
        ("buvar run shop.", ["plain,shop.clock", "plain,shop.web"]),
        ("buvar run shop -c sh", ["file,sh"]),
        ("buvar run shop --secrets sh", ["dir,sh"]),
        ("buvar run shop --set fork.rol", ["plain,fork.roles="]),
        ("buvar run shop --log-level WARNI", ["plain,WARNING"]),
        ("buvar check shop --format s", ["plain,sarif"]),
    ],
)
def test_words(complete, line, expected) -> None:
    """Words are completed to what may stand there; nothing is imported."""
    assert complete(line) == expected


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_in_bash(tmp_path: Path) -> None:
    """Bash takes the script, and completes with it."""
    buvar_command = tmp_path / "buvar"
    buvar_command.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m buvar.cli "$@"\n'
    )
    buvar_command.chmod(0o755)
    program = (
        'eval "$(buvar completion bash)"\n'
        "COMP_WORDS=(buvar che) COMP_CWORD=1\n"
        "_buvar_completion buvar\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    output = subprocess.check_output(
        ["/usr/bin/env", "bash", "-c", program],
        env={**os.environ, "PATH": path, "SHELL": "/bin/bash"},
        text=True,
        timeout=TIMEOUT,
    )
    assert output == "check\n"


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells(shell) -> None:
    """There are scripts for the others, and for the one of $SHELL."""
    runner = click.testing.CliRunner()
    said = runner.invoke(buvar, ["completion", shell])
    of_shell = runner.invoke(
        buvar, ["completion"], env={"SHELL": f"/usr/bin/{shell}"}
    )

    assert "_BUVAR_COMPLETE" in said.output
    assert of_shell.output == said.output


def test_an_unknown_shell() -> None:
    """A shell that nobody knows is one line, exit code 2."""
    done = click.testing.CliRunner().invoke(
        buvar, ["completion"], env={"SHELL": "/bin/dash"}
    )

    assert done.exit_code == 2
    assert "$SHELL is not one of bash, zsh, fish: say which" in done.output


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["run"],
        ["check"],
        ["graph"],
        ["config"],
        ["deploy"],
        ["new"],
        ["completion"],
    ],
)
def test_help_has_examples(args) -> None:
    """The help of each command has a line to copy, on its own line."""
    done = click.testing.CliRunner().invoke(
        buvar, [*args, "--help"], prog_name="buvar"
    )

    start = " ".join(["buvar", *(args or ["new"])])
    lines = [line.strip() for line in done.output.splitlines()]
    assert any(
        line.startswith(start) or f"({start}" in line
        for line in lines
        if not line.startswith("Usage")
    )
    assert "..." not in done.output.partition("Commands:")[2]
    assert "\x1b" not in done.output
