"""A listening socket that several event loops accept from."""

from __future__ import annotations

import errno
import socket
import struct
import time
import typing as t


#: Where ``struct tcp_info`` has the length of a listening socket's queue.
_QUEUE = struct.Struct("=24xI")
#: What the system says when it has no room for one more connection.
_EXHAUSTED: t.Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
)
#: Seconds after that in which nothing is accepted. An event loop tries again
#: after one second, and logs each time that it was in vain.
_PAUSE: t.Final = 0.9


class FairListener(socket.socket):
    """
    Listens; lets a few in at a time, and can be shut.

    An event loop accepts all who wait as soon as it wakes up. With several
    workers at one socket the first to wake would take them all, so that
    each accepts its share of those who wait and then looks again; meanwhile
    the others do.
    """

    #: How many workers accept here.
    workers = 1
    #: Whether new connections are no longer accepted here.
    shut = False
    _backlog = 0
    #: How many may still come in before the others have their turn.
    _left: int | None = None
    #: Until when nothing is accepted, as there was no room.
    _pause = 0.0

    def accept(self) -> tuple[socket.socket, t.Any]:
        """
        Accept a connection.

        Raises:
            BlockingIOError: Nobody waits, or it is another worker's turn.
            OSError: There is no room for a connection; said once a second.
        """
        if self.shut or (self._pause and time.monotonic() < self._pause):
            raise BlockingIOError
        try:
            return self._accept_share()
        except OSError as error:
            if error.errno in _EXHAUSTED:
                # Before Python 3.13 an event loop goes on to accept in the
                # same turn, as often as its backlog says, and logs each try.
                self._pause = time.monotonic() + _PAUSE
            raise

    def _accept_share(self) -> tuple[socket.socket, t.Any]:
        if self.workers == 1:
            return super().accept()
        if self._left is None:
            self._left = -(-self._waiting() // self.workers)
        elif self._left == 0:
            self._left = None
            raise BlockingIOError
        try:
            connection = super().accept()
        except OSError:
            self._left = None
            raise
        self._left -= 1
        return connection

    def _waiting(self) -> int:
        """Return how many wait, 1 if the system does not tell."""
        try:
            info = self.getsockopt(
                socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUE.size
            )
        except (AttributeError, OSError):
            return 1
        waiting: int = _QUEUE.unpack(info)[0]
        return max(1, waiting)

    def listen(self, backlog: int = 128, /) -> None:
        """Listen; a server does so again, which must not shorten a queue."""
        self._backlog = max(self._backlog, backlog)
        super().listen(self._backlog)
