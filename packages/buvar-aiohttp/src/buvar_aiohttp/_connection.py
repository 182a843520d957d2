"""
A connection: what it waits for, and since when.

aiohttp does not tell which of its connections have sent half a request, which
have none, and which have a request that is being handled. To stop a server in
good order, and to be rid of clients that only occupy it, one has to know.
"""

from __future__ import annotations

import asyncio
import time
import typing as t

import aiohttp.web

from ._access import AccessLog
from ._access import AccessLogger
from ._access import raw_path
from ._config import AioHttpConfig
from ._error_answer import answer_error
from ._key import UNTIL_SWITCHED
from ._payload import check_payload


#: What is answered to half a request that does not go on.
_TIMED_OUT: t.Final = (
    b"HTTP/1.1 408 Request Timeout\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)
_ERROR: t.Final = 500

_now = time.monotonic


def connection_options(config: AioHttpConfig) -> dict[str, t.Any]:
    """Return how connections are handled, as aiohttp names it."""
    options: dict[str, t.Any] = {
        "access_log_class": AccessLogger,
        "access_log": AccessLog(
            conventions=config.access_log_names == "opentelemetry",
            health=config.access_log_health,
        )
        if config.access_log
        else None,
        "keepalive_timeout": config.keepalive_timeout,
        # Connections have it from the socket that listens, see Acceptor.
        "tcp_keepalive": False,
        "max_line_size": config.max_line_size,
        "max_field_size": config.max_field_size,
    }
    if config.max_headers is not None:
        options["max_headers"] = config.max_headers
    return options


class Owner(t.Protocol):
    """
    What a connection belongs to.

    Attributes:
        problems: Whether errors are data for clients that accept JSON.
    """

    problems: bool

    def add(self, connection: Connection, /) -> bool:
        """Take a connection in, unless there are too many."""
        ...

    def lost(self, connection: Connection, /) -> None:
        """Forget a connection that is lost, unless it has a request."""

    def forget(self, connection: Connection, /) -> None:
        """Forget a connection."""


class Connection(aiohttp.web.RequestHandler):
    """
    aiohttp's side of a connection, which notes what arrives and what is done.

    Args:
        owner: What it belongs to.
        server: What its requests are for.
        options: See ``connection_options``.

    Attributes:
        begun: When the first byte of a request arrived whose head is not
            complete yet, else 0.
        heard: When the last byte arrived.
        request: What is being handled, or was handled last.
        busy: Whether that request is being handled.
        started: When the first byte of that request arrived.
        switched: Whether it has become a websocket. That a client has asked
            for one says nothing: any request can.
        open: Whether it is connected.
        wire: Its transport, as long as it is connected.
    """

    __slots__ = (
        "_owner",
        "begun",
        "busy",
        "heard",
        "open",
        "request",
        "started",
        "switched",
        "wire",
    )

    def __init__(
        self,
        owner: Owner,
        server: aiohttp.web.Server,
        options: dict[str, t.Any],
    ) -> None:
        super().__init__(server, **options)
        self._owner = owner
        self.begun = self.started = self.heard = 0.0
        self.request: aiohttp.web.BaseRequest | None = None
        self.open = self.busy = self.switched = False
        self.wire: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the connection; one too many is dropped."""
        self.wire = t.cast("asyncio.Transport", transport)
        if not self._owner.add(self):
            self.wire.abort()
            return
        self.open = True
        self.heard = _now()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Note when it arrived."""
        self.heard = now = _now()
        if not self.begun:
            self.begun = now
        super().data_received(data)
        if self.busy and self.request is not None:
            # That was a part of its body.
            check_payload(self.request, self)

    def set_parser(self, *args: t.Any, **options: t.Any) -> None:
        """Note that it is a websocket from now on, which has no bounds."""
        super().set_parser(*args, **options)
        self.switched = True
        if self.request is not None:
            for scope in self.request.get(UNTIL_SWITCHED, ()):
                if not scope.expired():
                    scope.reschedule(None)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection, once its request has ended."""
        self.wire = None
        if not self.open:
            return
        self.open = False
        self._owner.lost(self)
        super().connection_lost(exc)
        if not self.busy:
            # The request knows its connection: a circle otherwise.
            self.request = None

    def handle_error(
        self,
        request: aiohttp.web.BaseRequest,
        status: int = _ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> aiohttp.web.StreamResponse:
        """
        Answer what went wrong with a request.

        Raises:
            ConnectionError: A part of another answer was sent already.
        """
        return answer_error(
            request, status, exc, message, problems=self._owner.problems
        )

    def forget(self) -> None:
        """Forget the request that was handled, as the client has left."""
        self.request = None
        self._owner.forget(self)

    @property
    def method(self) -> str:
        """The method of that request, for logs."""
        return "" if self.request is None else self.request.method

    @property
    def path(self) -> str:
        """The path of that request, for logs."""
        return "" if self.request is None else raw_path(self.request.rel_url)

    @property
    def sending(self) -> bool:
        """Whether a part of an answer has not been sent yet."""
        wire = self.wire
        return (
            self.open and wire is not None and wire.get_write_buffer_size() > 0
        )

    @property
    def reading(self) -> bool:
        """Whether more of a body would be taken in."""
        wire = self.wire
        return self.open and wire is not None and wire.is_reading()

    @property
    def idle(self) -> bool:
        """Whether it is connected, and nothing is done for it."""
        return self.open and not self.busy and not self.sending

    def cancel(self) -> None:
        """Cancel the request that is being handled."""
        if self.busy and self.request is not None:
            self.request.task.cancel()

    def evict(self) -> None:
        """Close it, with an answer if it has sent half a request."""
        if self.begun and self.wire is not None:
            self.wire.write(_TIMED_OUT)
        self.force_close()
