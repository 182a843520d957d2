"""What the tutorial grows works after each of its steps."""

from __future__ import annotations

import os
import subprocess
import sys

from pathlib import Path

import pytest


TIMEOUT = 120  # seconds, a bound and no expectation
ROOT = Path(__file__).resolve().parent.parent
STEPS = sorted(ROOT.glob("docs/tutorials/*/step*"))


@pytest.mark.parametrize(
    "step", STEPS, ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_steps(step: Path) -> None:
    """The tests of a step pass, in a process of its own as readers run it."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command,
        cwd=step,
        env={
            **{k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"},
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_steps() -> None:
    """The folders have not been moved away from this test."""
    assert len(STEPS) == 6
