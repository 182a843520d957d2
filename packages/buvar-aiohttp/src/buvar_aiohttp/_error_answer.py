"""What is answered to a request that fails outside of its handler."""

from __future__ import annotations

import logging
import sys
import typing as t

import aiohttp.http_exceptions
import aiohttp.web

from ._access import raw_path
from ._key import REQUEST_ID
from ._observe import client_left
from ._problem import PROBLEM
from ._problem import accepts_json
from ._problem import phrase_of
from ._problem import problem


_log = logging.getLogger("buvar_aiohttp")

_BAD_REQUEST: t.Final = 400
_TOO_LARGE: t.Final = 431
_ERROR: t.Final = 500


def answer_error(
    request: aiohttp.web.BaseRequest,
    status: int,
    exc: BaseException | None,
    message: str | None,
    *,
    problems: bool,
) -> aiohttp.web.StreamResponse:
    """
    Answer what went wrong with a request; log it once.

    Args:
        request: The request.
        status: What aiohttp would answer.
        exc: What was raised, ``None`` for what is being handled.
        message: What aiohttp says about it.
        problems: Whether errors are data for clients that accept JSON.

    Raises:
        ConnectionError: A part of another answer was sent already.
    """
    error = exc or sys.exception()
    if isinstance(error, aiohttp.web.RequestPayloadError):
        status, message = _BAD_REQUEST, str(error)
    elif isinstance(error, aiohttp.http_exceptions.LineTooLong) or (
        "Too many headers" in (message or "")
    ):
        status = _TOO_LARGE
    _report(request, status, error, message)
    if request.writer.output_size > 0:
        msg = "The answer was cut off, as it could not be completed."
        raise ConnectionError(msg)
    kind, body = (
        "text/plain",
        b"%d: %s" % (status, phrase_of(status).encode()),
    )
    if problems and accepts_json(request):
        kind, body = PROBLEM, problem(request, status)
    response = aiohttp.web.Response(
        status=status, body=body, content_type=kind
    )
    response.force_close()
    return response


def _report(
    request: aiohttp.web.BaseRequest,
    status: int,
    error: BaseException | None,
    message: str | None,
) -> None:
    """Log it once: with all there is to know, if it is the server's fault."""
    path = raw_path(request.rel_url)
    extra = {"method": request.method, "path": path, "remote": request.remote}
    if REQUEST_ID in request:
        extra["request_id"] = request[REQUEST_ID]
    if status >= _ERROR and not (error and client_left(request, error)):
        _log.error(
            "The request %s %s failed.",
            request.method,
            path,
            exc_info=error,
            extra=extra,
        )
    else:
        reason = ascii((message or str(error)).partition("\n")[0])
        _log.info(
            "A request is answered with %d: %s",
            status,
            reason,
            extra={**extra, "status": status, "reason": reason},
        )
