"""
The middlewares of a request around its handler, which has a layer on top.

aiohttp hands a handler to the last middleware of its application, or of a
sub-application, whose middlewares nobody can add to any more. So the chain is
made here of what aiohttp publishes: the applications of a route and their
middlewares.
"""

from __future__ import annotations

import functools
import typing as t

import aiohttp.abc
import aiohttp.web

from ._request_layer import Handler
from ._request_layer import handler_layer


#: How many routes' chains are kept, as many as aiohttp keeps.
_KEPT: t.Final = 1024

Apps: t.TypeAlias = tuple[aiohttp.web.Application, ...]


def chain_of(
    match_info: aiohttp.abc.AbstractMatchInfo, layers: object
) -> Handler | None:
    """
    Return the middlewares of a route with its handler on a layer.

    Args:
        match_info: The route that was found.
        layers: The middleware that asks, which is left out.

    Returns:
        What answers the request; ``None`` if there are no other middlewares,
        or no handler to be run: then a layer more would serve no purpose.
    """
    if match_info.http_exception is not None:
        return None
    apps = match_info.apps
    return _chain(match_info.handler, apps, layers)


@functools.lru_cache(maxsize=_KEPT)
def _chain(handler: Handler, apps: Apps, layers: object) -> Handler | None:
    found = [[m for m in app.middlewares if m is not layers] for app in apps]
    if not any(found):
        return None
    chain = handler_layer(handler)
    for number, app in reversed([*enumerate(apps)]):
        for middleware in reversed(found[number]):
            chain = _around(app, middleware, chain)
        if number:
            chain = _in_app(app, chain)
    return chain


def _around(
    app: aiohttp.web.Application, middleware: t.Any, handler: Handler
) -> Handler:
    """Put a middleware around a handler, which it is given as a keyword."""
    if getattr(middleware, "__middleware_version__", None) == 1:
        call = functools.partial(middleware, handler=handler)
        return functools.update_wrapper(call, handler)

    async def call_old_style(request: t.Any) -> aiohttp.web.StreamResponse:
        call: Handler = await middleware(app, handler)
        return await call(request)

    return t.cast("Handler", functools.update_wrapper(call_old_style, handler))


def _in_app(app: aiohttp.web.Application, handler: Handler) -> Handler:
    """Have ``request.app`` be a sub-application within its middlewares."""

    async def handle(
        request: aiohttp.web.Request,
    ) -> aiohttp.web.StreamResponse:
        match_info = request.match_info
        before = match_info.current_app
        match_info.current_app = app
        try:
            return await handler(request)
        finally:
            match_info.current_app = before

    return t.cast("Handler", functools.update_wrapper(handle, handler))
