"""All connections of a server."""

from __future__ import annotations

import asyncio
import sys
import time
import typing as t

import aiohttp.web

from ._connection import Connection


_now = time.monotonic


class Connections:
    """
    All connections of a server; makes them, as a protocol factory.

    Args:
        server: What their requests are for.
        options: See ``connection_options``.
        problems: Whether errors are data for clients that accept JSON.
        limit: How many there may be, ``None`` for any number.

    Attributes:
        problems: The same.
        all: Those that are connected, or whose request is being handled.
        count: How many are connected.
    """

    def __init__(
        self,
        server: aiohttp.web.Server,
        options: dict[str, t.Any],
        *,
        problems: bool,
        limit: int | None = None,
    ) -> None:
        self.problems = problems
        self._server = server
        self._options = {"loop": asyncio.get_running_loop(), **options}
        self._limit = sys.maxsize if limit is None else limit
        self.all: set[Connection] = set()
        self.count = 0
        self._on_lost: list[t.Callable[[], None]] = []
        self._on_full: list[t.Callable[[], None]] = []

    def __call__(self) -> Connection:
        """Make a connection."""
        return Connection(self, self._server, self._options)

    def listen(
        self, *, full: t.Callable[[], None], lost: t.Callable[[], None]
    ) -> None:
        """
        Be told how many there are.

        Args:
            full: Called when there are as many as there may be.
            lost: Called when one more may be connected than before.
        """
        self._on_full.append(full)
        self._on_lost.append(lost)

    def on_full(self) -> None:
        """Tell that there are as many as there may be."""
        for full in self._on_full:
            full()

    @property
    def full(self) -> bool:
        """Whether no more may be connected."""
        return self.count >= self._limit

    def add(self, connection: Connection) -> bool:
        """Take a connection in, unless there are too many."""
        if self.count >= self._limit:
            self.on_full()
            return False
        self.count += 1
        self.all.add(connection)
        if self.count >= self._limit:
            self.on_full()
        return True

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is lost, unless it has a request."""
        self.count -= 1
        if not connection.busy:
            self.all.discard(connection)
        for on_lost in self._on_lost:
            on_lost()

    def forget(self, connection: Connection) -> None:
        """Forget a connection."""
        self.all.discard(connection)

    def busy(self) -> list[Connection]:
        """Return those whose request is being handled."""
        return [c for c in self.all if c.busy]

    def sending(self) -> list[Connection]:
        """Return those whose request was handled, but not answered yet."""
        return [c for c in self.all if not c.busy and c.sending]

    def beginning(self) -> list[Connection]:
        """Return those that have sent only a part of a request's head."""
        return [c for c in self.all if c.begun and c.idle]

    def under_way(self) -> bool:
        """Tell whether any request is, from its first to its last byte."""
        return any(
            (c.busy and not c.switched) or c.sending or (c.begun and c.idle)
            for c in self.all
        )

    def fresh(self, seconds: float) -> list[Connection]:
        """Return those that were made not long ago, and have sent nothing."""
        since = _now() - seconds
        return [c for c in self.all if c.request is None and c.heard > since]

    def close_overdue(
        self, *, header_timeout: float, keepalive_timeout: float
    ) -> None:
        """Close those whose request does not go on, or does not begin."""
        now = _now()
        for connection in [*self.all]:
            if not connection.idle:
                continue
            if connection.begun:
                overdue = now - connection.begun >= header_timeout
            else:
                # aiohttp does that as well, but not in all versions before
                # the first request.
                overdue = now - connection.heard >= keepalive_timeout
            if overdue:
                connection.evict()

    def make_room(self, number: int, *, idle: float) -> int:
        """
        Close those that have been idle for longest.

        Args:
            number: How many at most.
            idle: How long one must have been idle at least, in seconds.

        Returns:
            How many were closed.
        """
        now = _now()
        candidates = [c for c in self.all if c.idle and now - c.heard >= idle]
        candidates.sort(key=lambda c: c.heard)
        for connection in candidates[:number]:
            connection.evict()
        return len(candidates[:number])
