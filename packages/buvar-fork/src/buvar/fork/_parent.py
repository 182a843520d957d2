"""A worker ends with its parent, however that ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import typing as t


#: Linux: the signal to get when the parent ends.
_PR_SET_PDEATHSIG: t.Final = 1


def die_with(parent: int) -> None:
    """
    Have the kernel end this process when its parent ends.

    Elsewhere than on Linux the worker sees the end of a pipe.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # pragma: no cover - a race: it is gone
        os.kill(os.getpid(), signal.SIGKILL)
