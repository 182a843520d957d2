"""
Where a supervisor waits: for signals, pipes, and its terminal.

Handlers are installed before the service takes its first resource and stay
until its end, so that no signal has its default action meanwhile. The
interpreter writes the number of each signal into a pipe, the moment it
comes: none is lost between looking and waiting, and nothing is polled.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import types
import typing as t

from .signals import ENDING
from .signals import FORWARDED
from .signals import HANDLED
from .signals import TERMINAL
from .terminal import Terminal


class InterruptedStartError(BaseException):
    """
    A signal asked the service to end before it has begun.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Inbox:
    """
    Signals, pipes of workers and the terminal, in one place to wait.

    It waits by ``poll``, which needs no descriptor of its own.
    """

    def __init__(self) -> None:
        self._poll = select.poll()
        self._watched: dict[int, object] = {}
        self._in, self._out = os.pipe()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._poll.register(self._in, select.POLLIN)
        self.terminal = Terminal()
        self.terminal.watch(self._poll)
        self._before: dict[signal.Signals, t.Any] = {}
        self._wakeup = -1
        self._mask: set[int] = set()
        self._emergency: t.Callable[[], object] | None = None
        self._asked: list[int] = []

    def __enter__(self) -> t.Self:
        """Handle the signals."""
        self._wakeup = signal.set_wakeup_fd(
            self._out, warn_on_full_buffer=False
        )
        # A process in the background that uses its terminal would get these
        # over and over again, for what the interpreter tries again after
        # each of them. Blocked, they let it write; they come while it waits.
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL)
        for number in HANDLED | FORWARDED:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the former handlers of the signals."""
        for number, before in self._before.items():
            # What was not set from Python cannot be put back by it.
            if before is not None:  # pragma: no branch
                signal.signal(number, before)
        signal.set_wakeup_fd(self._wakeup)
        # What came too late to be taken is not to reach the handlers of
        # before: this reads those that are still blocked.
        while signal.sigtimedwait(TERMINAL, 0) is not None:
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        self._close()

    def _note(self, number: int, _frame: types.FrameType | None) -> None:
        """Handle a signal: the pipe has it by now."""
        if self._emergency is None or number not in ENDING:
            return
        self._asked.append(number)
        if len(self._asked) > 1:
            # Whatever runs has swallowed the first one.
            self._emergency()
            os._exit(128 + number)
        raise InterruptedStartError(number)

    @contextlib.contextmanager
    def interrupting(
        self, emergency: t.Callable[[], object]
    ) -> t.Generator[None]:
        """
        Let a signal interrupt the block, as there are no workers yet.

        Args:
            emergency: Called before the process is ended at once, on the
                second such signal.

        Raises:
            InterruptedStartError: There was such a signal.
        """
        self._emergency = emergency
        try:
            yield
        finally:
            self._emergency = None
        if self._asked:
            raise InterruptedStartError(self._asked[0])

    def watch(self, fd: int, data: object) -> None:
        """Report when there is something to read."""
        self._watched[fd] = data
        self._poll.register(fd, select.POLLIN)

    def forget(self, fd: int) -> None:
        """Report no more."""
        del self._watched[fd]
        self._poll.unregister(fd)

    def wait(self, timeout: float) -> tuple[list[t.Any], list[signal.Signals]]:
        """
        Wait until something happens.

        Args:
            timeout: For how many seconds at most, may be infinite.

        Returns:
            The data of what has something to read, and the signals in order.
        """
        readable: list[t.Any] = []
        signals: list[signal.Signals] = []
        milliseconds = (
            None if timeout == math.inf else math.ceil(timeout * 1000)
        )
        signal.pthread_sigmask(signal.SIG_UNBLOCK, TERMINAL)
        try:
            found = self._poll.poll(milliseconds)
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL)
        ready = {fd for fd, _ in found}
        if self._in in ready:
            signals += self._read()
            # What was said before one of these came counts before it.
            ready |= {fd for fd, _ in self._poll.poll(0)}
        for fd in sorted(ready - {self._in}):
            if fd == self.terminal.fd:
                self.terminal.lose()
            else:
                readable.append(self._watched[fd])
        return readable, signals

    def _read(self) -> t.Iterator[signal.Signals]:
        """Yield our signals; handlers of others write into the pipe, too."""
        ours = HANDLED | FORWARDED
        for number in os.read(self._in, 1 << 16):
            if number in ours:
                yield signal.Signals(number)

    def abandon(self) -> None:
        """Leave all this to the parent, in a child, with signals blocked."""
        # The other handlers stay: SIG_IGN would be inherited by programs
        # that the worker starts.
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._close()

    def _close(self) -> None:
        os.close(self._in)
        os.close(self._out)
        self.terminal.close()
