"""Have clients be told that the answer they get is the last one."""

from __future__ import annotations

import typing as t

import aiohttp.web

from ._key import SEEN


def announce_close(request: aiohttp.web.BaseRequest) -> None:
    """
    Have the response say ``Connection: close``, whoever prepares it.

    A handler that streams sends the head itself, so that it is too late once
    its response is returned. What it says there is what its request asks for,
    and aiohttp has no other place to change that.

    Args:
        request: The request, as it was received.
    """
    for each in (request, request.get(SEEN)):
        if each is not None:
            this: t.Any = each
            message = this._message  # noqa: SLF001 - see above
            this._message = message._replace(should_close=True)  # noqa: SLF001
