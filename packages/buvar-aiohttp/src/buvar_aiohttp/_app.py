"""The application, and a layer of the context for each request."""

from __future__ import annotations

import typing as t

import aiohttp.web

from buvar import context
from buvar import fork
from buvar.components import Components
from buvar.components import _known
from buvar.context import buvar_context
from buvar.context import child
from buvar.context._closing import ENDED
from buvar.context._closing import close
from buvar.context._closing import raise_failures


Handler: t.TypeAlias = t.Callable[
    [t.Any], t.Awaitable[aiohttp.web.StreamResponse]
]

_MESSAGE = "a request failed"

_Request = aiohttp.web.Request
# Put into layers below without telling: each of them is new.
_known.note(_Request, named=False)

_set = buvar_context.set


class Door:
    """
    What the requests of an application pass on their way in and out.

    Attributes:
        closing: Set when the server stops: the answer is the last one of its
            connection.
        layers: The middleware that runs each request on a layer of its own.
    """

    __slots__ = ("closing", "layers")

    def __init__(self) -> None:
        self.closing = False

        @aiohttp.web.middleware
        async def layers(
            request: aiohttp.web.Request, handler: Handler
        ) -> aiohttp.web.StreamResponse:
            below = buvar_context.get()
            return await in_layers(self, below, handler)(request)

        self.layers: t.Any = layers


def in_layers(door: Door, below: Components, handler: Handler) -> Handler:
    """
    Have a handler run each request on a layer of its own.

    The layer holds the request and ends with it: what was built for its
    length is closed, with the exception if there is one. It is not taken off
    the context: the request has a task of its own, where only the response is
    sent and logged afterwards.
    """
    stage = below.stage or below

    async def handle(
        request: aiohttp.web.BaseRequest,
    ) -> aiohttp.web.StreamResponse:
        # Opened as 'async with' does, and filled as add() does, with no call
        # that a request need not wait for.
        layer = child()
        layer.below, layer.stage = below, stage
        layer.items[_Request] = request
        _set(layer)
        try:
            response = await handler(request)
        except BaseException as error:
            if layer.closers:
                raise_failures(_MESSAGE, await close(layer, error))
            layer.closers = ENDED
            if door.closing and isinstance(error, aiohttp.web.HTTPException):
                error.force_close()
            raise
        if layer.closers:
            raise_failures(_MESSAGE, await close(layer, None))
        layer.closers = ENDED
        if door.closing:
            response.force_close()
        return response

    return handle


def counted(worker: fork.Worker, handler: Handler) -> Handler:
    """Have a worker count its requests, to be replaced after so many."""

    async def handle(
        request: aiohttp.web.BaseRequest,
    ) -> aiohttp.web.StreamResponse:
        worker.count()
        return await handler(request)

    return handle


async def prepare_app() -> None:
    """Add an ``aiohttp.web.Application`` to the context, if it has none."""
    if context.get(aiohttp.web.Application, default=None) is None:
        door = context.add(Door())
        context.add(aiohttp.web.Application(middlewares=[door.layers]))
