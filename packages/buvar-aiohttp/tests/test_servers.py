"""The application where others serve it, and those of others served here."""

from __future__ import annotations

import typing as t

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import di
from buvar import plugin


@pytest.fixture
def closed() -> list[bool]:
    return []


@pytest.fixture
def own(closed):
    """Register what each request owns."""

    async def make() -> t.AsyncIterator[bytearray]:
        yield bytearray()
        closed.append(True)

    async def prepare_own() -> None:
        di.register(make, scope="layer")

    return prepare_own


async def status(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as response:
        return response.status


async def test_other_servers(own, closed) -> None:
    """The application has layers also where something else serves it."""

    @di.inject
    async def handle(request: aiohttp.web.Request, one: bytearray) -> t.Any:
        assert context.get(aiohttp.web.Request) is request
        return aiohttp.web.Response()

    async with plugin.Stage(buvar_aiohttp.prepare_app, own) as stage:
        app = stage.layer.get(aiohttp.web.Application)
        app.router.add_get("/", handle)
        runner = aiohttp.web.AppRunner(app)
        await runner.setup()
        await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession() as session:
            assert await status(session, f"http://127.0.0.1:{port}") == 200
        await runner.cleanup()
    assert closed == [True]


@pytest.mark.parametrize("frozen", [True, False])
def test_an_application_of_ones_own(own, closed, frozen: bool) -> None:
    """Any application has layers where this server serves it."""

    @di.inject
    async def handle(request: aiohttp.web.Request, one: bytearray) -> t.Any:
        return aiohttp.web.Response()

    async def visit() -> int:
        port = context.get(buvar_aiohttp.Server).address[1]
        async with aiohttp.ClientSession() as session:
            found = await status(session, f"http://127.0.0.1:{port}")
        context.get(plugin.Cancel).set()
        return found

    async def prepare(load: plugin.Loader) -> t.AsyncIterator[t.Any]:
        context.add(buvar_aiohttp.AioHttpConfig(port=0))
        app = context.add(aiohttp.web.Application())
        app.router.add_get("/", handle)
        if frozen:
            app.freeze()
        await load(own, buvar_aiohttp.prepare_server)
        yield visit()

    with context.child():
        assert plugin.stage(prepare)[-1] == 200
    assert closed == [True]


async def test_health_of_an_application_of_ones_own() -> None:
    """Plugins that need an application take the one that is there."""
    async with plugin.Stage() as stage:
        app = stage.layer.add(aiohttp.web.Application())
        await stage.loader("buvar_aiohttp.health")
        assert stage.layer.get(aiohttp.web.Application) is app
        assert len(app.router.resources()) == 3
