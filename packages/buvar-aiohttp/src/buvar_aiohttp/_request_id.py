"""An id for each request: taken over, or made."""

from __future__ import annotations

import random
import re
import typing as t

import aiohttp.web

from buvar.components import spi
from buvar.context import buvar_context

from ._key import REQUEST_ID
from ._proxies import TrustedProxies
from ._proxies import address_of
from ._request_layer import Handler


#: The header that carries it.
HEADER: t.Final = "X-Request-ID"

_TRACEPARENT: t.Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\b",
    re.ASCII,
)
#: What is taken over: nothing that a log, a header or a URL has to escape.
_ID: t.Final = re.compile(r"[0-9A-Za-z._~:/+=@-]{1,128}\Z", re.ASCII)

_bits = random.getrandbits
_get = buvar_context.get


class RequestId:
    """
    The id of a request, a component of its layer.

    Attributes:
        value: The id.

    Example:
        >>> str(RequestId("4711"))
        '4711'
    """

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __str__(self) -> str:
        """Return the id."""
        return self.value

    def __repr__(self) -> str:
        """Show the id."""
        return f"RequestId({self.value!r})"


# Put into the layers of requests: injection has to know that there are some.
spi.announce(RequestId)


class RequestIds:
    """
    Gives each request its id.

    Args:
        proxies: From whom the id of a request is taken over.
    """

    def __init__(self, proxies: TrustedProxies | None) -> None:
        self._proxies = proxies
        self._contextvars = _contextvars()

    def id_of(self, request: aiohttp.web.BaseRequest) -> str:
        """
        Return the id of a request that is new.

        That is the id of the trace it belongs to; else what a trusted proxy
        says; else 32 random hexadecimal digits, as that of a trace has.
        """
        headers = request.headers
        if "traceparent" in headers:
            match = _TRACEPARENT.match(headers["traceparent"])
            if match is not None:
                return match[1]
        if self._proxies is not None and HEADER in headers:
            given = headers[HEADER]
            if _ID.match(given) and self._proxies.trusts(
                address_of(request.get_extra_info("peername"))
            ):
                return given
        # It is not a secret, so anything that is unique will do.
        return f"{_bits(128):032x}"

    def around(self, handler: Handler) -> Handler:
        """Have what is logged meanwhile have the id, and the request."""
        variables = self._contextvars

        async def handle(
            request: aiohttp.web.BaseRequest,
        ) -> aiohttp.web.StreamResponse:
            value = self.id_of(request)
            request[REQUEST_ID] = value
            if variables is None:
                return await handler(request)
            tokens = variables.bind_contextvars(request_id=value)
            try:
                return await handler(request)
            finally:
                variables.reset_contextvars(**tokens)

        return handle

    def within(self, handler: Handler) -> Handler:
        """Have the layer of a request hold its id."""

        async def handle(
            request: aiohttp.web.BaseRequest,
        ) -> aiohttp.web.StreamResponse:
            _get().add(RequestId(request[REQUEST_ID]))
            return await handler(request)

        return handle

    async def answer(
        self,
        request: aiohttp.web.BaseRequest,
        response: aiohttp.web.StreamResponse,
    ) -> None:
        """Tell the client, as a receiver of ``on_response_prepare``."""
        if REQUEST_ID in request:
            response.headers[HEADER] = request[REQUEST_ID]


def _contextvars() -> t.Any:
    """Return what adds fields to all that is logged, if it is installed."""
    try:
        import structlog.contextvars  # noqa: PLC0415 - buvar-log brings it
    except ModuleNotFoundError:
        return None
    return structlog.contextvars
