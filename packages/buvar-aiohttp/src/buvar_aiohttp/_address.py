"""Find the socket to serve on: given, shared with other workers, or bound."""

from __future__ import annotations

import contextlib
import os
import socket
import typing as t

from buvar import context
from buvar import fork

from ._config import AioHttpConfig
from ._errors import AddressError


#: What all interfaces are called.
_ANY = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104


class Listening(t.NamedTuple):
    """
    A socket that listens.

    Attributes:
        sock: The socket.
        shared: The component it came from, if other workers have it too.
    """

    sock: socket.socket
    shared: fork.Socket | None = None


def listen(config: AioHttpConfig) -> Listening:
    """
    Return the socket to serve on.

    Raises:
        AddressError: It cannot be bound.
    """
    if config.sock is not None:
        return Listening(config.sock)
    shared: dict[t.Any, fork.Socket] = context.find(fork.Socket)
    for item in shared.values():
        if item.uri == config.address or _same(item, config):
            return Listening(item.sock, item)
    try:
        return Listening(_bind(config))
    except OSError as error:
        reason = error.strerror or str(error)
        raise AddressError(
            config.address, reason, (item.uri for item in shared.values())
        ) from error


def _same(item: fork.Socket, config: AioHttpConfig) -> bool:
    """Tell whether a shared socket has the address of the configuration."""
    bound: t.Any = item.sock.getsockname()
    if config.path is not None:
        return isinstance(bound, str) and bound == os.path.abspath(config.path)  # noqa: PTH100
    if item.sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    host, port = bound[:2]
    if port != config.port and not (
        config.port == 0 and item.uri.partition("?")[0].endswith(":0")
    ):
        return False
    return host in _addresses(config.host)


def _addresses(host: str) -> set[str]:
    """Return the addresses a host is bound to, all that mean the same."""
    if host in _ANY:
        return set(_ANY)
    found = {host}
    with contextlib.suppress(OSError):
        found |= {
            str(info[4][0])
            for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        }
    return found


def _bind(config: AioHttpConfig) -> socket.socket:
    """Bind a socket of one's own."""
    if config.path is not None:
        return _bind_unix(config.path, config.backlog)
    family, kind, proto, _, address = socket.getaddrinfo(
        config.host or None,
        config.port,
        type=socket.SOCK_STREAM,
        flags=socket.AI_PASSIVE,
    )[0]
    sock = socket.socket(family, kind, proto)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(config.backlog)
        sock.setblocking(False)  # noqa: FBT003
    except BaseException:
        sock.close()
        raise
    return sock


def _bind_unix(path: str, backlog: int) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(path)
        sock.listen(backlog)
        sock.setblocking(False)  # noqa: FBT003
    except BaseException:
        sock.close()
        raise
    return sock
