"""aiohttp's side of a connection, with answers to errors of our own."""

from __future__ import annotations

import asyncio
import logging
import sys
import typing as t

import aiohttp.http_exceptions
import aiohttp.web

from ._access import AccessLog
from ._access import AccessLogger
from ._access import raw_path
from ._config import AioHttpConfig
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


def protocol_options(config: AioHttpConfig) -> dict[str, t.Any]:
    """Return how connections are handled, as aiohttp names it."""
    options: dict[str, t.Any] = {
        "access_log_class": AccessLogger,
        "access_log": AccessLog(
            conventions=config.access_log_names == "opentelemetry",
            health=config.access_log_health,
        )
        if config.access_log
        else None,
        "keepalive_timeout": config.keepalive_timeout,
        "max_line_size": config.max_line_size,
        "max_field_size": config.max_field_size,
    }
    if config.max_headers is not None:
        options["max_headers"] = config.max_headers
    return {"problems": config.problem_details, "aiohttp": options}


def make_protocol(
    server: aiohttp.web.Server, options: dict[str, t.Any]
) -> Protocol:
    """Make the side of aiohttp of a new connection."""
    protocol = Protocol(
        server, loop=asyncio.get_running_loop(), **options["aiohttp"]
    )
    protocol.problems = options["problems"]
    return protocol


class Protocol(aiohttp.web.RequestHandler):
    """
    Answers requests; what fails is logged once, and told without details.

    Attributes:
        problems: Whether errors are data for clients that accept JSON.
    """

    __slots__ = ("problems",)

    problems: bool

    def handle_error(
        self,
        request: aiohttp.web.BaseRequest,
        status: int = _ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> aiohttp.web.StreamResponse:
        """
        Answer what went wrong with a request.

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
            b"%d: %s"
            % (
                status,
                phrase_of(status).encode(),
            ),
        )
        if self.problems and accepts_json(request.headers.get("Accept", "")):
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
