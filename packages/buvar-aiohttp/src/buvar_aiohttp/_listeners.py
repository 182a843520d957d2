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
    others: list[Listener] = []
    for address in (*config.listeners, *operation):
        uri, secure = _read(address, tls=tls)
        # A check binds nothing: the service may be running.
        bound = unbound(uri) if plugin.checking() else bind(config, uri)
        stack.callback(bound.close)
        others.append(Listener(bound, secure))
    if plugin.checking():
        first = unbound(config.address)
    else:
        first = listen(config, {id(other.item) for other in others})
    number = len(config.listeners)
    return [Listener(first, tls), *others[:number]], others[number:]


def _read(address: str, *, tls: bool) -> tuple[str, bool]:
    """
    Return what an address is bound as, and whether it is HTTPS.

    Raises:
        AddressError: It is to be, and there is no certificate.
    """
    scheme, separator, rest = address.partition("://")
    secure = scheme.startswith("https")
    if secure and not tls:
        raise AddressError(
            address, "it is to be HTTPS, and tls_cert names no certificate."
        )
    return f"{_SCHEMES.get(scheme, scheme)}{separator}{rest}", secure
