"""
Accept connections, but not more than there may be.

Where connections wait that cannot be accepted, an event loop tries again and
again: each try fails, and is logged. So the server stops to listen for a
while, and those who wait do so in the kernel's queue.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import math
import socket
import ssl
import sys
import typing as t

from ._connections import Connections


_log = logging.getLogger("buvar_aiohttp")

#: Seconds until the next try once descriptors have run out, and at least
#: between two lines of the log about it.
RETRY: t.Final = 1.0
#: Seconds for which a connection must have been idle to be closed in favour
#: of one that waits.
IDLE: t.Final = 5.0
#: The most milliseconds that a bound of TCP may have.
_LONGEST: t.Final = 2**31 - 1
#: Which part of the connections is closed in one look.
_PART: t.Final = 4
#: How many closed connections are kept in mind at least.
_SWEEP: t.Final = 64
#: The system has no room for one more.
_EXHAUSTED: t.Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
)


class Acceptor:
    """
    Accepts connections from a socket, while there is room for them.

    Args:
        sock: The socket; it is left open.
        connections: Makes them.
        limit: How many there may be, ``None`` for any number.
        ssl_context: Makes it TLS.
        handshake_timeout: Seconds that a TLS handshake may take.
        send_timeout: Seconds for which a peer may take in nothing of what it
            is sent.
        backlog: How many connections may wait.
    """

    def __init__(
        self,
        sock: socket.socket,
        connections: Connections,
        *,
        limit: int | None,
        ssl_context: ssl.SSLContext | None,
        handshake_timeout: float,
        send_timeout: float,
        backlog: int,
    ) -> None:
        self.sock = sock
        self.connections = connections
        self.limit = limit
        self._options: dict[str, t.Any] = {"backlog": backlog}
        if ssl_context is not None:
            self._options["ssl"] = ssl_context
            self._options["ssl_handshake_timeout"] = handshake_timeout
        self._server: asyncio.Server | None = None
        self._listener: _Listener | None = None
        #: Those accepted that are open, and some that were closed since.
        self._accepted: list[socket.socket] = []
        self._sweep_at = _SWEEP
        self._changed = asyncio.Event()
        self._retry_at = 0.0
        self._told_at = -RETRY
        self._closed = False
        connections.listen(full=self._full, lost=self._lost)
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            _bound_silence(sock, send_timeout)

    @property
    def full(self) -> bool:
        """Whether there is no room for one more."""
        if self.connections.full:
            return True
        if self.limit is None or len(self._accepted) < self.limit:
            return False
        # Those count as well whose TLS handshake is under way.
        self._sweep()
        return len(self._accepted) >= self.limit

    @property
    def count(self) -> int:
        """How many connections it has accepted that are open."""
        self._sweep()
        return len(self._accepted)

    @property
    def listening(self) -> bool:
        """Whether connections are accepted at the moment."""
        return self._server is not None

    async def start(self) -> None:
        """
        Accept connections.

        Raises:
            OSError: There is no descriptor left.
        """
        listener, options = _Listener(self), self._options
        try:
            server = await asyncio.get_running_loop().create_server(
                self.connections, sock=listener, **options
            )
        except BaseException:
            listener.close()
            raise
        outdated = options is not self._options
        if self._closed or self._server is not None or outdated:
            _close(server, listener)
        else:
            self._server, self._listener = server, listener

    def secure(self, ssl_context: ssl.SSLContext) -> None:
        """
        Have handshakes begin with another context from now on.

        Those who come meanwhile wait in the kernel's queue.
        """
        self._options = {**self._options, "ssl": ssl_context}
        self._pause()
        self._changed.set()

    async def watch(self, tick: float) -> None:
        """
        Accept again once there is room, and make some.

        Args:
            tick: Seconds between two looks.
        """
        while not self._closed:
            try:
                async with asyncio.timeout(tick):
                    await self._changed.wait()
            except TimeoutError:
                if not self.listening and self.full:
                    self._make_room()
            self._changed.clear()
            await self._try_again()

    async def _try_again(self) -> None:
        loop = asyncio.get_running_loop()
        if self._closed or self.listening or self.full:
            return
        if loop.time() < self._retry_at:
            return
        try:
            await self.start()
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            self.exhausted(error)

    def _make_room(self) -> None:
        limit = self.limit or self.connections.count
        self.connections.make_room(max(1, limit // _PART), idle=IDLE)

    def _full(self) -> None:
        """Stop to listen for as long as there is no room."""
        asyncio.get_running_loop().call_soon(self._pause)
        self._tell(
            "There are %s connections, as many as max_connections allows: "
            "more of them wait until one is closed.",
            self.limit,
            extra={"max_connections": self.limit},
        )

    def _lost(self) -> None:
        if not self.listening:
            self._changed.set()

    def exhausted(self, error: OSError) -> None:
        """Stop to listen for a while: the system has no room."""
        loop = asyncio.get_running_loop()
        self._retry_at = loop.time() + RETRY
        loop.call_soon(self._pause)
        self._tell(
            "No connection can be accepted for %s s: %s. Set a lower "
            "max_connections, or allow the process more open files.",
            RETRY,
            error.strerror,
            extra={"errno": error.errno},
        )

    def _tell(self, message: str, *args: t.Any, extra: t.Any) -> None:
        """Log a warning, not more than one in a while."""
        now = asyncio.get_running_loop().time()
        if now - self._told_at >= RETRY:
            self._told_at = now
            _log.warning(message, *args, extra=extra)

    def _pause(self) -> None:
        server, self._server = self._server, None
        listener, self._listener = self._listener, None
        if server is not None and listener is not None:
            _close(server, listener)

    def accepted(self, connection: socket.socket) -> None:
        """Note a connection."""
        self._accepted.append(connection)
        if len(self._accepted) >= self._sweep_at:
            self._sweep()

    def _sweep(self) -> None:
        """Forget those that are closed; often enough, and not each time."""
        self._accepted = [
            sock for sock in self._accepted if sock.fileno() >= 0
        ]
        self._sweep_at = 2 * len(self._accepted) + _SWEEP

    def close(self) -> None:
        """Accept no more."""
        self._closed = True
        self._changed.set()
        self._pause()


class _Listener(socket.socket):
    """
    A copy of the listening socket, given to the event loop.

    The loop closes it when it stops to listen; the kernel's queue goes on.

    Attributes:
        accepting: Whether connections are accepted from it.
    """

    accepting: bool

    def __init__(self, acceptor: Acceptor) -> None:
        copy = acceptor.sock.dup()
        super().__init__(fileno=copy.detach())
        self.settimeout(0)
        self._acceptor = acceptor
        self.accepting = True

    def accept(self) -> tuple[socket.socket, t.Any]:
        """
        Accept a connection, if there is room.

        Raises:
            BlockingIOError: There is none, or nobody waits.
        """
        acceptor = self._acceptor
        if not self.accepting:
            raise BlockingIOError
        if acceptor.full:
            acceptor.connections.on_full()
            raise BlockingIOError
        try:
            connection, address = acceptor.sock.accept()
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            acceptor.exhausted(error)
            raise BlockingIOError from None
        acceptor.accepted(connection)
        return connection, address

    def listen(self, backlog: int = 128, /) -> None:
        """Listen; the socket knows that a queue must not be shortened."""
        self._acceptor.sock.listen(backlog)


def _bound_silence(sock: socket.socket, send_timeout: float) -> None:
    """
    Have the kernel notice peers that have vanished, or take in nothing.

    All connections take these options over from the socket that listens, see
    W. R. Stevens, UNIX Network Programming, section 7.4, so that a request
    costs nothing more. The kernel sees what no timer of a server does: what
    ``sendfile`` sends, and what is left to be sent of an answer that is over.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        # 0 is as long as the system takes; an int of C has room for 24 days.
        milliseconds = 0
        if send_timeout < math.inf:
            milliseconds = math.ceil(min(send_timeout * 1000, _LONGEST))
        sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds
        )


def _close(server: asyncio.Server, listener: _Listener) -> None:
    """
    Stop to listen, without losing a connection that was accepted.

    asyncio begins with what it accepts in a task of its own, which fails if
    the server was closed meanwhile: the connection would hang. Such tasks wait
    already, and come before what is to be called soon. Others, such as uvloop,
    begin at once, and would accept what there is no room for until then.
    """
    loop = asyncio.get_running_loop()
    listener.accepting = False
    if isinstance(loop, asyncio.BaseEventLoop):
        loop.call_soon(server.close)
    else:
        server.close()
