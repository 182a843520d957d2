"""What people read on a terminal has colours, files and pipes have none."""

from __future__ import annotations

import os
import subprocess
import sys

from pathlib import Path

import click
import pytest

from buvar.cli._findings import Finding
from buvar.cli._formats import for_terminal


pty = pytest.importorskip("pty", reason="there are no terminals")

TIMEOUT = 60  # seconds, a bound and no expectation


def on_terminal(folder: Path, *args: str, **env: str) -> str:
    """Run the command with a terminal, and return what that gets."""
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 40, 60, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "buvar.cli", *args],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **env},
    )
    os.close(theirs)
    data = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            data += chunk
    except OSError:  # it is closed
        pass
    os.close(ours)
    process.wait(TIMEOUT)
    return data.decode().replace("\r\n", "\n")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """Be a folder with a small service."""
    monkeypatch.delenv("COLUMNS", raising=False)
    tmp_path.joinpath("app.py").write_text("async def prepare(): ...\n")
    tmp_path.joinpath("c.toml").write_text("[fork]\nforks = 'x'\n[lgo]\n")
    return tmp_path


def test_a_check(folder: Path) -> None:
    """Places stand out, hints are broken at words; NO_COLOR is honoured."""
    said = on_terminal(folder, "check", "app:clok", "-c", "c.toml")

    assert "\x1b[1mc.toml:2: \x1b[0mfork.forks: expected" in said
    assert "[31m[configuration]" in said
    assert said.rstrip().endswith("mistakes found.\x1b[0m")
    assert "of the group\n" not in said
    plain = on_terminal(folder, "check", "app", "-c", "c.toml", NO_COLOR="1")
    assert "\x1b" not in plain


def test_the_settings(folder: Path) -> None:
    """What is set stands out among the defaults."""
    said = on_terminal(folder, "config", "show", "log", "-c", "c.toml")

    assert said.startswith("\x1b[2mlog.")


def test_long_mistakes_are_broken_at_words() -> None:
    """No word of a mistake is cut, nor a path that is wider than it all."""
    path = "/srv/" + "deep/" * 12 + "app.py"
    message = " ".join(["it cannot be loaded"] * 5)
    finding = Finding("plugin", message, None, path, 3)

    lines = click.unstyle(for_terminal([finding], 60)).splitlines()

    assert lines[0] == f"{path}:3:"
    assert all(len(line) <= 60 for line in lines[1:])
    assert " ".join(lines[1:-2]) == f"{message} [plugin]"
