"""What the tests of logging share."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing as t

import pytest
import structlog

from buvar import log


Events: t.TypeAlias = t.Callable[[], list[dict[str, t.Any]]]
Run: t.TypeAlias = t.Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def restored() -> t.Iterator[None]:
    """Set logging back after each test."""
    structlog.contextvars.clear_contextvars()
    yield
    log.reset()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def events(capsys: pytest.CaptureFixture[str]) -> Events:
    """Return a function that returns the JSON lines on standard error."""
    return lambda: [
        json.loads(line) for line in capsys.readouterr().err.splitlines()
    ]


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    """Return a function that runs a program in a process of its own."""

    def run(
        program: str, *args: str, **kw: t.Any
    ) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "program.py"
        path.write_text(program)
        kw = {"capture_output": True, "text": True, "timeout": 30} | kw
        return subprocess.run(
            [sys.executable, str(path), *args], check=False, **kw
        )

    return run
