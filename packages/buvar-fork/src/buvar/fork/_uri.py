"""URIs of sockets: what to bind, or to take over."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import typing as t

from urllib.parse import parse_qsl
from urllib.parse import unquote
from urllib.parse import urlsplit

from ._errors import SocketURIError


#: The longest path of a Unix socket that the kernel takes, in bytes.
LONGEST_PATH: t.Final = 107


@dataclasses.dataclass(frozen=True, slots=True)
class Tcp:
    """An address to bind, ``tcp://host:port``."""

    uri: str
    host: str
    port: int
    backlog: int | None = None
    reuse_port: bool | None = None

    def with_port(self, port: int) -> Tcp:
        """Return the same address with the port that was chosen."""
        return dataclasses.replace(self, port=port)


@dataclasses.dataclass(frozen=True, slots=True)
class Unix:
    """A path to bind, ``unix:///path``; ``unix://@name`` is abstract."""

    uri: str
    path: str
    backlog: int | None = None
    mode: int | None = None
    user: str | None = None
    group: str | None = None

    @property
    def has_file_options(self) -> bool:
        """Whether something is asked for that only a file can have."""
        return (self.mode, self.user, self.group) != (None, None, None)


@dataclasses.dataclass(frozen=True, slots=True)
class Fd:
    """A listening socket that was inherited, ``fd://3``."""

    uri: str
    fd: int


@dataclasses.dataclass(frozen=True, slots=True)
class Systemd:
    """Sockets passed by systemd: all, or those of one name."""

    uri: str
    name: str


Address: t.TypeAlias = Tcp | Unix | Fd | Systemd


def parse(uri: str) -> Address:
    """
    Read the URI of a socket.

    Raises:
        SocketURIError: The URI is not one of those known.
    """
    scheme, colon, rest = uri.partition(":")
    scheme = scheme.lower()
    if scheme == "systemd":
        return Systemd(uri, unquote(rest.removeprefix("//")))
    parser = _PARSERS.get(scheme)
    if parser is None or not colon:
        raise SocketURIError(
            uri,
            "the scheme is not one of "
            + ", ".join(f"{known}://" for known in (*_PARSERS, "systemd"))
            + "; write e.g. tcp://127.0.0.1:8080.",
        )
    return parser(uri, rest)


def place(address: Address) -> tuple[object, ...]:
    """
    Return what URIs have in common that mean the same socket.

    The host, the port or the path are written in one way; options are left
    out.
    """
    if isinstance(address, Tcp):
        return ("tcp", _normal_host(address.host), address.port)
    if isinstance(address, Unix):
        abstract = address.path.startswith("@")
        # Not resolved: two links may be meant to be two names.
        path = os.path.abspath(address.path)  # noqa: PTH100
        return ("unix", address.path if abstract else path)
    if isinstance(address, Fd):
        return ("fd", address.fd)
    return ("systemd", address.name)


def _normal_host(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.lower().rstrip(".")


def _host(text: str) -> str:
    """Return a host as the system takes it, its interface unquoted."""
    host, percent, scope = text.partition("%")
    if ":" not in host:
        return unquote(text)
    # Quoted as RFC 6874 has it, or written as everywhere else.
    if len(scope) > len("25") and scope.startswith("25"):
        scope = scope.removeprefix("25")
    return f"{host}{percent}{scope}"


def _tcp(uri: str, _rest: str) -> Tcp:
    options = _Options(uri, uri.partition("?")[2])
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SocketURIError(
            uri, f"{error}; write tcp://host:port, IPv6 as tcp://[::1]:8080."
        ) from error
    if port is None:
        raise SocketURIError(
            uri, "the port is missing; write tcp://host:port, or port 0."
        )
    if parts.path.strip("/") or parts.fragment or "@" in parts.netloc:
        raise SocketURIError(
            uri, "a socket is only a host and a port; write tcp://host:port."
        )
    address = Tcp(
        uri,
        _host(host) if host else "0.0.0.0",  # noqa: S104 - the contract
        port,
        backlog=options.number("backlog"),
        reuse_port=options.flag("reuse_port"),
    )
    options.check()
    return address


def _unix(uri: str, rest: str) -> Unix:
    path, _, query = rest.removeprefix("//").partition("?")
    path = unquote(path)
    if not path:
        raise SocketURIError(
            uri, "the path is missing; write unix:///run/app.sock."
        )
    if len(path.encode()) > LONGEST_PATH:
        raise SocketURIError(
            uri,
            f"the path is longer than {LONGEST_PATH} bytes; choose a "
            "shorter one.",
        )
    options = _Options(uri, query)
    address = Unix(
        uri,
        path,
        backlog=options.number("backlog"),
        mode=options.number("mode", base=8, most=0o777),
        user=options.pop("user"),
        group=options.pop("group"),
    )
    options.check()
    if path.startswith("@") and address.has_file_options:
        raise SocketURIError(
            uri,
            "an abstract name has no file, so no mode, user or group; leave "
            "them out, or use a path.",
        )
    return address


def _fd(uri: str, rest: str) -> Fd:
    number = rest.removeprefix("//")
    if not number.isdecimal():
        raise SocketURIError(
            uri, "a file descriptor is a number; write e.g. fd://3."
        )
    return Fd(uri, int(number))


_PARSERS: t.Final[t.Mapping[str, t.Callable[[str, str], Address]]] = {
    "tcp": _tcp,
    "unix": _unix,
    "fd": _fd,
}


class _Options:
    """The query of a URI, each option taken out once."""

    def __init__(self, uri: str, query: str) -> None:
        self.uri = uri
        self.left = dict(parse_qsl(query, keep_blank_values=True))
        self.known: list[str] = []

    def pop(self, name: str) -> str | None:
        """Take out a text."""
        self.known.append(name)
        return self.left.pop(name, None)

    def number(
        self, name: str, *, base: int = 10, most: float = float("inf")
    ) -> int | None:
        """Take out a number."""
        text = self.pop(name)
        if text is None:
            return None
        try:
            number = int(text, base)
        except ValueError:
            number = -1
        if not 0 <= number <= most:
            kind = "an octal number up to 777" if base != 10 else "a number"  # noqa: PLR2004
            example = "660" if base != 10 else "1024"  # noqa: PLR2004
            raise SocketURIError(
                self.uri, f"{name} is {kind}; write e.g. {name}={example}."
            )
        return number

    def flag(self, name: str) -> bool | None:
        """Take out a yes or no."""
        text = self.pop(name)
        if text is None:
            return None
        flags = {"1": True, "true": True, "0": False, "false": False}
        if text.lower() not in flags:
            raise SocketURIError(
                self.uri, f"{name} is true or false; write {name}=true."
            )
        return flags[text.lower()]

    def check(self) -> None:
        """Refuse what nobody took out."""
        for name in self.left:
            raise SocketURIError(
                self.uri,
                f"there is no option {name!r}; the options are "
                + ", ".join(self.known)
                + ".",
            )
