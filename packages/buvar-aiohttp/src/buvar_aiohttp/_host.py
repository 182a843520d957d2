"""The host that a request is for."""

from __future__ import annotations

import re
import typing as t

import aiohttp
import aiohttp.hdrs
import aiohttp.web


_NAME: t.Final = r"(?:[A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f]{2}){1,255}"
_HOST: t.Final = re.compile(
    rf"(?:{_NAME}|\[[0-9A-Fa-f:.]{{2,45}}\])(?::([0-9]{{0,5}}))?", re.ASCII
)
_LAST_PORT: t.Final = 65535
#: How many hosts are known at most; a client may invent any number.
_MOST: t.Final = 1024

#: Those that were found to make sense. No host at all is a request of
#: something that has none.
known_hosts: t.Final[set[str | None]] = {""}


def is_host(text: str) -> bool:
    """Tell whether that is a host as HTTP knows it, with a port or without."""
    match = _HOST.fullmatch(text)
    return match is not None and int(match[1] or 0) <= _LAST_PORT


def check_host(request: aiohttp.web.BaseRequest) -> None:
    """
    Refuse a request whose host makes no sense, as HTTP asks for.

    Raises:
        aiohttp.web.HTTPBadRequest: It does not, see RFC 9112, 3.2.
    """
    host = request.headers.get(aiohttp.hdrs.HOST)
    if host is None:
        if request.version < aiohttp.HttpVersion11:
            return
    elif is_host(host):
        if len(known_hosts) < _MOST:
            known_hosts.add(host)
        return
    answer = aiohttp.web.HTTPBadRequest()
    answer.force_close()
    raise answer
