"""Bodies that turn out to be malformed, or do not go on."""

from __future__ import annotations

import typing as t

import aiohttp.web


def fail(request: aiohttp.web.BaseRequest, error: Exception) -> None:
    """Have whatever reads the body of a request get an exception."""
    request.content.set_exception(error)
    # Nothing is to be read any more, and the rest is not waited for.
    request.content.feed_eof()


def check_payload(
    request: aiohttp.web.BaseRequest, protocol: aiohttp.web.RequestHandler
) -> None:
    """
    Fail a body that was found to be malformed.

    aiohttp queues an error for the time after the request that it belongs to,
    which would wait for its body as long as the client stays.
    """
    if request.content.is_eof():
        return
    queued: t.Any = getattr(protocol, "_messages", None)
    if queued and (error := getattr(queued[-1][0], "exc", None)) is not None:
        text = str(error).partition("\n")[0]
        fail(request, aiohttp.web.RequestPayloadError(text))
