"""Several addresses for one application."""

from __future__ import annotations

import typing as t

from buvar import fork

from ._address import Listening
from ._address import bind
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


def listen_too(config: AioHttpConfig, address: str) -> Listener:
    """
    Listen on one more address.

    Args:
        config: The settings.
        address: A URI; ``https`` says that it is HTTPS.

    Raises:
        AddressError: It cannot be bound, or there is no certificate.
    """
    scheme, separator, rest = address.partition("://")
    tls = scheme.startswith("https")
    if tls and config.ssl_context is None:
        raise AddressError(
            address, "it is to be HTTPS, and there is no certificate."
        )
    uri = f"{_SCHEMES.get(scheme, scheme)}{separator}{rest}"
    return Listener(bind(config, uri), tls)
