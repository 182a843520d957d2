"""A worker ends with its parent, however that ends."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import typing as t


# Not where it is needed: a process that has become another user may not be
# able to read it any more.
try:
    import ctypes
except ImportError:  # pragma: no cover - in a subinterpreter of Python 3.12
    _load: t.Callable[[None], t.Any] | None = None
else:
    _load = ctypes.CDLL

#: Linux: the signal to get when the parent ends.
_PR_SET_PDEATHSIG: t.Final = 1


class ParentDeathSignal:
    """
    What ties workers to their parent.

    Made in the parent, where what it needs is looked up once. Elsewhere than
    on Linux a worker sees the end of a pipe.
    """

    def __init__(self) -> None:
        self._parent = os.getpid()
        self._prctl: t.Any = None
        if sys.platform == "linux" and _load is not None:
            with contextlib.suppress(OSError, AttributeError):
                self._prctl = _load(None).prctl

    def tie(self) -> None:
        """Have the kernel end this process when its parent ends."""
        if self._prctl is not None:
            self._prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self._parent:  # pragma: no cover - a race: gone
            os.kill(os.getpid(), signal.SIGKILL)
