"""Forking where threads run, without streams, or in a subinterpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_threads(start) -> None:
    """A thread that runs is named, and no warning ends the supervisor."""
    program = start(
        """
import threading
from buvar import fork
async def task(): return threading.active_count()
async def prepare(): yield task()
if __name__ == "__main__":
    end = threading.Event()
    threading.Thread(target=end.wait, name="mine").start()
    try:
        print(fork.stage(prepare, forks=2))
    finally:
        end.set()
""",
        env={"PYTHONWARNINGS": "error::DeprecationWarning"},
    )

    assert program.wait() == 0
    assert "[1, 1]" in program.output
    assert program.output.count("workers are forked: mine.") == 1


#: Runs a text in an interpreter beside the main one.
BESIDE = """
import sys
try:
    from concurrent import interpreters
    run = interpreters.create().exec
except ImportError:
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    other = interpreters.create()
    def run(text):
        failed = interpreters.run_string(other, text)
        assert failed is None, failed
run(sys.argv[1])
"""


def run_beside(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BESIDE, text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(sys.version_info < (3, 12), reason="cannot import there")
def test_subinterpreter() -> None:
    """The module can be imported, and a stage run, in a subinterpreter."""
    done = run_beside("""
from buvar import fork
async def task(): return "here"
async def prepare(): yield task()
print(fork.stage(prepare, forks=1, signals=None), flush=True)
try:
    fork.stage(prepare, forks=2)
except fork.UnsupportedError as error:
    print(error, flush=True)
""")

    assert done.stdout.startswith("['here']\n"), done.stderr
    assert "Only the main thread" in done.stdout
    # Python 3.12 may crash when such an interpreter ends, without us too.
    if not run_beside("import asyncio").returncode:
        assert done.returncode == 0
