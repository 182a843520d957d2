"""Whatever becomes of a request, what was built for it is closed once."""

from __future__ import annotations

import asyncio
import io
import typing as t

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import di


web = aiohttp.web
TIMEOUT = 20.0  # seconds, a bound and no expectation


class Session:
    """What is built for a layer."""


class Counts:
    """How many sessions were opened, and how each of them ended."""

    def __init__(self) -> None:
        self.opened = 0
        self.ends: list[t.Any] = []

    async def make(self) -> t.AsyncIterator[Session]:
        self.opened += 1
        try:
            yield Session()
        except BaseException as error:
            self.ends.append(type(error))
            raise
        else:
            self.ends.append(None)

    async def prepare(self) -> None:
        di.register(self.make, scope="layer")

    async def wait(self, number: int) -> None:
        """Wait until so many were closed."""
        async with asyncio.timeout(TIMEOUT):
            while len(self.ends) < number:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def around():
    """Make a plugin of a middleware."""

    def around(function: t.Any) -> t.Any:
        async def prepare_middleware() -> None:
            app = context.get(web.Application)
            app.middlewares.append(web.middleware(function))

        return prepare_middleware

    return around


async def ask(session: aiohttp.ClientSession, url: str) -> t.Any:
    async with session.get(url) as response:
        return response.status


def test_a_middleware_that_tries_again(serve, route, counts, around) -> None:
    """Each try has a layer of its own, which ends before the next one."""
    before: list[int] = []

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        before.append(len(counts.ends))
        if counts.opened < 3:
            raise TimeoutError
        return web.Response(text="at last")

    async def retry(request: web.Request, handler: t.Any) -> t.Any:
        for _ in range(2):
            try:
                return await handler(request)
            except TimeoutError:
                pass
        return await handler(request)

    plugins = (counts.prepare, route(handle), around(retry))

    assert serve(ask, *plugins) == 200
    assert before == [0, 1, 2]
    assert counts.ends == [TimeoutError, TimeoutError, None]


def test_a_middleware_that_fails_afterwards(
    serve, route, counts, around
) -> None:
    """What the handler has done is done; the client gets the failure."""

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        return web.Response()

    async def fail(request: web.Request, handler: t.Any) -> t.Any:
        await handler(request)
        raise web.HTTPBadGateway

    plugins = (counts.prepare, route(handle), around(fail))

    assert serve(ask, *plugins) == 502
    assert counts.ends == [None]


def test_a_middleware_that_gives_up_on_a_handler(
    serve, route, counts, around
) -> None:
    """A handler that is cancelled by a time-out ends with that."""

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        await asyncio.Event().wait()

    async def limit(request: web.Request, handler: t.Any) -> t.Any:
        try:
            async with asyncio.timeout(0.05):
                return await handler(request)
        except TimeoutError:
            raise web.HTTPServiceUnavailable from None

    plugins = (counts.prepare, route(handle), around(limit))

    assert serve(ask, *plugins) == 503
    assert counts.ends == [asyncio.CancelledError]


def test_a_middleware_that_answers_itself(
    serve, route, counts, around
) -> None:
    """A handler that is not called builds nothing."""

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        raise AssertionError

    async def refuse(request: web.Request, handler: t.Any) -> t.Any:
        raise web.HTTPUnauthorized

    plugins = (counts.prepare, route(handle), around(refuse))

    assert serve(ask, *plugins) == 401
    assert (counts.opened, counts.ends) == (0, [])


@pytest.mark.parametrize("leaves", ["close", "abort"])
def test_a_websocket(serve, route, counts, leaves: str) -> None:
    """A websocket's layer ends with its handler, however its client goes."""

    @di.inject
    async def chat(request: web.Request, session: Session) -> t.Any:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        async for message in websocket:
            assert counts.ends == []
            await websocket.send_str(message.data)
        return websocket

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        websocket = await session.ws_connect(url)
        await websocket.send_str("hello")
        text = await websocket.receive_str(timeout=TIMEOUT)
        if leaves == "close":
            await websocket.close()
        else:
            await session.close()
        await counts.wait(1)
        return text

    assert serve(visit, counts.prepare, route(chat)) == "hello"
    assert (counts.opened, counts.ends) == (1, [None])


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large(
    serve, route, counts, *, chunked: bool
) -> None:
    """The 413 that aiohttp raises is thrown in, with chunks as well."""

    @di.inject
    async def read(request: web.Request, session: Session) -> t.Any:
        return web.Response(body=await request.read())

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async def body() -> t.AsyncIterator[bytes]:
            for _ in range(3):
                yield b"x" * 1_000_000

        data: t.Any = body() if chunked else io.BytesIO(b"x" * 3_000_000)
        async with session.post(url, data=data) as response:
            return response.status

    plugins = (counts.prepare, route(read, method="POST"))

    assert serve(visit, *plugins) == 413
    assert counts.ends == [web.HTTPRequestEntityTooLarge]


def test_a_client_that_leaves_in_an_upload(serve, route, counts) -> None:
    """A body that ends in the middle is thrown in, once."""

    @di.inject
    async def read(request: web.Request, session: Session) -> t.Any:
        return web.Response(body=await request.read())

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nab"
        )
        async with asyncio.timeout(TIMEOUT):
            while not counts.opened:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.01)
        writer.close()
        await counts.wait(1)
        return "left"

    assert serve(visit, counts.prepare, route(read, method="POST")) == "left"
    assert len(counts.ends) == counts.opened == 1
    assert counts.ends[0] is not None


def test_a_failing_end_after_a_prepared_answer(serve, route, caplog) -> None:
    """A 200 that was sent by the handler is cut off, and it is logged."""
    closed: list[str] = []

    async def make() -> t.AsyncIterator[Session]:
        yield Session()
        closed.append("once")
        raise RuntimeError("commit failed")

    async def prepare_make() -> None:
        di.register(make, scope="layer")

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        return response

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(url) as response:
            with pytest.raises(aiohttp.ClientPayloadError):
                await asyncio.wait_for(response.read(), TIMEOUT)
            return response.status

    assert serve(visit, prepare_make, route(handle)) == 200
    assert closed == ["once"]
    assert "commit failed" in caplog.text


def test_a_session_of_a_sub_application(serve, counts, around) -> None:
    """A view below a sub-application has one layer, its middleware another."""

    class Item(web.View):
        @di.inject
        async def get(self, session: Session) -> web.Response:
            return web.Response(status=409)

    @web.middleware
    @di.inject
    async def own(request: t.Any, handler: t.Any, session: Session) -> t.Any:
        await handler(request)
        return web.Response(status=200)

    async def prepare_sub() -> None:
        sub = web.Application(middlewares=[own])
        sub.router.add_view("/", Item)
        context.get(web.Application).add_subapp("/sub", sub)

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        return await ask(session, f"{url}/sub/")

    plugins = (buvar_aiohttp.prepare_app, counts.prepare, prepare_sub)

    assert serve(visit, *plugins) == 200
    assert counts.ends == [buvar_aiohttp.ResponseStatusError, None]
