"""
Who sent a request, where proxies stand in between.

A proxy tells in headers which client it got a request from. Anybody can send
such headers, so they are believed only from trusted proxies: they are read
from right to left, as each proxy adds its client at the end, and the first
address that is not a trusted proxy is the client. What stands further to the
left was sent by that client, and may be anything.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

import multidict

from ._host import is_host


Network: t.TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Peers of Unix sockets, which have no address.
UNIX: t.Final = "unix"
#: More proxies than that do not stand in a row.
_MOST: t.Final = 32
_WORD: t.Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED: t.Final = r'"(?:[^"\\]|\\.)*"'
#: Some write what has a colon in it without the quotes that it should have.
_VALUE: t.Final = r"[][:!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR: t.Final = re.compile(rf"({_WORD})=({_VALUE}|{_QUOTED})\Z", re.ASCII)
_ESCAPED: t.Final = re.compile(r"\\(.)")
_SCHEMES: t.Final = {"http": "http", "https": "https"} | {
    "ws": "http",
    "wss": "https",
}


class Origin(t.NamedTuple):
    """
    Where a request comes from, as far as trusted proxies tell.

    Attributes:
        remote: The address of the client.
        scheme: The scheme that the client used.
        host: The host that the client asked for, perhaps with a port.
    """

    remote: str | None = None
    scheme: str | None = None
    host: str | None = None


NOTHING: t.Final = Origin()


class TrustedProxies:
    """
    The proxies whose headers are believed.

    Args:
        networks: Their addresses and networks, or ``unix``.
        family: Which headers they write: ``forwarded``, ``x-forwarded``, or
            ``auto`` for whichever of them there is.

    Raises:
        ValueError: Something is not a network.
    """

    def __init__(
        self, networks: t.Iterable[str], family: str = "auto"
    ) -> None:
        self._unix = False
        self._networks: list[Network] = []
        self._family = family
        for text in networks:
            if text == UNIX:
                self._unix = True
            else:
                self._networks.append(_network(text))
        #: What is known of addresses: proxies are few.
        self._known: dict[str, bool] = {}

    def trusts(self, peer: str) -> bool:
        """Tell whether an address is that of a trusted proxy."""
        if not peer:
            return self._unix
        known = self._known.get(peer)
        if known is None:
            address = _address(peer)
            known = address is not None and any(
                address in network for network in self._networks
            )
            if len(self._known) < _MOST * _MOST:
                self._known[peer] = known
        return known

    def origin(
        self, peer: str, headers: multidict.CIMultiDictProxy[str]
    ) -> Origin:
        """
        Return where a request comes from.

        Args:
            peer: The address at the other end of the connection, empty for a
                Unix socket.
            headers: What was sent.
        """
        if not self.trusts(peer):
            return NOTHING
        found: list[Origin] = []
        if self._family != "x-forwarded" and "Forwarded" in headers:
            found.append(self._walk(_forwarded(headers)))
        if self._family != "forwarded" and (
            "X-Forwarded-For" in headers
            or "X-Forwarded-Proto" in headers
            or "X-Forwarded-Host" in headers
        ):
            found.append(self._walk(_x_forwarded(headers)))
        if not found:
            return NOTHING
        if len(found) == 1 or found[0] == found[1]:
            return found[0]
        # One of them is the client's own, and nobody knows which.
        return NOTHING

    def _walk(self, hops: t.Iterator[Origin]) -> Origin:
        """Go from proxy to proxy, until an address is not that of a proxy."""
        remote = scheme = host = None
        for number, hop in enumerate(hops):
            scheme = hop.scheme or scheme
            host = hop.host or host
            if hop.remote is None or number >= _MOST:
                break
            remote = hop.remote
            if not self.trusts(remote):
                break
        return Origin(remote, scheme, host)


def address_of(peer: t.Any) -> str:
    """
    Return the address of a peer, empty for a Unix socket.

    Args:
        peer: What a transport says with ``peername``.
    """
    if isinstance(peer, tuple):
        return str(t.cast("tuple[object, ...]", peer)[0])
    return peer or ""


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        msg = (
            f"trusted_proxies: {text!r} is neither an address nor a network "
            f"({error}). Write such as 10.0.0.0/8, ::1 or {UNIX}."
        )
        raise ValueError(msg) from None


def _address(
    text: str,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address, ``None`` for what is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped


def _node(text: str) -> str | None:
    """Return the address of a client as a proxy writes it, port or not."""
    text = text.strip()
    if text.startswith("["):
        text, _, port = text[1:].partition("]")
        if port and not re.fullmatch(r":[0-9A-Za-z._-]+", port, re.ASCII):
            return None
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    address = _address(text)
    return None if address is None else str(address)


def _backwards(
    headers: multidict.CIMultiDictProxy[str], name: str
) -> list[str]:
    """Return the items of all lines of a header, the last one first."""
    found = [
        item.strip()
        for line in headers.getall(name, ())
        for item in line.split(",")
    ]
    return found[::-1]


def _scheme(text: str) -> str | None:
    return _SCHEMES.get(text.lower())


def _host(text: str) -> str | None:
    return text if is_host(text) else None


def _forwarded(
    headers: multidict.CIMultiDictProxy[str],
) -> t.Iterator[Origin]:
    """Yield the hops of ``Forwarded``, RFC 7239, the last one first."""
    for item in _backwards(headers, "Forwarded"):
        pairs: dict[str, str] = {}
        for part in filter(None, map(str.strip, item.split(";"))):
            match = _PAIR.match(part)
            if match is None or match[1].lower() in pairs:
                return
            value = match[2]
            if value.startswith('"'):
                value = _ESCAPED.sub(r"\1", value[1:-1])
            pairs[match[1].lower()] = value
        yield Origin(
            _node(pairs.get("for", "")),
            _scheme(pairs.get("proto", "")),
            _host(pairs.get("host", "")),
        )


def _x_forwarded(
    headers: multidict.CIMultiDictProxy[str],
) -> t.Iterator[Origin]:
    """Yield the hops of ``X-Forwarded-*``, the last one first."""
    schemes = _backwards(headers, "X-Forwarded-Proto")
    hosts = _backwards(headers, "X-Forwarded-Host")
    remotes = _backwards(headers, "X-Forwarded-For") or [""]
    for number, remote in enumerate(remotes):
        # A proxy may replace these in place of adding to them: then there is
        # only the last one's.
        scheme = schemes[number] if number < len(schemes) else ""
        host = hosts[number] if number < len(hosts) else ""
        yield Origin(_node(remote), _scheme(scheme), _host(host))
