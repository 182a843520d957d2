"""
The connections of a server: what each waits for, and since when.

aiohttp does not tell which of its connections have sent half a request, which
have none, and which have a request that is being handled. To stop a server in
good order, and to be rid of clients that only occupy it, one has to know.
"""

from __future__ import annotations

import asyncio
import sys
import time
import typing as t

import aiohttp.web

from ._access import raw_path
from ._payload import check_payload


#: What is answered to half a request that does not go on.
_TIMED_OUT: t.Final = (
    b"HTTP/1.1 408 Request Timeout\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)

_now = time.monotonic


class Connection(asyncio.Protocol):
    """
    A connection: what arrives is noted and handed on to aiohttp.

    Attributes:
        protocol: aiohttp's side of it, set by those who make it.
        begun: When the first byte of a request arrived whose head is not
            complete yet, else 0.
        heard: When the last byte arrived.
        request: What is being handled, or was handled last.
        busy: Whether that request is being handled.
        started: When the first byte of that request arrived.
        open: Whether it is connected.
    """

    __slots__ = (
        "_all",
        "_feed",
        "_transport",
        "begun",
        "busy",
        "eof_received",
        "heard",
        "open",
        "pause_writing",
        "protocol",
        "request",
        "resume_writing",
        "started",
    )

    def __init__(self, connections: Connections) -> None:
        self.begun = self.started = 0.0
        self.heard = _now()
        self.request: aiohttp.web.BaseRequest | None = None
        self.open = self.busy = False
        self._all = connections
        self._transport: asyncio.Transport | None = None

    def hand_on_to(self, protocol: aiohttp.web.RequestHandler) -> None:
        """Hand on what arrives to aiohttp's side of the connection."""
        self.protocol = protocol
        # Handed on without a call in between.
        self._feed = protocol.data_received
        this: t.Any = self
        this.eof_received = protocol.eof_received
        this.pause_writing = protocol.pause_writing
        this.resume_writing = protocol.resume_writing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the connection; one too many is dropped."""
        self._transport = t.cast("asyncio.Transport", transport)
        if not self._all.add(self):
            self._transport.abort()
            return
        self.open = True
        self.heard = _now()
        self.protocol.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Note when it arrived."""
        self.heard = now = _now()
        if not self.begun:
            self.begun = now
        self._feed(data)
        if self.busy and self.request is not None:
            # That was a part of its body.
            check_payload(self.request, self.protocol)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection, once its request has ended."""
        self._transport = None
        if not self.open:
            return
        self.open = False
        self._all.lost(self)
        self.protocol.connection_lost(exc)

    def end(self) -> None:
        """Note that a request was handled; its answer may still be sent."""
        self.busy = False
        # What arrived meanwhile was the body.
        self.begun = 0.0
        if not self.open:
            self._all.forget(self)

    @property
    def method(self) -> str:
        """The method of that request, for logs."""
        return "" if self.request is None else self.request.method

    @property
    def path(self) -> str:
        """The path of that request, for logs."""
        return "" if self.request is None else raw_path(self.request.rel_url)

    @property
    def upgraded(self) -> bool:
        """Whether that request asks for another protocol: a websocket."""
        request = self.request
        return request is not None and "Upgrade" in request.headers

    @property
    def sending(self) -> bool:
        """Whether a part of an answer has not been sent yet."""
        transport = self._transport
        return (
            self.open
            and transport is not None
            and transport.get_write_buffer_size() > 0
        )

    @property
    def reading(self) -> bool:
        """Whether more of a body would be taken in."""
        transport = self._transport
        return self.open and transport is not None and transport.is_reading()

    @property
    def idle(self) -> bool:
        """Whether it is connected, and nothing is done for it."""
        return self.open and not self.busy and not self.sending

    def cancel(self) -> None:
        """Cancel the request that is being handled."""
        if self.busy and self.request is not None:
            self.request.task.cancel()

    def close(self) -> None:
        """Close it, with an answer if it has sent half a request."""
        if self.begun and self._transport is not None:
            self._transport.write(_TIMED_OUT)
        self.protocol.force_close()


class Connections:
    """
    All connections of a server; makes them, as a protocol factory.

    Args:
        make: Makes aiohttp's side of one.
        limit: How many there may be, ``None`` for any number.

    Attributes:
        all: Those that are connected, or whose request is being handled.
        count: How many are connected.
    """

    def __init__(
        self,
        make: t.Callable[[Connection], aiohttp.web.RequestHandler],
        limit: int | None = None,
    ) -> None:
        self._make = make
        self._limit = sys.maxsize if limit is None else limit
        self.all: set[Connection] = set()
        self.count = 0
        self._on_lost: list[t.Callable[[], None]] = []
        self._on_full: list[t.Callable[[], None]] = []

    def __call__(self) -> Connection:
        """Make a connection."""
        connection = Connection(self)
        connection.hand_on_to(self._make(connection))
        return connection

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
            (c.busy and not c.upgraded) or c.sending or (c.begun and c.idle)
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
                connection.close()

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
            connection.close()
        return len(candidates[:number])
