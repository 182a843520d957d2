"""Other processes: which are there, and how to end them for sure."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import typing as t

from pathlib import Path


_PROC: t.Final = Path("/proc")
#: Seconds between two looks at another process, which has no event.
INTERVAL: t.Final = 0.005


def poll(condition: t.Callable[[], object], seconds: float) -> bool:
    """Wait until a condition holds, and tell whether it does."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(INTERVAL)
    return True


def children(pid: int) -> list[int]:
    """Return the children of a process that have not ended."""
    return sorted(
        child for child, parent in _running().items() if parent == pid
    )


def running(pid: int) -> bool:
    """Tell whether a process runs, and is not just a zombie."""
    return pid in _running()


def marked(mark: str) -> list[int]:
    """
    Return the processes that have ``mark`` in their environment.

    A child inherits it, whatever session, group or parent it has by now.
    """
    wanted = mark.encode()
    found: list[int] = []
    for pid in _running():
        with contextlib.suppress(OSError):
            if wanted in (_PROC / str(pid) / "environ").read_bytes():
                found.append(pid)
    return found


def kill_all(group: int, mark: str, seconds: float = 5.0) -> None:
    """
    Kill a group of processes, and all that came of it.

    Args:
        group: The group, whose first process has not been waited for, or
            has no other of its number: it is ours.
        mark: What they have in their environment.
        seconds: How long they may take to be gone.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)

    def gone() -> bool:
        left = marked(mark)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    poll(gone, seconds)


def _running() -> dict[int, int]:
    """Return the processes that are not zombies, and their parents."""
    found: dict[int, int] = {}
    for path in _PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in brackets, may contain anything.
            fields = path.read_text("utf-8", "replace").rpartition(")")[2]
            state, parent = fields.split()[:2]
            if state not in {"Z", "X"}:
                found[int(path.parent.name)] = int(parent)
    return found
