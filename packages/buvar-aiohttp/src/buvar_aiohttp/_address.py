"""Find the socket to serve on: given, shared with other workers, or bound."""

from __future__ import annotations

import contextlib
import os
import socket
import typing as t

from buvar import context
from buvar import fork
from buvar.components import ComponentLookupError

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


def listen(config: AioHttpConfig, taken: t.Collection[int] = ()) -> Listening:
    """
    Return the socket to serve on.

    That is the shared socket with the address of the configuration; else the
    only one there is, unless the configuration names another address; else
    one that is bound now, which all workers share.

    Args:
        config: The settings.
        taken: Shared sockets that are served anyway, by their identity.

    Raises:
        AddressError: It cannot be bound, or a shared socket would be left
            that nobody serves.
    """
    if config.sock is not None:
        return Listening(fork.Socket(config.address, config.sock))
    # The other listeners have theirs by now.
    shared = [item for item in _sockets() if id(item) not in taken]
    item = _shared(config, shared)
    if item is not None:
        item.served = True
        return Listening(item)
    if others := unserved():
        raise AddressError(
            config.address,
            "another socket was bound for the service, and nothing would "
            "serve it.",
            others,
        )
    return _bind(config, config.address)


def bind(config: AioHttpConfig, uri: str) -> Listening:
    """
    Return the socket of an address: a shared one, or one that is bound now.

    Raises:
        AddressError: It cannot be bound.
    """
    try:
        item = fork.Socket.at(uri)
    except (ComponentLookupError, fork.SocketURIError):
        return _bind(config, uri)
    item.served = True
    return Listening(item)


def _bind(config: AioHttpConfig, uri: str) -> Listening:
    try:
        item = fork.bind(uri, backlog=config.backlog)
    except (fork.BindError, fork.SocketURIError) as error:
        uris = [item.uri for item in _sockets()]
        # The reason says all that the error beneath it does.
        raise AddressError(uri, error.reason, uris) from None
    item.served = True
    return Listening(item, own=not item.supervised)


def unserved() -> list[str]:
    """Return the URIs of shared sockets that nobody is known to serve."""
    return [item.uri for item in _sockets() if not item.served]


def _sockets() -> list[fork.Socket]:
    """Return the shared sockets, each once: some have several names."""
    found: dict[t.Any, fork.Socket] = context.find(fork.Socket)
    return [*{id(item): item for item in found.values()}.values()]


def _shared(
    config: AioHttpConfig, shared: list[fork.Socket]
) -> fork.Socket | None:
    """Find the shared socket that the configuration means."""
    for item in shared:
        if item.uri == config.address or _same(item, config):
            return item
    if len(shared) == 1 and not config.names_address:
        return shared[0]
    if config.names_host or config.path is not None:
        return None
    # Only the port was set: the host is that of the socket.
    found = [item for item in shared if _same_port(item, config)]
    return found[0] if len(found) == 1 else None


def unbound(uri: str) -> Listening:
    """
    Return a socket in place of one to serve on, bound to nothing.

    Raises:
        AddressError: It could not be bound anywhere.
    """
    try:
        fork.Socket.at(uri)
    except ComponentLookupError:
        pass
    except fork.SocketURIError as error:
        raise AddressError(uri, error.reason) from None
    return Listening(fork.Socket(uri, socket.socket()))


def _same(item: fork.Socket, config: AioHttpConfig) -> bool:
    """Tell whether a shared socket has the address of the configuration."""
    bound: t.Any = item.address
    if config.path is not None:
        return isinstance(bound, str) and bound == os.path.abspath(config.path)  # noqa: PTH100
    return _same_port(item, config) and bound[0] in _addresses(config.host)


def _same_port(item: fork.Socket, config: AioHttpConfig) -> bool:
    """Tell whether a shared socket has the port of the configuration."""
    bound: t.Any = item.address
    if isinstance(bound, str):
        return False
    return bound[1] == config.port or (
        config.port == 0 and item.uri.partition("?")[0].endswith(":0")
    )


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
