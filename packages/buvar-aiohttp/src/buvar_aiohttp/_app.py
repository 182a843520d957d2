"""The application, and a layer of the context for each request."""

from __future__ import annotations

import typing as t

import aiohttp.web

from buvar import context
from buvar.context import buvar_context
from buvar.context._closing import close
from buvar.context._closing import raise_failures


Handler: t.TypeAlias = t.Callable[
    [aiohttp.web.Request], t.Awaitable[aiohttp.web.StreamResponse]
]


class Door:
    """
    Whether connections stay open after an answer.

    Attributes:
        closing: Set when the server stops: the answer is the last one.
    """

    __slots__ = ("closing",)

    def __init__(self) -> None:
        self.closing = False


def request_layers(door: Door) -> t.Any:
    """
    Return a middleware that runs each request on a layer of its own.

    The layer holds the request and ends with it: what was built for its
    length is closed, with the exception if there is one.
    """

    @aiohttp.web.middleware
    async def layers(
        request: aiohttp.web.Request, handler: Handler
    ) -> aiohttp.web.StreamResponse:
        layer = buvar_context.get().scoped()
        layer.add(request, aiohttp.web.Request)
        token = buvar_context.set(layer)
        try:
            response = await handler(request)
        except BaseException as error:
            if layer.closers:
                raise_failures("a request failed", await close(layer, error))
            if door.closing and isinstance(error, aiohttp.web.HTTPException):
                error.force_close()
            raise
        else:
            if layer.closers:
                raise_failures("a request failed", await close(layer, None))
            if door.closing:
                response.force_close()
            return response
        finally:
            buvar_context.reset(token)

    return layers


async def prepare_app() -> None:
    """Add an ``aiohttp.web.Application`` to the context."""
    door = context.add(Door())
    context.add(aiohttp.web.Application(middlewares=[request_layers(door)]))
