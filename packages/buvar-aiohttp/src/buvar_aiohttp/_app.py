"""The application, and a layer of the context for each request."""

from __future__ import annotations

import typing as t

import aiohttp.web

from buvar import context


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
        async with context.child() as layer:
            layer.add(request, aiohttp.web.Request)
            try:
                response = await handler(request)
            except aiohttp.web.HTTPException as error:
                if door.closing:
                    error.force_close()
                raise
        if door.closing:
            response.force_close()
        return response

    return layers


async def prepare_app() -> None:
    """Add an ``aiohttp.web.Application`` to the context."""
    door = context.add(Door())
    context.add(aiohttp.web.Application(middlewares=[request_layers(door)]))
