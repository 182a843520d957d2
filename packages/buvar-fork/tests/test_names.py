"""The public names are those listed, and nothing heavy is imported."""

from __future__ import annotations

import subprocess
import sys
import types

from buvar import fork


def test_all() -> None:
    """``__all__`` is sorted and has each public name."""
    public = {
        name
        for name, value in vars(fork).items()
        if not name.startswith("_")
        and name != "annotations"
        and not isinstance(value, types.ModuleType)
    }

    assert fork.__all__ == sorted(fork.__all__)
    assert set(fork.__all__) == public


def test_where_nothing_forks() -> None:
    """The module imports where there is no fork, and says so when used."""
    program = """
import asyncio, os, signal, subprocess
del os.fork, signal.pthread_sigmask
del signal.SIGCHLD, signal.SIGHUP, signal.SIGQUIT
from buvar import fork
async def task(): return "here"
async def prepare(): return task()
print(fork.stage(prepare, forks=1, sockets=["tcp://127.0.0.1:0"]))
fork.stage(prepare)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.stdout == "['here']\n"
    assert "This platform cannot fork; use forks=1" in done.stderr
    assert done.returncode == 2
