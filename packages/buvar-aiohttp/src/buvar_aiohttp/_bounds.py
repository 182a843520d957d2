"""Bounds of requests: how long one may take, and how many there may be."""

from __future__ import annotations

import asyncio
import logging
import typing as t

import aiohttp.web

from ._access import raw_path
from ._deadlines import set_deadline
from ._key import TIMEOUT
from ._key import UNTIL_SWITCHED
from ._request_layer import Handler
from ._request_layer import RequestGate
from ._route import HEALTH
from ._throttle import Throttle


_log = logging.getLogger("buvar_aiohttp")

#: Seconds after which a client that is refused may try again.
RETRY: t.Final = "1"


def in_time(seconds: float, handler: Handler) -> Handler:
    """
    Cancel a handler that takes too long, and answer 503.

    Args:
        seconds: How long it may take until there is a response; sending it
            is not counted, and neither is a websocket.
        handler: What answers.
    """

    async def handle(
        request: aiohttp.web.BaseRequest,
    ) -> aiohttp.web.StreamResponse:
        timeout = asyncio.timeout(seconds)
        request[TIMEOUT] = (timeout, seconds)
        if "Upgrade" in request.headers:
            # It may become a websocket, or be any other request.
            request[UNTIL_SWITCHED] = [timeout]
        else:
            set_deadline(seconds, "request_timeout")
        try:
            async with timeout:
                return await handler(request)
        except TimeoutError as error:
            if not timeout.expired() or request.writer.output_size:
                # It is the handler's own, or too late for another answer.
                raise
            path = raw_path(request.rel_url)
            _log.warning(
                "The request was cancelled after request_timeout, %g s: %s "
                "%s.",
                seconds,
                request.method,
                path,
                extra={"method": request.method, "path": path},
            )
            raise aiohttp.web.HTTPServiceUnavailable(
                headers={"Retry-After": RETRY}
            ) from error

    return handle


class Concurrency:
    """
    How many requests are handled at the same time.

    Args:
        limit: How many may be.
        gate: What is told of those that are refused.

    Attributes:
        count: How many are.
        refused: How many were answered with 503.
    """

    def __init__(self, limit: int, gate: RequestGate) -> None:
        self.limit = limit
        self._gate = gate
        self.count = 0
        self.refused = 0
        self._throttle = Throttle()

    def around(self, handler: Handler) -> Handler:
        """Refuse what is too much; health probes never are."""

        async def handle(
            request: aiohttp.web.BaseRequest,
        ) -> aiohttp.web.StreamResponse:
            if self.count >= self.limit and request.path not in HEALTH:
                self._refuse()
            self.count += 1
            try:
                return await handler(request)
            finally:
                self.count -= 1

        return handle

    def _refuse(self) -> t.NoReturn:
        self.refused += 1
        if self._gate.on_refused is not None:
            self._gate.on_refused()
        if self._throttle.ready():
            _log.warning(
                "%d requests are being handled, as many as "
                "max_concurrent_requests allows; %d were answered with 503 "
                "so far.",
                self.limit,
                self.refused,
                extra={"limit": self.limit, "refused": self.refused},
            )
        raise aiohttp.web.HTTPServiceUnavailable(
            headers={"Retry-After": RETRY}
        )
