"""A listening socket that several event loops accept from."""

from __future__ import annotations

import socket
import struct
import typing as t


#: Where ``struct tcp_info`` has the length of a listening socket's queue.
_QUEUE = struct.Struct("=24xI")


class Door(socket.socket):
    """
    Listens; lets a few in at a time, and can be shut.

    An event loop accepts all who wait as soon as it wakes up. With several
    workers at one socket the first to wake would take them all, so that
    each accepts its share of those who wait and then looks again; meanwhile
    the others do.
    """

    #: How many workers accept here.
    workers = 1
    #: Whether nobody is let in here any more.
    shut = False
    _backlog = 0
    #: How many may still come in before the others have their turn.
    _left: int | None = None

    def accept(self) -> tuple[socket.socket, t.Any]:
        """
        Accept a connection.

        Raises:
            BlockingIOError: Nobody waits, or it is another worker's turn.
        """
        if self.shut:
            raise BlockingIOError
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
