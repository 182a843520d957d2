"""Bind what a URI says."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import typing as t

from ._errors import BindError
from ._fair_listener import FairListener
from ._sockets import Socket
from ._unix import bind_path
from ._unix import give_away
from ._uri import Fd
from ._uri import Tcp
from ._uri import Unix


_CURES: t.Final[t.Mapping[int, str]] = {
    errno.EADDRINUSE: (
        "the address is in use; stop the program that listens there, or "
        "choose another address."
    ),
    errno.EADDRNOTAVAIL: (
        "this machine has no such address; choose one of its own."
    ),
    errno.EACCES: (
        "permission denied; choose a port above 1023 or a directory that "
        "may be written to."
    ),
    errno.ENOENT: "there is no such directory; create it.",
    errno.EPERM: (
        "only root may give a file to another user or group; leave out user "
        "and group, or start as root."
    ),
    errno.EINVAL: (
        "the address is not complete; an IPv6 address that begins with fe80 "
        "needs its interface, as in tcp://[fe80::1%eth0]:8080."
    ),
}


def bind_tcp(address: Tcp, *, backlog: int, reuse_port: bool) -> Socket:
    """
    Bind and listen on a host and port.

    Raises:
        BindError: It cannot be bound.
    """
    reuse_port = (
        reuse_port if address.reuse_port is None else address.reuse_port
    )
    try:
        found = socket.getaddrinfo(
            address.host or None,
            address.port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )
    except OSError as error:
        raise BindError(
            address.uri, f"the host is unknown ({error}); check its name."
        ) from error
    # Of a name that has both the IPv4 address: clients that are told the
    # name try both, those that are told 127.0.0.1 try no other one.
    family, kind, proto, _, name = min(found, key=_is_ipv6)
    if reuse_port:
        _need(address.uri, "SO_REUSEPORT", "sockets that share a port")
    with _cleanly(address.uri) as stack:
        sock = FairListener(family, kind, proto)
        stack.callback(sock.close)
        if os.name == "posix":  # pragma: no branch - another meaning elsewhere
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            # [::] serves IPv4, too, whatever the system's default is.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(name)
        return _listen(
            Socket(address.uri, sock, owned=True), address.backlog or backlog
        )


def _need(uri: str, name: str, what: str) -> None:
    """Refuse what this platform lacks."""
    if not hasattr(socket, name):
        raise BindError(
            uri, f"this platform has no {what}; use tcp:// without reuse_port."
        )


def _is_ipv6(info: tuple[int, *tuple[t.Any, ...]]) -> bool:
    return info[0] == socket.AF_INET6


def bind_unix(address: Unix, *, backlog: int) -> Socket:
    """
    Bind and listen on a path, or an abstract name.

    Raises:
        BindError: It cannot be bound.
        SocketURIError: There is no such user or group.
    """
    _need(address.uri, "AF_UNIX", "Unix sockets")
    with _cleanly(address.uri) as stack:
        sock = FairListener(socket.AF_UNIX)
        stack.callback(sock.close)
        if address.path.startswith("@"):
            sock.bind("\0" + address.path[1:])
            item = Socket(address.uri, sock, owned=True)
        else:
            path = bind_path(address, sock)
            item = Socket(address.uri, sock, path, owned=True)
            stack.callback(item.unlink)
            give_away(address, path)
        return _listen(item, address.backlog or backlog)


def adopt(address: Fd, uri: str | None = None) -> Socket:
    """
    Take over a listening socket that was inherited.

    Raises:
        BindError: The file descriptor is not a listening socket.
    """
    uri = uri or address.uri
    try:
        fd = os.dup(address.fd)
    except OSError as error:
        raise BindError(
            uri,
            f"file descriptor {address.fd} is not open; pass a listening "
            "socket.",
        ) from error
    try:
        sock = FairListener(fileno=fd)
    except OSError as error:
        os.close(fd)
        raise BindError(
            uri,
            f"file descriptor {address.fd} is not a socket "
            f"({error.strerror}); pass a listening one.",
        ) from error
    # It is not for the programs that this one starts, see _prepare.
    with contextlib.suppress(OSError):
        os.set_inheritable(address.fd, False)  # noqa: FBT003
    item = Socket(uri, sock)
    if not _listens(sock):
        sock.close()
        raise BindError(
            uri,
            f"file descriptor {address.fd} is a socket that does not "
            "listen; pass a listening one.",
        )
    return _prepare(item)


def _listens(sock: socket.socket) -> bool:
    """Tell whether a socket listens."""
    if not hasattr(socket, "SO_ACCEPTCONN"):  # pragma: no cover
        return True
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _listen(item: Socket, backlog: int) -> Socket:
    item.sock.listen(backlog)
    return _prepare(item)


def _prepare(item: Socket) -> Socket:
    # Workers are forked and get it anyway. A program that is started, by a
    # worker or here, does not: it would keep the port after the end of the
    # service, and could accept its connections.
    item.sock.set_inheritable(False)
    item.sock.settimeout(0)
    return item


@contextlib.contextmanager
def _cleanly(uri: str) -> t.Generator[contextlib.ExitStack]:
    """Undo all in the stack on failure, and say what failed in one line."""
    with contextlib.ExitStack() as stack:
        try:
            yield stack
        except OSError as error:
            reason = _CURES.get(error.errno or 0)
            raise BindError(
                uri, reason or f"{error.strerror or error}; choose another."
            ) from error
        stack.pop_all()
