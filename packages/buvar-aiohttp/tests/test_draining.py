"""Requests that are still arriving or leaving when the server stops."""

from __future__ import annotations

import asyncio
import typing as t

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import plugin


TIMEOUT = 20.0  # seconds, a bound and no expectation


def stop() -> None:
    context.get(plugin.Cancel).set()


async def connect(url: str) -> t.Any:
    """Open a plain connection to a server."""
    host, port = url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


@pytest.mark.parametrize("chunked", [False, True])
def test_slow_uploads_are_read(serve, route, chunked: bool) -> None:
    """A body that comes long after the server was stopped is read whole."""

    async def read(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response(body=await request.read())

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        del session
        reader, writer = await connect(url)
        head = b"POST / HTTP/1.1\r\nHost: x\r\n"
        if chunked:
            pieces = [b"1\r\nx\r\n"] * 8 + [b"0\r\n\r\n"]
            writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n")
        else:
            pieces = [b"x"] * 8
            writer.write(head + b"Content-Length: 8\r\n\r\n")
        await writer.drain()
        while not context.get(buvar_aiohttp.Server).requests():  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
        stop()
        for piece in pieces:
            # Longer as a whole than a client may take to ask once more.
            await asyncio.sleep(0.2)
            writer.write(piece)
        rest = await asyncio.wait_for(reader.read(), TIMEOUT)
        writer.close()
        return rest

    found = t.cast("bytes", serve(visit, route(read, method="POST")))
    assert found.startswith(b"HTTP/1.1 200")
    assert found.endswith(b"\r\n\r\nxxxxxxxx")


def test_half_a_head_is_waited_for(serve, route) -> None:
    """A request whose head has begun to arrive is answered."""

    async def hello(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response(text="hello")

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        del session
        reader, writer = await connect(url)
        request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        writer.write(request)
        await reader.readuntil(b"hello")
        writer.write(request[:20])
        await writer.drain()
        await asyncio.sleep(0.1)
        stop()
        await asyncio.sleep(1.5)
        writer.write(request[20:])
        rest = await asyncio.wait_for(reader.read(), TIMEOUT)
        writer.close()
        return rest[:12]

    assert serve(visit, route(hello)) == b"HTTP/1.1 200"


@pytest.mark.parametrize("reads", [False, True])
def test_what_is_cancelled_is_logged(serve, route, caplog, reads) -> None:
    """Method, path and seconds of what did not end in time are logged."""
    ended: list[str] = []

    async def slow(request: aiohttp.web.Request) -> t.Any:
        try:
            await (request.read() if reads else asyncio.Event().wait())
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
            ended.append("cleaned up")
            raise

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        reader, writer = await connect(url)
        writer.write(
            b"POST /a%1bb?token=s3cret HTTP/1.1\r\nHost: x\r\n"
            b"Content-Length: 5\r\n\r\nabc"
        )
        while not context.get(buvar_aiohttp.Server).requests():  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
        stop()
        rest = await asyncio.wait_for(reader.read(), TIMEOUT)
        writer.close()
        return rest

    plugin_ = route(slow, "/{any:.*}", "POST")
    assert serve(visit, plugin_, shutdown_timeout=0.2) == b""
    assert ended == ["cleaned up"]
    (record,) = [r for r in caplog.records if "cancelled" in r.getMessage()]
    assert (record.method, record.path.upper()) == ("POST", "/A%1BB")
    assert 0.1 < record.seconds < TIMEOUT
    assert "s3cret" not in caplog.text


def test_a_client_that_does_not_read(serve, route, caplog) -> None:
    """An answer that its client does not take in is cut, and logged."""

    async def large(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response(body=b"x" * 50_000_000)

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        reader, writer = await connect(url)
        writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        stop()
        await context.get(buvar_aiohttp.Server).stopped.wait()
        writer.transport.abort()

    serve(visit, route(large, "/large"), shutdown_timeout=0.3)
    (record,) = [r for r in caplog.records if "not received" in r.getMessage()]
    assert (record.method, record.path) == ("GET", "/large")


def test_on_shutdown_is_told_once(serve, route) -> None:
    """An application is told in time for its streams to end, and once."""
    told: list[str] = []
    over = asyncio.Event()

    async def stream(request: aiohttp.web.Request) -> t.Any:
        await over.wait()
        return aiohttp.web.Response(text="over")

    async def say(app: aiohttp.web.Application) -> None:
        told.append("told")
        over.set()

    async def prepare_say() -> None:
        context.get(aiohttp.web.Application).on_shutdown.append(say)

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async def ask() -> str:
            async with session.get(url) as response:
                return await response.text()

        asked = asyncio.create_task(ask())
        while not context.get(buvar_aiohttp.Server).requests():  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
        stop()
        return await asyncio.wait_for(asked, TIMEOUT)

    assert serve(visit, route(stream), prepare_say) == "over"
    assert told == ["told"]
