"""The component that a server listens on."""

from __future__ import annotations

import asyncio
import logging
import os
import pathlib
import select
import socket
import typing as t

from buvar import context

from ._errors import SocketURIError
from ._fair_listener import FairListener
from ._syn_filter import drop_newcomers
from ._uri import parse
from ._uri import place


_log = logging.getLogger("buvar.fork")

#: How long a handshake that has begun may take to end, in seconds.
HANDSHAKE: t.Final = 0.05
#: How long a queue of connections may take to become empty, in seconds.
QUEUE: t.Final = 1.0
#: How often to look whether it is.
TICK: t.Final = 0.005
#: Turns of the loop after which an accepted connection has its protocol: a
#: server that is closed before resets it.
_TURNS: t.Final = 5


class Socket:
    """
    A listening socket, a component named by its URI.

    A worker has to serve each socket that it is given. One whose ``sock``
    nobody has asked for, and that nobody has marked as ``served``, would let
    its clients wait for ever: see ``unserved`` of ``stage``.

    Attributes:
        uri: The URI that it was asked for with.
        path: The file of a Unix socket that was bound here.
        owned: Whether it was bound here; what was passed in is left as it is.
        supervised: Whether a supervisor refuses connections first.
        aliases: Other URIs of the same address that it was asked for with.
        served: Whether something in this process serves it, or promises to
            do so later; asking for ``sock`` sets it.

    Example:
        >>> from buvar import context
        >>> sorted(context.find(Socket))
        []
    """

    def __init__(
        self,
        uri: str,
        sock: socket.socket,
        path: str | None = None,
        *,
        owned: bool = False,
        supervised: bool = False,
    ) -> None:
        self.uri = uri
        self._sock = sock
        self.path = path
        self.owned = owned
        self.supervised = supervised
        self.aliases: tuple[str, ...] = ()
        self.served = False
        #: Which file it is, to unlink no other one.
        self._inode = None if path is None else _inode(path)

    def __repr__(self) -> str:
        """Show which socket it is."""
        return f"<{type(self).__name__} {self.uri!r}>"

    @classmethod
    def at(cls, uri: str) -> t.Self:
        """
        Return the shared socket of an address, however that is written.

        ``context.get(fork.Socket, name=uri)`` wants the URI as it was given
        to ``stage``; here ``tcp://:80`` finds ``tcp://0.0.0.0:80/`` as well,
        and a path what was given with a mode.

        Raises:
            SocketURIError: The URI makes no sense.
            ComponentLookupError: There is no such socket.
        """
        wanted = place(parse(uri))
        shared: dict[t.Any, t.Self] = context.find(cls)
        for item in shared.values():
            if _place(item.uri) == wanted:
                return item
        return context.get(cls, name=uri)

    @property
    def sock(self) -> socket.socket:
        """
        The socket to listen on, which counts as served from now on.

        It is non-blocking, and closed in programs that are started; hand it
        on by ``pass_fds``.
        """
        self.served = True
        return self._sock

    @property
    def address(self) -> t.Any:
        """Where it is bound to: what ``getsockname`` says."""
        return self._sock.getsockname()

    @property
    def local(self) -> bool:
        """Whether it is a Unix socket."""
        return self._sock.family == getattr(socket, "AF_UNIX", None)

    def pending(self) -> bool:
        """Tell whether connections wait to be accepted."""
        if not hasattr(select, "poll"):  # pragma: no cover - Windows
            return bool(select.select([self._sock], [], [], 0)[0])
        # It needs no descriptor of its own: there may be none left.
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(0))

    def stop_accepting(self) -> None:
        """
        Refuse new connections, for good and in all processes.

        Those that the kernel has accepted stay in the queue. A socket that
        was passed in is not touched: its owner may still need it.
        """
        if not self.owned:
            return
        if self.local:
            self.unlink()
        else:
            drop_newcomers(self._sock)

    async def drain(self) -> None:
        """
        Wait until all connections that this worker is to serve are accepted.

        To be awaited, with the server still listening, before it is closed.
        Without a supervisor that means all in the kernel's queue. With one,
        the other workers go on to accept, or the supervisor has waited for
        the queue to become empty; no other connection is accepted here.
        """
        if self.owned and not self.supervised:
            await self._empty()
        if isinstance(self._sock, FairListener):
            self._sock.shut = True
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def _empty(self) -> None:
        """Refuse new connections, let the server accept those that wait."""
        self.stop_accepting()
        loop = asyncio.get_running_loop()
        start = loop.time()
        await asyncio.sleep(TICK)
        while self.pending() and loop.time() < start + QUEUE:  # noqa: ASYNC110 - the kernel has no event for that
            await asyncio.sleep(TICK)

    def unlink(self) -> None:
        """Remove the file of a Unix socket, if it is still this one."""
        if self.path is None:
            return
        try:
            if _inode(self.path) != self._inode:
                return
            pathlib.Path(self.path).unlink()
        except FileNotFoundError:
            pass
        except PermissionError:
            # Without a supervisor the process is another user by now.
            _log.warning(
                "%s is left behind: it may not be removed by this user.",
                self.path,
                extra={"path": self.path},
            )
        self.path = None

    def close(self) -> None:
        """Close this process's copy of the socket."""
        self._sock.close()


def _place(uri: str) -> tuple[object, ...] | None:
    """Return what a URI means; a component made by hand may have any name."""
    try:
        return place(parse(uri))
    except SocketURIError:
        return None


def _inode(path: str) -> tuple[int, int] | None:
    """Identify a file."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
