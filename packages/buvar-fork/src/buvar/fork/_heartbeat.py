"""A plugin in each worker: says that it lives, and watches the parent."""

from __future__ import annotations

import asyncio
import os
import pathlib
import signal
import typing as t

from ._ipc import Kind
from ._ipc import Sender


#: Seconds by which it comes later than that, however fast it gets there.
_LATER: t.Final = 0.1
_STATM: t.Final = pathlib.Path("/proc/self/statm")


class Heartbeat:
    """
    Tells the parent regularly that the event loop is not blocked.

    It is a timer and no task: a stage ends when all of its tasks do.

    Args:
        sender: Where to tell it.
        seconds: How often.
        lifeline: Readable when the parent is gone.
        signals: The signals that were blocked for the fork.
        on_heartbeat: Called each time.
        weigh: Whether to tell the memory in use.
    """

    def __init__(
        self,
        sender: Sender,
        seconds: float,
        lifeline: int,
        signals: t.Collection[signal.Signals],
        on_heartbeat: t.Callable[[], object],
        *,
        weigh: bool,
    ) -> None:
        self._sender = sender
        self._seconds = seconds
        self._lifeline = lifeline
        self._signals = signals
        self._on_heartbeat = on_heartbeat
        self._weigh = weigh
        self._loop: asyncio.AbstractEventLoop | None = None

    async def prepare(self) -> None:
        """Start; the stage handles its signals by now."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._signals)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._lifeline, _die)
        self._tick()

    def once_after(self, seconds: float) -> None:
        """Have one heartbeat more, once a worker counts as healthy."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_later(
                seconds + _LATER, self._sender.hint, Kind.HEARTBEAT
            )

    def _tick(self) -> None:
        memory = b"%d" % resident() if self._weigh else b""
        self._sender.hint(Kind.HEARTBEAT, memory)
        self._on_heartbeat()
        asyncio.get_running_loop().call_later(self._seconds, self._tick)


def resident() -> int:
    """Return the memory that this process has in RAM, in bytes."""
    try:
        pages = _STATM.read_text().split()[1]
    except OSError:  # pragma: no cover - Linux only
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _die() -> None:
    """End at once: nobody is left to end this process later."""
    os._exit(1)
