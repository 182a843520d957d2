"""The terminal that a service was started from."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
import typing as t


#: For how many seconds a HUP belongs to a terminal that was closed: shells
#: pass it on to their jobs before they end.
_BELONGS: t.Final = 5.0


class Terminal:
    """
    Tells the HUP of a terminal that closes from one that somebody sends.

    A process gets the same signal for both, but only the former comes
    together with the end of the terminal.

    Attributes:
        fd: The terminal while it is there, -1 without one. It is to be
            watched for its end only, see ``watch``.
        ignored: Whether its end does not matter, as ``nohup`` has it.
    """

    def __init__(self) -> None:
        self.fd = -1
        self._poll: select.poll | None = None
        self._lost_at = -_BELONGS
        self.ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        if sys.platform != "linux":  # pragma: no cover - poll cannot there
            return
        try:
            self.fd = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
        except OSError:
            return

    def watch(self, poll: select.poll) -> None:
        """Have its end reported."""
        if self.fd >= 0:
            self._poll = poll
            # Nothing is asked for but what is reported always: its end.
            poll.register(self.fd, 0)

    def lose(self) -> None:
        """Note that it is gone."""
        if self._poll is not None:
            self._poll.unregister(self.fd)
        self.close()
        self._lost_at = time.monotonic()

    def just_closed(self) -> bool:
        """Tell whether a HUP that has come means the end of the terminal."""
        if self.fd >= 0 and _hung_up(self.fd):
            self.lose()
        return time.monotonic() < self._lost_at + _BELONGS

    def close(self) -> None:
        """Close it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _hung_up(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, 0)
    return bool(poll.poll(0))
