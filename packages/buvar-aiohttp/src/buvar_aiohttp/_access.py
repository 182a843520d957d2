"""Log requests as structure."""

from __future__ import annotations

import logging
import string
import typing as t

from urllib.parse import quote

import aiohttp.abc
import aiohttp.web


if t.TYPE_CHECKING:
    import yarl


#: All of ASCII that is visible, the percent sign included.
_SAFE: t.Final = string.ascii_letters + string.digits + string.punctuation


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


class AccessLogger(aiohttp.abc.AbstractAccessLogger):
    """Logs a line for each request, its facts as fields of the record."""

    LOGGER: t.ClassVar = logging.getLogger("buvar_aiohttp.access")

    @property
    def enabled(self) -> bool:
        """Whether anybody reads it."""
        return self.logger.isEnabledFor(logging.INFO)

    def log(
        self,
        request: aiohttp.web.BaseRequest,
        response: aiohttp.web.StreamResponse,
        time: float,
    ) -> None:
        """Log a request that was answered after so many seconds."""
        path = raw_path(request.rel_url)
        agent = request.headers.get("User-Agent")
        self.logger.info(
            "%s %s %s",
            request.method,
            path,
            response.status,
            extra={
                "method": request.method,
                "path": path,
                "status": response.status,
                "bytes": response.body_length,
                "seconds": round(time, 6),
                "remote": request.remote,
                "user_agent": agent and printable(agent),
            },
        )
