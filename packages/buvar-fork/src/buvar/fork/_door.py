"""A listening socket that several event loops accept from."""

from __future__ import annotations

import socket
import typing as t


class Door(socket.socket):
    """
    Listens; lets one in at a time, and can be shut.

    An event loop accepts all who wait as soon as it wakes up. With several
    workers at one socket the first to wake would take them all, so that
    each accepts one and then looks again; meanwhile the others do.
    """

    #: Whether nobody is let in here any more.
    shut = False
    _backlog = 0
    _one_in = False

    def accept(self) -> tuple[socket.socket, t.Any]:
        """
        Accept a connection.

        Raises:
            BlockingIOError: Nobody waits, or it is another worker's turn.
        """
        if self.shut or self._one_in:
            self._one_in = False
            raise BlockingIOError
        connection = super().accept()
        self._one_in = True
        return connection

    def listen(self, backlog: int = 128, /) -> None:
        """Listen; a server does so again, which must not shorten a queue."""
        self._backlog = max(self._backlog, backlog)
        super().listen(self._backlog)
