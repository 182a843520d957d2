"""The settings of the server."""

from __future__ import annotations

import socket
import ssl
import typing as t

from urllib.parse import quote

import attrs

from buvar import config

from ._client_config import ClientConfig
from ._numbers import bound
from ._numbers import finite
from ._numbers import positive
from ._proxies import TrustedProxies


class _DefaultHost(str):
    """A host that nobody has set."""

    __slots__ = ()


class _DefaultPort(int):
    """A port that nobody has set."""


_HOST: t.Final = _DefaultHost("127.0.0.1")
_PORT: t.Final = _DefaultPort(8080)
_LAST_PORT: t.Final = 65535


def _port(_: object, attribute: t.Any, value: int | None) -> None:
    """Refuse a number that no port has."""
    if value is not None and not 0 <= value <= _LAST_PORT:
        msg = f"{attribute.name} has to be 0 to {_LAST_PORT}, not {value!r}"
        raise ValueError(msg)


def _proxies(_: object, __: object, value: list[str]) -> None:
    """Refuse what is not a network."""
    TrustedProxies(value)


@attrs.define(kw_only=True)
class AioHttpConfig(config.Config, section="aiohttp"):
    """How to serve HTTP."""

    host: str = config.var(
        _HOST, help="The host name or IP address to listen on."
    )
    port: int = config.var(
        _PORT,
        validator=_port,
        help="The TCP port to listen on, 0 for any that is free.",
    )
    path: str | None = config.var(
        None, help="The path of a Unix socket to listen on instead."
    )
    sock: t.Any = config.var(
        None, help="A listening socket, set by code, wins over all addresses."
    )
    client: dict[str, ClientConfig] = config.var(
        factory=dict[str, ClientConfig],
        help="Client sessions by name; default is the one without a name.",
    )
    shutdown_timeout: float = config.var(
        30.0,
        validator=bound,
        help="Seconds that open requests get to end once the server stops.",
    )
    drain_delay: float | None = config.var(
        None,
        validator=finite,
        help="Seconds for which connections are still accepted once the "
        "server stops, while /health/ready answers 503. 5 behind a load "
        "balancer. A supervisor of several workers waits as long, before "
        "its graceful_timeout begins. By default one process stops at once, "
        "and several workers accept for as long as requests are being "
        "answered, but no longer than a second.",
    )
    ssl_context: t.Any = config.var(
        None, help="An ssl.SSLContext, set by code, makes it HTTPS."
    )
    tls_cert: str | None = config.var(
        None,
        help="The file with the certificate and those between it and the "
        "CA, PEM; makes it HTTPS. Loaded anew when it changes, and on HUP.",
    )
    tls_key: str | None = config.var(
        None,
        help="The file with the certificate's private key, PEM; by default "
        "that of the certificate.",
    )
    tls_key_password: config.Secret[str] | None = config.var(
        None, help="The password of the private key, if it has one."
    )
    tls_client_ca: str | None = config.var(
        None,
        help="The file with the CAs that clients need a certificate of, PEM; "
        "by default clients need none.",
    )
    tls_min_version: t.Literal["1.2", "1.3"] = config.var(
        "1.2", help="The oldest version of TLS that clients may speak."
    )
    health_details: bool = config.bool_var(
        False,  # noqa: FBT003 - the default
        help="Whether /health/ready tells of each check to whoever asks, also "
        "without a management listener.",
    )
    backlog: int = config.var(
        2048,
        validator=positive,
        help="How many connections may wait to be accepted.",
    )
    keepalive_timeout: float = config.var(
        75.0,
        validator=positive,
        help="Seconds that a connection may be idle, also before its first "
        "request. More than the proxy in front has.",
    )
    header_timeout: float = config.var(
        30.0,
        validator=positive,
        help="Seconds from the first byte of a request to the end of its "
        "headers, and for a TLS handshake.",
    )
    max_connections: int | None = config.var(
        None,
        validator=positive,
        help="How many connections may be open; more of them wait. By "
        "default as many as the limit of open files has room for.",
    )
    trusted_proxies: list[str] = config.list_var(
        (),
        validator=_proxies,
        help="Addresses and networks of proxies that tell in Forwarded or "
        "X-Forwarded-* where a request comes from; unix for a Unix socket.",
    )
    forwarded_headers: t.Literal["auto", "forwarded", "x-forwarded"] = (
        config.var(
            "auto",
            help="Which headers trusted proxies write. With auto a request "
            "that has both of them, not saying the same, is taken to come "
            "from the proxy.",
        )
    )
    client_max_size: int | None = config.var(
        None,
        validator=positive,
        help="The most bytes of a body that is read as a whole, else 413. "
        "By default what the application says, 1 MiB.",
    )
    max_line_size: int = config.var(
        8190,
        validator=positive,
        help="Bytes of a request line, else 431.",
    )
    max_field_size: int = config.var(
        8190,
        validator=positive,
        help="Bytes of a header, else 431.",
    )
    max_headers: int | None = config.var(
        None,
        validator=positive,
        help="How many headers a request may have, else 431. By default what "
        "aiohttp says, 128; older versions than 3.14 have no limit.",
    )
    body_timeout: float = config.var(
        30.0,
        validator=positive,
        help="Seconds for which less than 240 bytes per second of a body may "
        "arrive, else 408.",
    )
    send_timeout: float = config.var(
        60.0,
        validator=positive,
        help="Seconds for which a client may take in nothing of what it is "
        "sent, else its connection is closed; on Linux, where it is TCP.",
    )
    request_timeout: float | None = config.var(
        None,
        validator=positive,
        help="Seconds until a request must have a response, else its handler "
        "is cancelled, and 503 is answered. By default there is no limit.",
    )
    max_concurrent_requests: int | None = config.var(
        None,
        validator=positive,
        help="How many requests of a process may be handled at the same "
        "time; more are answered with 503 and Retry-After, health probes "
        "apart. By default there is no limit.",
    )
    handler_cancellation: bool = config.bool_var(
        False,  # noqa: FBT003 - the default
        help="Whether the handler of a request is cancelled when its client "
        "leaves.",
    )
    normalize_paths: bool = config.bool_var(
        False,  # noqa: FBT003 - the default
        help="Whether a path that is not found is redirected to one with a "
        "slash at its end, or without repeated slashes, if that is found.",
    )
    problem_details: bool = config.bool_var(
        True,  # noqa: FBT003 - the default
        help="Whether errors are answered as application/problem+json (RFC "
        "9457) to clients that accept JSON.",
    )
    listeners: list[str] = config.list_var(
        (),
        help="More addresses to listen on: tcp://host:port, unix:///path, "
        "https://host:port or https+unix:///path.",
    )
    management: str | None = config.var(
        None,
        help="An address for health and metrics only, as of listeners; they "
        "are not served elsewhere then.",
    )
    handle_signals: bool = config.bool_var(
        False,  # noqa: FBT003 - the default
        help="Whether the server stops on INT and TERM where the stage "
        "handles no signals.",
    )
    trust_client_trace: bool = config.bool_var(
        False,  # noqa: FBT003 - the default
        help="Whether tracing takes over the sampling decision and the "
        "baggage of clients, which should be services of one's own then.",
    )
    access_log: bool = config.bool_var(
        True,  # noqa: FBT003 - the default
        help="Whether to log requests, if level INFO is logged at all.",
    )
    access_log_names: t.Literal["short", "opentelemetry"] = config.var(
        "short",
        help="How the fields of the access log are named: method, or as "
        "OpenTelemetry does, http.request.method.",
    )
    access_log_health: int = config.var(
        1,
        validator=finite,
        help="Of so many health probes that succeed one is logged, 0 logs "
        "none of them.",
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what only code can get wrong."""
        for name, kind in (
            ("sock", socket.socket),
            ("ssl_context", ssl.SSLContext),
        ):
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                msg = f"{name} is set by code, to a {kind.__qualname__}."
                raise ValueError(msg)
        self._check_tls()

    def _check_tls(self) -> None:
        """Refuse settings of TLS that contradict each other."""
        if self.tls_cert is None:
            for name in ("tls_key", "tls_key_password", "tls_client_ca"):
                if getattr(self, name) is not None:
                    msg = f"{name} needs tls_cert, the certificate."
                    raise ValueError(msg)
        elif self.ssl_context is not None:
            msg = "tls_cert and ssl_context are both set: leave one out."
            raise ValueError(msg)

    @property
    def names_host(self) -> bool:
        """Whether the host was set, to whatever."""
        return type(self.host) is not _DefaultHost

    @property
    def names_address(self) -> bool:
        """Whether the host, the port or a path was set, to whatever."""
        return (
            self.names_host
            or type(self.port) is not _DefaultPort
            or self.path is not None
        )

    @property
    def address(self) -> str:
        """The address as a URI."""
        if self.path is not None:
            return f"unix://{quote(self.path, safe='/@')}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"
