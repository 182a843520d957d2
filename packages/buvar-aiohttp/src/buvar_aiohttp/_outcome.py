"""How a request ended, and the response that is still to be sent."""

from __future__ import annotations

import logging
import typing as t

import aiohttp.web

from ._access import raw_path
from ._errors import ResponseStatusError


_log = logging.getLogger("buvar_aiohttp")

#: The least status that is a failure of the request.
FAILURE: t.Final = 400

_Response = aiohttp.web.Response
_StreamResponse = aiohttp.web.StreamResponse


def error_of(response: object) -> Exception | None:
    """
    Return what a response means to the layer it was made on.

    Returns:
        What is thrown into the layer, ``None`` for a success. What is no
        response at all is a success, too: a middleware makes one of it.
    """
    if type(response) is _Response:
        # The usual case: a check of an abstract class less.
        return (
            ResponseStatusError(response)
            if response.status >= FAILURE
            else None
        )
    if isinstance(response, aiohttp.web.HTTPException):
        return response if response.status >= FAILURE else None
    if isinstance(response, _StreamResponse) and response.status >= FAILURE:
        return ResponseStatusError(response)
    return None


def streams(response: object) -> bool:
    """
    Tell whether sending a response may still need the layer it was made on.

    That is so for a body that a generator yields or that is read from a
    file. A body in memory needs nothing, and what the handler has sent itself
    is as good as gone.
    """
    if isinstance(response, _Response):
        body = response.body
        return body is not None and not isinstance(body, (bytes, bytearray))
    return isinstance(response, _StreamResponse) and not response.prepared


async def send(
    request: aiohttp.web.BaseRequest, response: aiohttp.web.StreamResponse
) -> Exception | None:
    """
    Send a response, as aiohttp would once the layer has ended.

    Returns:
        What cut the response off, such as a client that has left.
    """
    try:
        await response.prepare(request)
        await response.write_eof()
    except ConnectionError as error:
        return error
    except Exception as error:  # noqa: BLE001 - logged, and thrown in
        report_cut(request)
        return error
    return None


def report_cut(request: aiohttp.web.BaseRequest) -> None:
    """Log the exception that is handled, which the client cannot be told."""
    path = raw_path(request.rel_url)
    _log.exception(
        "The response to %s %s was cut off, as it could not be completed.",
        request.method,
        path,
        extra={"method": request.method, "path": path},
    )


def mark_sent(
    response: aiohttp.web.StreamResponse, *, cut: bool = False
) -> None:
    """
    Have aiohttp, which sends each response, find this one sent.

    Args:
        response: What was sent.
        cut: Whether its connection has to be closed, as the client cannot
            know otherwise that something is missing.
    """

    async def prepare(_: aiohttp.web.BaseRequest) -> None:
        return

    async def write_eof(_: bytes = b"") -> None:
        if cut:
            msg = "The response was cut off."
            raise ConnectionResetError(msg)

    # aiohttp keeps no note of its own for files, which it would send again.
    vars(response).update(prepare=prepare, write_eof=write_eof)
