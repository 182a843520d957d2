"""What workers return reaches the parent, or what it looks like."""

from __future__ import annotations

import threading

from buvar import fork


def test_results() -> None:
    """Results of all workers are returned, or what they look like."""

    async def tasks():
        return [threading.Lock, "x" * 1_000_000]

    async def lock():
        return threading.Lock()

    async def prepare():
        yield tasks()
        yield lock()

    one, two, three, four = fork.stage(prepare, forks=2)

    assert one == three == [threading.Lock, "x" * 1_000_000]
    assert two.startswith("<unlocked")
    assert four.startswith("<unlocked")


class _PickyError(Exception):
    """Can be written by pickle, but not read."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(one)


def test_exceptions() -> None:
    """Failures that are asked for as results need not be picklable."""

    async def task():
        raise _PickyError(1, 2)

    async def prepare():
        return task()

    results = fork.stage(prepare, forks=2, return_exceptions=True)

    assert results == ["_PickyError(1)"] * 2


def test_what_the_parent_has_not(start) -> None:
    """What only the workers have imported is told, the rest arrives."""
    program = start(
        """
import sys, types
from buvar import fork
async def task():
    module = sys.modules["only_there"] = types.ModuleType("only_there")
    exec("class Thing: pass", vars(module))
    return module.Thing()
async def other(): return 1
async def prepare():
    yield task()
    yield other()
for line in fork.stage(prepare, forks=2): print(line)
"""
    )

    assert program.wait() == 0
    one, two, three, four = program.output.splitlines()
    assert one == three
    assert "not to be read by the parent: ModuleNotFoundError" in one
    assert two == four == "1"


def test_what_cannot_even_be_shown(start) -> None:
    """A result without a text ends the worker, which says why."""
    program = start(
        """
from buvar import fork
class Thing:
    def __reduce__(self): raise ValueError("not to be written")
    def __repr__(self): raise ValueError("nor to be shown")
async def task(): return Thing()
async def prepare(): yield task()
fork.stage(prepare, forks=2, max_failures=1)
"""
    )

    assert program.wait() == 1
    assert "ValueError: nor to be shown" in program.output
    assert "Worker 1 failed" in program.output or (
        "Worker 2 failed" in program.output
    )
