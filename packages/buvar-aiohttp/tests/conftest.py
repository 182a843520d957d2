"""A stage that serves on a free port, and a visitor."""

from __future__ import annotations

import asyncio
import typing as t

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import plugin


Visit: t.TypeAlias = t.Callable[
    [aiohttp.ClientSession, str], t.Awaitable[object]
]

#: Seconds that a visit may take: a bound, and no expectation.
BOUND = 120.0


@pytest.fixture
def serve() -> t.Callable[..., object]:
    """Serve on a free port, visit, stop, and return what was visited."""

    def serve(visit: Visit, *plugins: t.Any, **config: t.Any) -> object:
        config = {"host": "127.0.0.1", "port": 0, **config}

        async def visitor() -> object:
            server = context.get(buvar_aiohttp.Server)
            url = "http://localhost"
            if isinstance(server.address, tuple):
                url = f"http://127.0.0.1:{server.address[1]}"
            session = context.get(aiohttp.ClientSession)
            try:
                async with asyncio.timeout(BOUND):
                    return await visit(session, url)
            finally:
                # No connection is left open for the server to wait for.
                await session.close()
                context.get(plugin.Cancel).set()

        async def prepare(load: plugin.Loader) -> t.AsyncIterator[t.Any]:
            context.add(buvar_aiohttp.AioHttpConfig(**config))
            await load("buvar_aiohttp", *plugins)
            yield visitor()

        with context.child():
            *_, result = plugin.stage(prepare)
        return result

    return serve


@pytest.fixture
def route() -> t.Callable[..., t.Any]:
    """Make a plugin of a handler."""

    def route(handler: t.Any, path: str = "/", method: str = "GET") -> t.Any:
        async def prepare_route(load: plugin.Loader) -> None:
            await load(buvar_aiohttp.prepare_app)
            app = context.get(aiohttp.web.Application)
            app.router.add_route(method, path, handler)

        return prepare_route

    return route


@pytest.fixture
def ends() -> list[t.Any]:
    """Note how sessions ended: ``None``, or the error that was thrown in."""
    return []


@pytest.fixture
def middleware():
    """Make a plugin of a middleware."""

    def middleware(function: t.Any) -> t.Any:
        async def prepare_middleware() -> None:
            app = context.get(aiohttp.web.Application)
            app.middlewares.append(aiohttp.web.middleware(function))

        return prepare_middleware

    return middleware
