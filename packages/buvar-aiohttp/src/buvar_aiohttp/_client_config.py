"""The settings of a client session."""

from __future__ import annotations

import re
import typing as t

from urllib.parse import urlsplit

import attrs

from buvar import config

from ._numbers import finite
from ._numbers import positive


_HEADER_NAME: t.Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HEADER: t.Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


def _base_url(_: object, __: object, value: str | None) -> None:
    """Refuse what no request can be relative to."""
    if value is None:
        return
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname:
        # It may hold a password.
        msg = "base_url has to be absolute, such as https://api.example/v1"
        raise ValueError(msg)


def _headers(_: object, __: object, value: dict[str, str]) -> None:
    """Refuse what would end a header, or a request, in the middle."""
    for name, text in value.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER.fullmatch(text):
            # The value may be secret.
            msg = f"the header {name!r} has a character that no header has"
            raise ValueError(msg)


@attrs.define(kw_only=True)
class ClientConfig:
    """How a client session asks one service."""

    base_url: str | None = config.var(
        None,
        validator=_base_url,
        help="What the paths of requests are relative to.",
    )
    total_timeout: float = config.var(
        30.0,
        validator=positive,
        help="Seconds that a request may take, its body included.",
    )
    connect_timeout: float = config.var(
        5.0,
        validator=positive,
        help="Seconds until a request must have a connection, be it a new "
        "one or one that has become free.",
    )
    read_timeout: float | None = config.var(
        None,
        validator=positive,
        help="Seconds in which something must arrive; by default only "
        "total_timeout counts.",
    )
    limit: int = config.var(
        100,
        validator=finite,
        help="How many connections may be open, 0 for any number.",
    )
    limit_per_host: int = config.var(
        0,
        validator=finite,
        help="The same for each host.",
    )
    keepalive_timeout: float = config.var(
        15.0,
        validator=positive,
        help="Seconds for which a connection that is free stays open. Less "
        "than the server keeps it.",
    )
    headers: dict[str, str] = config.var(
        factory=dict[str, str],
        secret=True,
        validator=_headers,
        help="Headers of each request, such as Authorization.",
    )
    tls_ca: str | None = config.var(
        None,
        help="The file with the CAs of the service, PEM; by default those "
        "of the system.",
    )
    tls_cert: str | None = config.var(
        None, help="The file with a certificate to show, PEM."
    )
    tls_key: str | None = config.var(
        None,
        help="The file with its private key, PEM; by default that of the "
        "certificate.",
    )
    trust_env: bool = config.bool_var(
        False,  # noqa: FBT003 - the default
        help="Whether to go through the proxies of HTTP_PROXY, HTTPS_PROXY "
        "and NO_PROXY.",
    )
