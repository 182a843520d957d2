"""Log requests as structure."""

from __future__ import annotations

import logging
import typing as t

import aiohttp.abc
import aiohttp.web


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
        self.logger.info(
            "%s %s %s",
            request.method,
            request.rel_url.path,
            response.status,
            extra={
                "method": request.method,
                "path": request.rel_url.path,
                "status": response.status,
                "bytes": response.body_length,
                "seconds": round(time, 6),
                "remote": request.remote,
                "user_agent": request.headers.get("User-Agent"),
            },
        )
