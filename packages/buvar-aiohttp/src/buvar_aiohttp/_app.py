"""The application, and the gate that its requests pass."""

from __future__ import annotations

import functools
import typing as t

import aiohttp.web

from buvar import context
from buvar import di
from buvar import plugin
from buvar.components import Components
from buvar.components import spi
from buvar.context import buvar_context

from ._middlewares import chain_of
from ._request_layer import Handler
from ._request_layer import RequestGate
from ._request_layer import in_layers
from ._routes import applications
from ._routes import check_parameters
from ._routes import entry_points


Wrap: t.TypeAlias = t.Callable[[Handler], Handler]


class Layers:
    """
    A layer of the context for each request to an application.

    Attributes:
        gate: What the requests pass.
        middleware: Opens the layers where nothing below the application
            does, and those of handlers on top where there are middlewares.
    """

    __slots__ = ("_around", "_within", "gate", "middleware")

    def __init__(self) -> None:
        self.gate = RequestGate()
        self._around: list[Wrap] = []
        self._within: list[Wrap] = []

        @aiohttp.web.middleware
        async def middleware(
            request: aiohttp.web.Request, handler: Handler
        ) -> aiohttp.web.StreamResponse:
            below = buvar_context.get()
            chain = chain_of(request.match_info, middleware) or handler
            opened = spi.peek_own(below, aiohttp.web.Request) is request
            if not opened:
                chain = self.around(below, self.within(chain))
            return await chain(request)

        self.middleware = middleware

    def add(
        self, *, around: Wrap | None = None, within: Wrap | None = None
    ) -> None:
        """
        Have something else around all that is handled, the first outermost.

        Args:
            around: Wraps a handler together with the layer of its requests.
            within: Wraps it within that layer.
        """
        self._around += [around] if around else []
        self._within += [within] if within else []

    def within(self, handler: Handler) -> Handler:
        """Return a handler with what is around it within its layer."""
        for wrap in reversed(self._within):
            handler = wrap(handler)
        return handler

    def around(
        self,
        below: Components,
        handler: Handler,
        *,
        tracked: bool = False,
    ) -> Handler:
        """
        Return a handler on a layer, with what is around that.

        Args:
            below: What the layers are put on.
            handler: What answers.
            tracked: See ``in_layers``.
        """
        handler = in_layers(self.gate, below, handler, tracked=tracked)
        for wrap in reversed(self._around):
            handler = wrap(handler)
        return handler

    def place(self, app: aiohttp.web.Application) -> None:
        """
        Put the middleware where it is needed, for an application to start.

        A server opens the layers of requests below the application, where
        they cost least: an application without any middleware is faster.
        """
        if self.middleware in app.middlewares:
            app.middlewares.remove(self.middleware)
        if any(application.middlewares for application in applications(app)):
            app.middlewares.insert(0, self.middleware)


async def prepare_app() -> None:
    """Add an ``aiohttp.web.Application`` to the context, if it has none."""
    app = context.get(aiohttp.web.Application, default=None)
    layers = context.add(Layers())
    if app is None:
        app = context.add(
            aiohttp.web.Application(middlewares=[layers.middleware])
        )
    di.expect(aiohttp.web.Request)
    plugin.add_check(functools.partial(_add_entry_points, app))


def _add_entry_points(app: aiohttp.web.Application) -> None:
    """Have a check see what the application calls, once all is prepared."""
    for function, positional in entry_points(app):
        di.add_entry_point(function, positional=positional)
    check_parameters(app)
