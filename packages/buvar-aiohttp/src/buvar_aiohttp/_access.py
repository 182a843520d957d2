"""Log requests as structure."""

from __future__ import annotations

import itertools
import logging
import string
import typing as t

from urllib.parse import quote

import aiohttp.abc
import aiohttp.web

from ._key import REQUEST_ID
from ._key import SEEN
from ._route import HEALTH
from ._route import route_of


if t.TYPE_CHECKING:
    import yarl


#: All of ASCII that is visible, the percent sign included.
_SAFE: t.Final = string.ascii_letters + string.digits + string.punctuation

#: The least status that is always logged.
_FAILURE: t.Final = 400

#: The fields of a line, by their names in the semantic conventions.
_CONVENTIONS: t.Final = {
    "method": "http.request.method",
    "path": "url.path",
    "route": "http.route",
    "status": "http.response.status_code",
    "bytes": "http.response.size",
    "seconds": "http.server.request.duration",
    "remote": "client.address",
    "user_agent": "user_agent.original",
}


def raw_path(url: yarl.URL) -> str:
    """
    Return the path of a request, as it was sent.

    What is not printed as one character of ASCII is percent-encoded: a client
    cannot forge a line of the log, or move the cursor of a terminal. The query
    is left out, as it may contain secrets.
    """
    path = url.raw_path
    if path.isascii() and path.isprintable() and " " not in path:
        return path
    return quote(path, safe=_SAFE, errors="surrogateescape")


def printable(text: str) -> str:
    """Return a text with what cannot be printed escaped."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else ascii(char)[1:-1] for char in text
    )


class AccessLog:
    """
    How requests are logged.

    Args:
        conventions: Whether fields are named as OpenTelemetry names them.
        health: Of so many health probes that succeed one is logged, 0 for
            none.
    """

    LOGGER: t.Final = logging.getLogger("buvar_aiohttp.access")

    def __init__(self, *, conventions: bool = False, health: int = 1) -> None:
        self._conventions = conventions
        self._health = health
        self._probes = itertools.count()

    def skips(
        self,
        request: aiohttp.web.BaseRequest,
        response: aiohttp.web.StreamResponse,
    ) -> bool:
        """Tell whether a request is a health probe that is not logged."""
        if self._health == 1 or response.status >= _FAILURE:
            return False
        if route_of(request) not in HEALTH:
            return False
        return not self._health or next(self._probes) % self._health != 0

    def log(
        self,
        request: aiohttp.web.BaseRequest,
        response: aiohttp.web.StreamResponse,
        time: float,
    ) -> None:
        """Log a request that was answered after so many seconds."""
        if self.skips(request, response):
            return
        path = raw_path(request.rel_url)
        agent = request.headers.get("User-Agent")
        fields = {
            "method": request.method,
            "path": path,
            "route": route_of(request),
            "status": response.status,
            "bytes": response.body_length,
            "seconds": round(time, 6),
            "remote": request.get(SEEN, request).remote,
            "user_agent": agent and printable(agent),
        }
        if self._conventions:
            fields = {_CONVENTIONS[key]: fields[key] for key in fields}
        if REQUEST_ID in request:
            fields["request_id"] = request[REQUEST_ID]
        self.LOGGER.info(
            "%s %s %s", request.method, path, response.status, extra=fields
        )


class AccessLogger(aiohttp.abc.AbstractAccessLogger):
    """Logs a line for each request, its facts as fields of the record."""

    @property
    def enabled(self) -> bool:
        """Whether anybody reads it."""
        return AccessLog.LOGGER.isEnabledFor(logging.INFO)

    def log(
        self,
        request: aiohttp.web.BaseRequest,
        response: aiohttp.web.StreamResponse,
        time: float,
    ) -> None:
        """Log a request that was answered after so many seconds."""
        # What is given to aiohttp as a logger, one for all connections.
        t.cast("t.Any", self.logger).log(request, response, time)
