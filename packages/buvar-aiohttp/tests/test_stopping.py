"""What is open when the stage stops: on real sockets, one fault each."""

from __future__ import annotations

import asyncio
import typing as t

import aiohttp
import aiohttp.web
import pytest

from buvar import context
from buvar import fork
from buvar import plugin
from buvar_aiohttp._app import Layers


TIMEOUT = 20.0  # seconds, a bound and no expectation


def stop() -> None:
    context.get(plugin.Cancel).set()


async def connect(url: str) -> t.Any:
    """Open a plain connection to a server."""
    host, port = url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


@pytest.mark.parametrize("receives", [True, False])
def test_websockets_are_told(serve, route, receives: bool) -> None:
    """An open websocket is closed with 1001, and its handler ends."""
    ended: list[aiohttp.web.WebSocketResponse] = []

    async def chat(request: aiohttp.web.Request) -> t.Any:
        websocket = aiohttp.web.WebSocketResponse()
        await websocket.prepare(request)
        await websocket.send_str("hello")
        if receives or not ended:
            async for message in websocket:
                await websocket.send_str(message.data)
        else:
            await context.get(plugin.Cancel).wait()
            while not websocket.closed:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0)
        ended.append(websocket)
        return websocket

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        # One that has said goodbye by itself is left alone.
        async with session.ws_connect(url):
            pass
        while not ended:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0)
        async with session.ws_connect(url) as one, session.ws_connect(url):
            assert await one.receive_str() == "hello"
            stop()
            message = await one.receive(TIMEOUT)
            return message.type, message.data, message.extra

    assert serve(visit, route(chat)) == (
        aiohttp.WSMsgType.CLOSE,
        aiohttp.WSCloseCode.GOING_AWAY,
        "The server stops.",
    )
    assert [websocket.closed for websocket in ended] == [True] * 3


def test_a_websocket_without_a_client(serve, route) -> None:
    """A client that does not say goodbye holds nobody up for long."""

    async def chat(request: aiohttp.web.Request) -> t.Any:
        websocket = aiohttp.web.WebSocketResponse()
        await websocket.prepare(request)
        async for _ in websocket:
            raise AssertionError
        return websocket

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        del session
        reader, writer = await connect(url)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        stop()
        # It reads, and says nothing.
        frame = await asyncio.wait_for(reader.read(), TIMEOUT)
        writer.close()
        return head[:12], frame[2:4]

    assert serve(visit, route(chat), shutdown_timeout=0.1) == (
        b"HTTP/1.1 101",
        (1001).to_bytes(2),
    )


def test_streams_end_by_themselves(serve, route) -> None:
    """A stream that watches for the end is received whole."""

    async def stream(request: aiohttp.web.Request) -> t.Any:
        response = aiohttp.web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first,")
        await context.get(plugin.Cancel).wait()
        await response.write(b"last")
        return response

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(url) as response:
            first = await response.content.readuntil(b",")
            stop()
            return first + await response.read()

    assert serve(visit, route(stream)) == b"first,last"


def test_endless_streams_are_cancelled(serve, route) -> None:
    """A stream that does not end is cancelled, and the layer with it."""
    ended: list[str] = []

    async def stream(request: aiohttp.web.Request) -> t.Any:
        response = aiohttp.web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first,")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(url) as response:
            await response.content.readuntil(b",")
            stop()
            with pytest.raises(aiohttp.ClientPayloadError):
                await asyncio.wait_for(response.read(), TIMEOUT)
        return "told"

    assert serve(visit, route(stream), shutdown_timeout=0.1) == "told"
    assert ended == ["cancelled"]


@pytest.mark.parametrize("timeout", [0, 0.05])
def test_a_handler_that_hangs(serve, route, timeout: float) -> None:
    """A request that does not end in time is cancelled, with 0 at once."""
    entered = asyncio.Event()

    async def hang(request: aiohttp.web.Request) -> t.Any:
        entered.set()
        await asyncio.Event().wait()

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        asked = asyncio.create_task(session.get(url).__aenter__())
        await entered.wait()
        stop()
        with pytest.raises(aiohttp.ClientConnectionError):
            await asyncio.wait_for(asked, TIMEOUT)
        return "told"

    assert serve(visit, route(hang), shutdown_timeout=timeout) == "told"


def test_a_client_that_never_asks(serve, route) -> None:
    """Half a request keeps no server from stopping."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        del session
        reader, writer = await connect(url)
        writer.write(b"GET / HTTP/1.1\r\nHost")
        await writer.drain()
        stop()
        rest = await asyncio.wait_for(reader.read(), TIMEOUT)
        writer.close()
        return rest

    assert serve(visit, shutdown_timeout=0.1) == b""


def test_a_slow_client_is_served(serve, route) -> None:
    """A body that arrives piece by piece while the server stops is read."""
    entered = asyncio.Event()

    async def read(request: aiohttp.web.Request) -> t.Any:
        entered.set()
        return aiohttp.web.Response(body=await request.read())

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async def body() -> t.AsyncIterator[bytes]:
            yield b"half "
            await entered.wait()
            stop()
            yield b"and "
            await asyncio.sleep(0)
            yield b"half"

        async with session.post(url, data=body()) as response:
            return response.headers.get("Connection"), await response.read()

    assert serve(visit, route(read, method="POST")) == (
        "close",
        b"half and half",
    )


def test_errors_close_the_connection(serve, route) -> None:
    """Also an HTTP error is the last answer of its connection."""

    async def fail(request: aiohttp.web.Request) -> t.Any:
        stop()
        while not context.get(Layers).gate.closing:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0)
        raise aiohttp.web.HTTPForbidden

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(url) as response:
            return response.status, response.headers.get("Connection")

    assert serve(visit, route(fail)) == (403, "close")


@pytest.mark.parametrize("cloning", [False, True])
def test_streams_close_the_connection(
    serve, route, middleware, cloning: bool
) -> None:
    """So is one whose head the handler has sent, and tells its client."""
    served: list[object] = []

    async def stream(request: aiohttp.web.Request) -> t.Any:
        served.append(request)
        number = len(served)
        # The first one has begun before the server stops, the other has not.
        while not context.get(Layers).gate.closing or len(served) < 2:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
        response = aiohttp.web.StreamResponse()
        await response.prepare(request)
        await response.write(b"hello %d" % number)
        return response

    async def around(request: t.Any, handler: t.Any) -> t.Any:
        return await handler(request.clone() if cloning else request)

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        del session
        found: list[bytes] = []
        clients = [await connect(url) for _ in range(2)]
        for _, writer in clients:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while not served:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)
            stop()
            while not context.get(Layers).gate.closing:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for reader, writer in clients:
            found.append(await asyncio.wait_for(reader.read(), TIMEOUT))
            writer.close()
        return [b"\r\nConnection: close\r\n" in answer for answer in found]

    plugins = [route(stream), *([middleware(around)] if cloning else [])]
    assert serve(visit, *plugins) == [True, True]


def test_a_client_that_asks_once_more(serve, route) -> None:
    """An open connection is answered once more, then closed by the server."""

    async def hello(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response(text="hello")

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        del session
        reader, writer = await connect(url)
        request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        writer.write(request)
        first = await reader.readuntil(b"hello")
        stop()
        writer.write(request)
        rest = await asyncio.wait_for(reader.read(), TIMEOUT)
        writer.close()
        return b"Connection: close" in first, b"Connection: close" in rest

    assert serve(visit, route(hello)) == (False, True)


def test_open_requests_are_answered(serve, route) -> None:
    """A request that runs when the stage stops gets its answer."""
    entered = asyncio.Event()

    async def slow(request: aiohttp.web.Request) -> aiohttp.web.Response:
        entered.set()
        await context.get(plugin.Cancel).wait()
        await asyncio.sleep(0)
        return aiohttp.web.Response(text="at last")

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async def ask() -> tuple[str, str | None]:
            async with session.get(f"{url}/slow") as response:
                text = await response.text()
                return text, response.headers.get("Connection")

        asked = asyncio.create_task(ask())
        await entered.wait()
        context.get(plugin.Cancel).set()
        return await asked

    assert serve(visit, route(slow, "/slow")) == ("at last", "close")


def test_a_worker_counts_its_requests(serve, route) -> None:
    """Whoever replaces workers after so many requests is told of each."""

    async def hello(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response()

    worker = fork.Worker(max_requests=1000)

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        for _ in range(3):
            async with session.get(url) as response:
                assert response.status == 200
        return worker.work_count

    async def add_worker() -> None:
        context.add(worker)

    assert serve(visit, add_worker, route(hello)) == 3
