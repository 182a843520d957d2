"""Several addresses for one application."""

from __future__ import annotations

import contextlib
import typing as t

from buvar import fork
from buvar import plugin

from ._address import Listening
from ._address import bind
from ._address import listen
from ._address import unbound
from ._config import AioHttpConfig
from ._errors import AddressError


#: What an address is asked for with, and what it is bound as.
_SCHEMES: t.Final = {
    "http": "tcp",
    "https": "tcp",
    "https+tcp": "tcp",
    "http+unix": "unix",
    "https+unix": "unix",
}


class Listener(t.NamedTuple):
    """
    An address that is served.

    Attributes:
        listening: The socket.
        tls: Whether it is HTTPS.
    """

    listening: Listening
    tls: bool

    @property
    def item(self) -> fork.Socket:
        """The socket, as a component."""
        return self.listening.item


def listen_all(
    config: AioHttpConfig, stack: contextlib.ExitStack, *, tls: bool
) -> tuple[list[Listener], list[Listener]]:
    """
    Listen on all addresses, those of the service and for management.

    Args:
        config: The settings.
        stack: Closes the sockets if one of them cannot be bound.
        tls: Whether there are certificates.

    Raises:
        AddressError: One cannot be bound, or there is no certificate.
    """
    operation = [] if config.management is None else [config.management]
    if plugin.checking():
        # A check binds nothing: the service may be running.
        uris = (config.address, *config.listeners)
        return (
            [Listener(unbound(uri), tls) for uri in uris],
            [Listener(unbound(uri), tls) for uri in operation],
        )
    found: list[Listener] = []
    for uri in (*config.listeners, *operation):
        found.append(_listen_too(config, uri, tls=tls))
        stack.callback(found[-1].listening.close)
    first = Listener(listen(config, {id(guard.item) for guard in found}), tls)
    number = len(config.listeners)
    return [first, *found[:number]], found[number:]


def _listen_too(config: AioHttpConfig, address: str, *, tls: bool) -> Listener:
    scheme, separator, rest = address.partition("://")
    secure = scheme.startswith("https")
    if secure and not tls:
        raise AddressError(
            address, "it is to be HTTPS, and there is no certificate."
        )
    uri = f"{_SCHEMES.get(scheme, scheme)}{separator}{rest}"
    return Listener(bind(config, uri), secure)
