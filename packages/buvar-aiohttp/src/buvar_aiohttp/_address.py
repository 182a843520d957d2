"""Find the socket to serve on: given, shared with other workers, or bound."""

from __future__ import annotations

import contextlib
import os
import socket
import typing as t

from buvar import context
from buvar import fork
from buvar.fork._listeners import Listeners

from ._config import AioHttpConfig
from ._errors import AddressError


#: What all interfaces are called.
_ANY = frozenset({"", "0.0.0.0", "::"})  # noqa: S104


class Listening(t.NamedTuple):
    """
    A socket that listens.

    Attributes:
        item: The socket.
        own: Whether it was bound here, so that its file is removed here.
    """

    item: fork.Socket
    own: bool = False

    def close(self) -> None:
        """Close it, and remove the file of a Unix socket."""
        if self.own:
            self.item.unlink()
        self.item.close()


def listen(config: AioHttpConfig) -> Listening:
    """
    Return the socket to serve on.

    Raises:
        AddressError: It cannot be bound.
    """
    if config.sock is not None:
        return Listening(fork.Socket(config.address, config.sock))
    shared: dict[t.Any, fork.Socket] = context.find(fork.Socket)
    for item in shared.values():
        if item.uri == config.address or _same(item, config):
            return Listening(item)
    try:
        (item,) = Listeners(
            [config.address],
            backlog=config.backlog,
            reuse_port=False,
            supervised=False,
        ).for_slot(1)
    except (fork.BindError, fork.SocketURIError) as error:
        uris = (item.uri for item in shared.values())
        raise AddressError(config.address, error.reason, uris) from error
    return Listening(item, own=True)


def unbound(config: AioHttpConfig) -> Listening:
    """Return a socket in place of the one to serve on, bound to nothing."""
    return Listening(fork.Socket(config.address, socket.socket()))


def _same(item: fork.Socket, config: AioHttpConfig) -> bool:
    """Tell whether a shared socket has the address of the configuration."""
    bound = item.address
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
