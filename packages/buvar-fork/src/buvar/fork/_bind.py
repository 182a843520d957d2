"""Bind what a URI says."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import shutil
import socket
import stat
import typing as t

from ._door import Door
from ._errors import BindError
from ._errors import SocketURIError
from ._sockets import Socket
from ._uri import LONGEST_PATH
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
        sock = Door(family, kind, proto)
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
    """
    abstract = address.path.startswith("@")
    _need(address.uri, "AF_UNIX", "Unix sockets")
    with _cleanly(address.uri) as stack:
        sock = Door(socket.AF_UNIX)
        stack.callback(sock.close)
        if abstract:
            sock.bind("\0" + address.path[1:])
            item = Socket(address.uri, sock, owned=True)
        else:
            _remove_stale(address)
            _bind_path(address, sock)
            # Absolute, as the program may change its directory.
            path = os.path.abspath(address.path)  # noqa: PTH100 - links stay
            item = Socket(address.uri, sock, path, owned=True)
            stack.callback(item.unlink)
            _own(address)
        return _listen(item, address.backlog or backlog)


def adopt(address: Fd, uri: str | None = None) -> Socket:
    """
    Take over a listening socket that was inherited.

    Raises:
        BindError: The file descriptor is no listening socket.
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
        sock = Door(fileno=fd)
    except OSError as error:
        os.close(fd)
        raise BindError(
            uri,
            f"file descriptor {address.fd} is no socket "
            f"({error.strerror}); pass a listening one.",
        ) from error
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
    item.sock.settimeout(0)
    item.sock.set_inheritable(True)
    return item


def _remove_stale(address: Unix) -> None:
    """Remove what a process left that nobody listens to any more."""
    try:
        mode = os.lstat(address.path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise BindError(
            address.uri,
            "there is a file that is no socket; remove it, or choose "
            "another path.",
        )
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0)
        try:
            probe.connect(address.path)
        except ConnectionRefusedError:
            pathlib.Path(address.path).unlink()
            return
        except FileNotFoundError:
            return
        except BlockingIOError:
            pass  # somebody listens, with a full queue
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _bind_path(address: Unix, sock: socket.socket) -> None:
    """Create the file, never with more rights than it is to have."""
    # The path that others see in the name of the socket, if it has room.
    path = os.path.abspath(address.path)  # noqa: PTH100 - links stay
    if len(os.fsencode(path)) > LONGEST_PATH:
        path = address.path
    if address.mode is None:
        sock.bind(path)
        return
    old = os.umask(~address.mode & 0o777)
    try:
        sock.bind(path)
    finally:
        os.umask(old)


def _own(address: Unix) -> None:
    """Give the file its mode, owner and group."""
    try:
        if address.user is not None or address.group is not None:
            shutil.chown(
                address.path,
                _number(address.user),  # type: ignore[arg-type]
                _number(address.group),  # type: ignore[arg-type]
            )
        if address.mode is not None:
            pathlib.Path(address.path).chmod(address.mode)
    except LookupError as error:
        raise SocketURIError(
            address.uri, f"{error.args[0]}; create it, or choose another."
        ) from error


def _number(name: str | None) -> str | int | None:
    return int(name) if name is not None and name.isdecimal() else name


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
