"""One source of all that a supervisor reacts to."""

from __future__ import annotations

import os
import selectors
import signal
import types
import typing as t


def _names(*names: str) -> frozenset[signal.Signals]:
    return frozenset(
        number
        for name in names
        if (number := getattr(signal, name, None)) is not None
    )


#: What a supervisor handles itself.
HANDLED: t.Final = _names(
    "SIGCHLD", "SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGTTIN", "SIGTTOU"
)
#: What it only passes on.
FORWARDED: t.Final = _names("SIGUSR1", "SIGUSR2", "SIGWINCH")


class Events:
    """
    Signals, child exits and pipes of workers, in one selector.

    The interpreter writes the number of each signal into a pipe, the moment
    it comes: none is lost between looking and waiting, and there is nothing
    to poll.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._in, self._out = os.pipe()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._selector.register(self._in, selectors.EVENT_READ)
        self._before: dict[signal.Signals, t.Any] = {}
        self._wakeup = -1

    def __enter__(self) -> t.Self:
        """Handle the signals."""
        self._wakeup = signal.set_wakeup_fd(
            self._out, warn_on_full_buffer=False
        )
        for number in HANDLED | FORWARDED:
            self._before[number] = signal.signal(number, nothing)
        return self

    def __exit__(self, *_: object) -> None:
        """Put back what handled the signals before."""
        for number, before in self._before.items():
            # What was not set from Python cannot be put back by it.
            if before is not None:  # pragma: no branch
                signal.signal(number, before)
        signal.set_wakeup_fd(self._wakeup)
        self._close()

    def watch(self, fd: int, data: object) -> None:
        """Report when there is something to read."""
        self._selector.register(fd, selectors.EVENT_READ, data)

    def forget(self, fd: int) -> None:
        """Report no more."""
        self._selector.unregister(fd)

    def wait(
        self, timeout: float | None
    ) -> tuple[list[t.Any], list[signal.Signals]]:
        """Return who has something to read, and the signals in order."""
        readable: list[t.Any] = []
        signals: list[signal.Signals] = []
        for key, _ in self._selector.select(timeout):
            if key.fd == self._in:
                signals += map(signal.Signals, os.read(self._in, 1 << 16))
            else:
                readable.append(key.data)
        return readable, signals

    def abandon(self) -> None:
        """Leave all this to the parent, in a child, with signals blocked."""
        # The other handlers stay: SIG_IGN would be inherited by programs
        # that the worker starts.
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._close()

    def _close(self) -> None:
        self._selector.close()
        os.close(self._in)
        os.close(self._out)


def nothing(_number: int, _frame: types.FrameType | None) -> None:
    """Handle a signal: that it came is all there is to know."""
