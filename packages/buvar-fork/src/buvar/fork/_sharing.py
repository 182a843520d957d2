"""
What workers share through their supervisor: sockets, and loaded modules.

A plugin knows its address only once it has read its configuration, in a
worker. If each worker bound it, the second one would fail. So a worker sends
the address to its supervisor, with one end of a new pair of sockets; the
supervisor binds the address if nobody has asked for it before, and sends the
listening socket back through that end.

Likewise a worker tells which modules of the application it has loaded, for
its successors to be forked from a process that has loaded them, too.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import struct
import typing as t

from buvar import context

from ._errors import BindError
from ._errors import SocketURIError
from ._fair_listener import FairListener
from ._listeners import Listeners
from ._listeners import parse_shared
from ._sockets import Socket
from ._worker import Worker


_HEAD: t.Final = struct.Struct("!QI")
#: The longest request and answer, in bytes.
_LONGEST: t.Final = 1 << 16
_GRANTED: t.Final = b"+"
_REFUSED: t.Final = b"-"
#: What a list of modules begins with: no key of a worker does.
_LOADED: t.Final = b"\xff"
#: Requests that are read before anything else has its turn.
_AT_ONCE: t.Final = 16
#: Seconds that a worker waits for the answer.
_PATIENCE: t.Final = 30.0


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """
    What a worker asks for.

    Attributes:
        key: The worker.
        uri: The address.
        backlog: How many connections may wait to be accepted.
        reply: Where the answer goes.
    """

    key: int
    uri: str
    backlog: int
    reply: socket.socket


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """
    What a worker has loaded.

    Attributes:
        modules: The names of modules.
    """

    modules: list[str]


class Broker:
    """The end of the supervisor."""

    def __init__(self) -> None:
        self._in, self._out = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_DGRAM
        )
        self._in.settimeout(0)

    @property
    def fd(self) -> int:
        """The file descriptor that becomes readable when a worker asks."""
        return self._in.fileno()

    def asker(self, key: int, workers: int) -> Asker:
        """Become the end of a worker, in its process."""
        self._in.close()
        return Asker(self._out, key, workers)

    def receive(self) -> t.Iterator[Request | Loaded]:
        """Yield what there is; what makes no sense is dropped."""
        for _ in range(_AT_ONCE):
            try:
                data, fds, _, _ = socket.recv_fds(self._in, _LONGEST, 1)
            except OSError:
                return
            if data.startswith(_LOADED):
                text = data.removeprefix(_LOADED).decode(errors="replace")
                yield Loaded(text.split())
            # Without a descriptor left for it the reply is closed already,
            # which the worker notices.
            elif fds:
                reply = socket.socket(fileno=fds[0])
                reply.set_inheritable(False)
                reply.settimeout(0)
                try:
                    key, backlog = _HEAD.unpack_from(data)
                    uri = data[_HEAD.size :].decode()
                except (struct.error, UnicodeDecodeError):
                    reply.close()
                else:
                    yield Request(key, uri, backlog, reply)

    def grant(
        self, request: Request, slot: int, role: str, listeners: Listeners
    ) -> None:
        """Send the socket, bound if it is the first one to ask."""
        try:
            item = listeners.share(request.uri, request.backlog, slot, role)
        except (BindError, SocketURIError) as error:
            self.refuse(request, error.reason)
        except OSError as error:
            self.refuse(request, f"it cannot be bound: {error}.")
        else:
            with request.reply, contextlib.suppress(OSError):
                fds = [item.sock.fileno()]
                socket.send_fds(request.reply, [_GRANTED], fds)

    def refuse(self, request: Request, reason: str) -> None:
        """Say why not."""
        with request.reply, contextlib.suppress(OSError):
            request.reply.send(_REFUSED + reason.encode()[: _LONGEST - 1])

    def close(self) -> None:
        """Close both ends."""
        self._in.close()
        self._out.close()


class Asker:
    """
    The end of a worker.

    Args:
        sock: Where requests go.
        key: Which worker it is.
        workers: How many workers accept from a shared socket.
    """

    def __init__(self, sock: socket.socket, key: int, workers: int) -> None:
        self._sock = sock
        self._key = key
        self._workers = workers

    def ask(self, uri: str, backlog: int) -> Socket:
        """
        Return the socket that all workers share.

        Raises:
            BindError: It cannot be bound, or not any more.
        """
        try:
            data, fds = self._call(uri, backlog)
        except OSError as error:
            raise BindError(
                uri, f"the supervisor could not be asked for it ({error})."
            ) from error
        if not fds:
            reason = data.removeprefix(_REFUSED).decode(errors="replace")
            raise BindError(
                uri,
                reason
                or "the supervisor could not answer; it may be out of file "
                "descriptors, see `ulimit -n`.",
            )
        os.set_inheritable(fds[0], False)  # noqa: FBT003 - positional only
        sock = FairListener(fileno=fds[0])
        sock.settimeout(0)
        sock.workers = self._workers
        return Socket(uri, sock, owned=True, supervised=True)

    def tell(self, modules: t.Iterable[str]) -> None:
        """Tell which modules were loaded; without a parent nobody cares."""
        chunk = _LOADED
        with contextlib.suppress(OSError):
            for name in modules:
                if len(chunk) + len(name) >= _LONGEST:  # pragma: no cover
                    self._sock.send(chunk)
                    chunk = _LOADED
                chunk += name.encode() + b" "
            self._sock.send(chunk)

    def _call(self, uri: str, backlog: int) -> tuple[bytes, list[int]]:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                message = _HEAD.pack(self._key, backlog) + uri.encode()
                socket.send_fds(self._sock, [message], [theirs.fileno()])
            ours.settimeout(_PATIENCE)
            data, fds, _, _ = socket.recv_fds(ours, _LONGEST, 1)
            return data, fds


def bind(uri: str, *, backlog: int = 2048) -> Socket:
    """
    Return a socket that listens on an address known only to a plugin.

    In a worker it is one that all workers share: the supervisor binds the
    address when the first worker asks for it, and closes it at the end. Once
    all workers were ready, no new addresses are bound: what a reload or a
    restarted worker asks for must be there already.

    Elsewhere, and with ``forks=1``, it is bound here; unlink and close it.
    What may be asked for is the same everywhere, so that a plugin works with
    any number of workers.

    Args:
        uri: ``tcp://host:port`` or ``unix:///path``. A mode or an owner of
            the file is only for the sockets of ``fork.stage``: a supervisor
            may have more rights than its workers.
        backlog: How many connections may wait to be accepted.

    Raises:
        SocketURIError: The URI makes no sense.
        BindError: It cannot be bound.

    Example:
        >>> item = bind("tcp://127.0.0.1:0")
        >>> item.address[0]
        '127.0.0.1'
        >>> item.close()
    """
    worker = context.get(Worker, default=None)
    if worker is not None and worker.asker is not None:
        return worker.asker.ask(uri, backlog)
    parse_shared(uri)
    (item,) = Listeners(
        [uri], backlog=backlog, reuse_port=False, supervised=False
    ).for_slot(1)
    return item
