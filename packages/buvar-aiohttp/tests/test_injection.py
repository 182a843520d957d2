"""Whatever an application calls can have its parameters injected."""

from __future__ import annotations

import typing as t

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import di
from buvar import plugin


@pytest.fixture(autouse=True)
def adapters() -> t.Iterator[None]:
    """Have a registry for this test only."""
    token = di.buvar_adapters.set(di.Adapters())
    yield
    di.buvar_adapters.reset(token)


class Repo:
    """What all of them ask for."""


class Missing:
    """What nobody can build."""


@pytest.fixture
def log() -> list[str]:
    return []


def test_all_that_an_application_calls(  # noqa: C901, PLR0915 - one of each
    serve: t.Any, log: list[str]
) -> None:
    """Handlers, views, middlewares, sub-applications, signals, contexts."""

    def note(name: str, repo: object) -> None:
        assert isinstance(repo, Repo)
        log.append(name)

    @di.inject
    async def handle(request: aiohttp.web.Request, repo: Repo) -> t.Any:
        note("handler", repo)
        return aiohttp.web.Response()

    @di.inject
    async def listen(request: aiohttp.web.Request, repo: Repo) -> t.Any:
        socket = aiohttp.web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            note("websocket", repo)
            await socket.close()
        return socket

    @di.inject
    async def stream(request: aiohttp.web.Request, repo: Repo) -> t.Any:
        response = aiohttp.web.StreamResponse()
        await response.prepare(request)
        note("stream", repo)
        await response.write_eof(b"end")
        return response

    class View(aiohttp.web.View):
        @di.inject
        async def get(self, repo: Repo) -> t.Any:
            note("view", repo)
            return aiohttp.web.Response()

    @aiohttp.web.middleware
    @di.inject
    async def around(request: t.Any, handler: t.Any, repo: Repo) -> t.Any:
        note("middleware", repo)
        return await handler(request)

    @di.inject
    async def start(app: aiohttp.web.Application, repo: Repo) -> None:
        note("start", repo)

    @di.inject
    async def stop(app: aiohttp.web.Application, repo: Repo) -> None:
        note("stop", repo)

    @buvar_aiohttp.cleanup_context
    async def around_all(
        app: aiohttp.web.Application, repo: Repo
    ) -> t.AsyncIterator[None]:
        note("enter", repo)
        yield
        note("exit", repo)

    async def prepare(load: plugin.Loader) -> None:
        await load(buvar_aiohttp.prepare_app)
        di.register(Repo)
        app = context.get(aiohttp.web.Application)
        app.on_startup.append(start)
        app.on_cleanup.append(stop)
        app.cleanup_ctx.append(around_all)
        app.router.add_get("/socket", listen)
        app.router.add_get("/stream", stream)
        app.router.add_view("/view", View)
        sub = aiohttp.web.Application(middlewares=[around])
        sub.router.add_get("/handler", handle)
        app.add_subapp("/sub", sub)

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        for path in ("/stream", "/view", "/sub/handler"):
            async with session.get(f"{url}{path}") as response:
                assert response.status == 200
                await response.read()
        async with session.ws_connect(f"{url}/socket") as socket:
            await socket.send_str("hello")
            await socket.receive()
        return log

    serve(visit, prepare)
    assert sorted(log[:2]) == ["enter", "start"]
    assert log[2:7] == [
        "stream",
        "view",
        "middleware",
        "handler",
        "websocket",
    ]
    assert sorted(log[7:]) == ["exit", "stop"]


@buvar_aiohttp.cleanup_context
async def unfillable(
    app: aiohttp.web.Application, missing: Missing
) -> t.AsyncIterator[None]:
    yield


@di.inject
async def unstartable(app: aiohttp.web.Application, missing: Missing) -> None:
    raise AssertionError


def test_what_cannot_be_injected_around_the_application() -> None:
    """A check names cleanup contexts and signals as well, all at once."""

    async def prepare(load: plugin.Loader) -> None:
        await load(buvar_aiohttp.prepare_app)
        app = context.get(aiohttp.web.Application)
        app.cleanup_ctx.append(unfillable)
        app.on_startup.append(unstartable)

    with context.child(), pytest.raises(BaseExceptionGroup) as info:
        plugin.check(prepare, look=di.check)
    (error,) = info.value.exceptions
    assert "unfillable" in str(error)
    assert "unstartable" in str(error)
    assert str(error).count(f"({__file__}:") >= 2


def test_no_generator() -> None:
    """What is no async generator is refused where it is decorated."""

    async def plain(app: aiohttp.web.Application) -> None:
        raise AssertionError

    with pytest.raises(TypeError, match="plain is not an async generator"):
        buvar_aiohttp.cleanup_context(plain)
