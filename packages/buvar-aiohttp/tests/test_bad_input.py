"""What broken and hostile clients send, and what they get."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import typing as t

from pathlib import Path

import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import di


BOUND = 30.0  # seconds, a bound and no expectation
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n"


class Session:
    """What lives as long as the layer."""


@pytest.fixture
def sessions(ends):
    """Have layers note how they ended."""

    async def make() -> t.AsyncIterator[Session]:
        error: BaseException | None = None
        try:
            yield Session()
        except BaseException as raised:
            error = raised
            raise
        finally:
            ends.append(error)

    async def prepare_sessions() -> None:
        di.register(make, scope="layer")

    return prepare_sessions


async def echo(request: aiohttp.web.Request) -> t.Any:
    await di.nject(Session)
    body = await request.read()
    return aiohttp.web.Response(text=f"{len(body)} bytes")


async def connect(url: str) -> t.Any:
    host, port = url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def until(condition: t.Callable[[], object]) -> None:
    async with asyncio.timeout(BOUND):
        while not condition():  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)


async def send(url: str, *parts: bytes) -> bytes:
    """Send parts one after the other, stay, and return all answers."""
    server = context.get(buvar_aiohttp.Server)
    reader, writer = await connect(url)
    with contextlib.suppress(ConnectionError):
        for number, part in enumerate(parts):
            writer.write(part)
            await writer.drain()
            if number == 0 and len(parts) > 1:
                # The body that follows belongs to a request by then.
                await until(server.requests)
    found = await asyncio.wait_for(reader.read(), BOUND)
    writer.close()
    return found


async def alive(session: t.Any, url: str) -> bool:
    """Tell whether others are served."""
    async with session.post(url, data=b"abc") as answer:
        return await answer.text() == "3 bytes"


@pytest.fixture
def bad(serve, route, sessions):
    """Send something, and return what was answered, as a status."""

    def bad(*parts: bytes, **config: t.Any) -> int:
        async def visit(session: t.Any, url: str) -> object:
            found = await send(url, *parts)
            assert await alive(session, url)
            return found

        found = serve(
            visit,
            route(echo, method="*"),
            sessions,
            header_timeout=2.0,
            **config,
        )
        # One answer, after which the connection is closed.
        assert found.count(b"HTTP/1.") == 1, found
        return int(found.split()[1])

    return bad


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        (GET % b"X: a\x00b", 400),
        (GET % b"X: a\rb", 400),
        (GET % b"X: a\nb", 400),
        (GET % b"X\x00: a", 400),
        (GET % b"no colon", 400),
        (GET % (b"X: " + b"x" * 65_536), 431),
        (GET % b"Content-Length: -1", 400),
        (GET % b"Content-Length: 1\r\nContent-Length: 2", 400),
        (GET % b"Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
        (b"GET /" + b"x" * 65_536 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    ],
)
def test_heads(bad, ends, caplog, head: bytes, status: int) -> None:
    """A head that makes no sense gets a 400, and no handler."""
    with caplog.at_level(logging.INFO):
        assert bad(head) == status
    assert ends == [None]
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
    lines = [r for r in caplog.records if r.name == "buvar_aiohttp.access"]
    assert [r.status for r in lines] == [status, 200]
    assert lines[0].remote == "127.0.0.1"
    assert lines[0].route is None


HOSTS = {
    200: [b"x", b"x:80", b"x:", b"a_b.example", b"%41", b"[::1]:80", b""],
    400: [
        *(b"a b", b"a/b", b"[::1", b"x:y", b"x:99999", b"\xff\xfe", b"a@b"),
        *(b"%", b"a,b", b'"', b"<a>", b"http://x", b"a\\b", b"a?b", b"a#b"),
    ],
}


@pytest.mark.parametrize("status", [200, 400])
def test_hosts(serve, route, sessions, status: int) -> None:
    """A host that makes no sense is a 400: nobody builds URLs of it."""

    async def url_of(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response(text=str(request.url))

    async def visit(session: t.Any, url: str) -> object:
        head = b"GET / HTTP/1.%d\r\nHost: %s\r\nConnection: close\r\n\r\n"
        hosts = HOSTS[status]
        answers = [await send(url, head % (1, host)) for host in hosts]
        # It is found out for each request, also where a host is known.
        answers += [await send(url, head % (1, host)) for host in hosts]
        return [int(answer.split()[1]) for answer in answers]

    found = serve(visit, route(url_of), sessions)
    assert found == [status] * 2 * len(HOSTS[status])


@pytest.mark.parametrize(("minor", "status"), [(0, 200), (1, 400)])
def test_no_host(serve, route, minor: int, status: int) -> None:
    """HTTP/1.1 asks for one, and HTTP/1.0 did not know it."""

    async def hello(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response()

    async def visit(session: t.Any, url: str) -> object:
        answer = await send(url, b"GET / HTTP/1.%d\r\n\r\n" % minor)
        return int(answer.split()[1])

    assert serve(visit, route(hello)) == status


def test_slow_heads(bad, ends) -> None:
    """Half a request is a 408 after header_timeout."""
    assert bad(b"POST / HTTP/1.1\r\nHost:") == 408
    assert ends == [None]


@pytest.mark.parametrize(
    "parts",
    [
        (CHUNKED, b"3\r\nabc\r\nnonsense\r\n"),
        (CHUNKED, b"3\r\nabcdef\r\n"),
        (CHUNKED, b"-1\r\n"),
        (CHUNKED, b"fffffffffffffffff\r\n"),
        (CHUNKED, b"3\r\nabc\r\n", b"0\r\nno colon\r\n\r\n"),
        (CHUNKED + b"3\r\nab", b"c\r\nnonsense\r\n"),
    ],
)
def test_malformed_chunks(bad, ends, caplog, parts: tuple[bytes, ...]) -> None:
    """A malformed chunk is a 400 at once, although its client stays."""
    assert bad(*parts, body_timeout=60.0) == 400
    assert [type(end) for end in ends] == [
        aiohttp.web.RequestPayloadError,
        type(None),
    ]
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    "parts", [(LENGTH % 10, b"abc"), (CHUNKED, b"3\r\na")]
)
def test_bodies_that_stop(bad, ends, parts: tuple[bytes, ...]) -> None:
    """A body that does not go on is a 408."""
    assert bad(*parts, body_timeout=0.4) == 408
    assert [type(end) for end in ends] == [
        aiohttp.web.HTTPRequestTimeout,
        type(None),
    ]


def test_bodies_byte_by_byte(serve, route, sessions, ends) -> None:
    """So is one that goes on, but less than 240 bytes in a second."""

    async def visit(session: t.Any, url: str) -> object:
        reader, writer = await connect(url)
        writer.write(LENGTH % 1_000_000)
        answer = asyncio.create_task(reader.read())
        with contextlib.suppress(ConnectionError):
            while not answer.done():
                writer.write(b"x")
                await asyncio.sleep(0.05)
        writer.close()
        await asyncio.wait([answer], timeout=BOUND)
        with contextlib.suppress(ConnectionError):
            found = answer.result()
            assert not found or found.startswith(b"HTTP/1.1 408 ")
        return await alive(session, url)

    assert serve(visit, route(echo, method="POST"), sessions, body_timeout=0.4)
    assert isinstance(ends[0], aiohttp.web.HTTPRequestTimeout)
    assert ends[1:] == [None]


def test_bodies_that_are_not_read(serve, route) -> None:
    """A handler that is slow to read is not its client's fault."""

    async def slow(request: aiohttp.web.Request) -> t.Any:
        await asyncio.sleep(1.5)
        return aiohttp.web.Response(text=str(len(await request.read())))

    async def visit(session: t.Any, url: str) -> object:
        async with session.post(url, data=b"x" * 900_000) as answer:
            return answer.status, await answer.text()

    found = serve(visit, route(slow, method="POST"), body_timeout=0.5)
    assert found == (200, "900000")


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_huge_bodies(serve, route, sessions, ends) -> None:
    """1 GB is a 413 once there is too much of it; memory stays bounded."""

    def memory() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    async def visit(session: t.Any, url: str) -> object:
        before = memory()
        found = []
        for head in (LENGTH % 1_000_000_000, CHUNKED):
            reader, writer = await connect(url)
            writer.write(head)
            sent = 0
            piece = b"x" * 65_536
            if head is CHUNKED:
                piece = b"%x\r\n%s\r\n" % (len(piece), piece)
            with contextlib.suppress(ConnectionError, TimeoutError):
                while sent < 1_000_000_000 and not reader.at_eof():
                    writer.write(piece)
                    sent += len(piece)
                    async with asyncio.timeout(1.0):
                        await writer.drain()
                    if reader._buffer:  # it has answered
                        break
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(1.0):
                    found.append((await reader.read(12))[9:])
            assert sent < 100_000_000
            writer.transport.abort()
        await until(lambda: len(ends) == 2)
        return found, memory() - before, await alive(session, url)

    found, grown, served = serve(visit, route(echo, method="POST"), sessions)
    assert found == [b"413", b"413"]
    assert grown < 64_000_000
    assert served
    assert [type(end) for end in ends] == [
        aiohttp.web.HTTPRequestEntityTooLarge,
        aiohttp.web.HTTPRequestEntityTooLarge,
        type(None),
    ]


@pytest.mark.parametrize("cancels", [False, True])
def test_leaving_in_an_upload(serve, route, sessions, ends, cancels) -> None:
    """A client that leaves in its upload ends its layer, once, with why."""

    async def visit(session: t.Any, url: str) -> object:
        server = context.get(buvar_aiohttp.Server)
        _, writer = await connect(url)
        writer.write(LENGTH % 10 + b"abc")
        await until(server.requests)
        writer.transport.abort()
        await until(lambda: ends)
        return await alive(session, url)

    assert serve(
        visit,
        route(echo, method="POST"),
        sessions,
        handler_cancellation=cancels,
    )
    first, second = ends
    assert isinstance(first, ConnectionError)
    assert second is None


@pytest.mark.parametrize("cancels", [False, True])
def test_leaving_in_a_download(serve, route, sessions, ends, cancels) -> None:
    """So does one that leaves in its download."""

    async def endless(request: aiohttp.web.Request) -> t.Any:
        await di.nject(Session)

        async def body() -> t.AsyncIterator[bytes]:
            while True:
                yield b"x" * 65_536

        return aiohttp.web.Response(body=body())

    async def visit(session: t.Any, url: str) -> object:
        reader, writer = await connect(url)
        writer.write(GET % b"X: y")
        await asyncio.wait_for(reader.readexactly(100_000), BOUND)
        writer.transport.abort()
        await until(lambda: ends)
        return None

    serve(visit, route(endless), sessions, handler_cancellation=cancels)
    (end,) = ends
    # Whether writing fails first, or it is cancelled, is up to the loop.
    cancelled = asyncio.CancelledError if cancels else ConnectionError
    assert isinstance(end, ConnectionError | cancelled), end


def test_idle_connections(serve, route, sessions) -> None:
    """Thousands of idle connections leave room for those who ask."""
    limit = 100

    async def visit(session: t.Any, url: str) -> object:
        idle = [await connect(url) for _ in range(limit + 50)]
        found = await alive(session, url)
        for _, writer in idle:
            writer.transport.abort()
        return found

    assert serve(
        visit,
        route(echo, method="POST"),
        sessions,
        max_connections=limit,
        keepalive_timeout=0.5,
    )
