"""Bounds of requests: their time, their number, and who is told why."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import typing as t

import aiohttp.web
import attrs
import pytest

import buvar_aiohttp

from buvar import context
from buvar import di
from buvar_aiohttp import ClientConfig
from buvar_aiohttp._errors import ClientLeftError
from buvar_aiohttp._errors import RequestTimeoutError


BOUND = 30.0  # seconds, a bound and no expectation


class Session:
    """What lives as long as the layer."""


@pytest.fixture
def sessions(ends):
    """Have layers note how they ended."""

    async def make() -> t.AsyncIterator[Session]:
        try:
            yield Session()
        except BaseException as error:
            ends.append(error)
            raise
        else:
            ends.append(None)

    async def prepare_sessions() -> None:
        di.register(make, scope="layer")

    return prepare_sessions


@pytest.fixture
def layered(middleware):
    """Return plugins that make no difference: none, and a middleware."""

    async def through(request: t.Any, handler: t.Any) -> t.Any:
        return await handler(request)

    return {False: (), True: (middleware(through),)}


async def forever(request: aiohttp.web.Request) -> t.Any:
    await di.nject(Session)
    await asyncio.Event().wait()


@pytest.mark.parametrize("with_middleware", [False, True])
def test_request_timeout(  # noqa: PLR0917 - fixtures
    serve, route, sessions, layered, ends, caplog, with_middleware: bool
) -> None:
    """A request that takes too long is a 503; its layer ends once."""

    async def visit(session: t.Any, url: str) -> object:
        async with session.get(url) as answer:
            return answer.status, answer.headers.get("Retry-After")

    found = serve(
        visit,
        route(forever),
        sessions,
        *layered[with_middleware],
        request_timeout=0.2,
    )
    assert found == (503, "1")
    (end,) = ends
    if with_middleware:
        assert isinstance(end, RequestTimeoutError)
        assert end.seconds == 0.2
        assert "request_timeout" in str(end)
    else:
        assert isinstance(end, aiohttp.web.HTTPServiceUnavailable)
    (record,) = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert record.getMessage() == (
        "The request was cancelled after request_timeout, 0.2 s: GET /."
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Upgrade": "h2c", "Connection": "Upgrade"},
        {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
    ],
)
def test_an_upgrade_that_is_none(
    serve, route, headers: dict[str, str]
) -> None:
    """A header does not free a request of its bound."""

    async def visit(session: t.Any, url: str) -> object:
        async with session.get(url, headers=headers) as answer:
            return answer.status

    assert serve(visit, route(forever), request_timeout=0.2) == 503


def test_what_has_no_timeout(serve, route, caplog) -> None:
    """Websockets, slow answers and the handler's own time-outs."""

    async def stream(request: aiohttp.web.Request) -> t.Any:
        async def body() -> t.AsyncIterator[bytes]:
            await asyncio.sleep(0.4)
            yield b"late"

        return aiohttp.web.Response(body=body())

    async def socket(request: aiohttp.web.Request) -> t.Any:
        answer = aiohttp.web.WebSocketResponse()
        await answer.prepare(request)
        await asyncio.sleep(0.4)
        await answer.send_str("late")
        return answer

    async def own(request: aiohttp.web.Request) -> t.Any:
        raise TimeoutError

    async def visit(session: t.Any, url: str) -> object:
        async with session.get(url) as answer:
            text = await answer.text()
        async with session.ws_connect(f"{url}/ws") as websocket:
            message = await websocket.receive_str(timeout=BOUND)
        async with session.get(f"{url}/own") as answer:
            return text, message, answer.status

    found = serve(
        visit,
        route(stream),
        route(socket, "/ws"),
        route(own, "/own"),
        request_timeout=0.2,
    )
    assert found == ("late", "late", 504)


def test_max_concurrent_requests(serve, route, sessions, ends) -> None:
    """One too many is a 503 with Retry-After, counted; probes are not."""
    release = asyncio.Event()

    async def wait(request: aiohttp.web.Request) -> t.Any:
        await di.nject(Session)
        await release.wait()
        return aiohttp.web.Response()

    async def visit(session: t.Any, url: str) -> object:
        server = context.get(buvar_aiohttp.Server)

        async def get(path: str = "/") -> tuple[int, str | None]:
            async with session.get(url + path) as answer:
                return answer.status, answer.headers.get("Retry-After")

        first = [asyncio.create_task(get()) for _ in range(2)]
        while len(server.requests()) < 2:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
        found = [await get(), await get(), await get("/health/ready")]
        release.set()
        found += await asyncio.gather(*first)
        found.append(await get())
        async with session.get(f"{url}/metrics") as answer:
            counted = await answer.text()
        assert "http_server_requests_refused_total 2.0" in counted
        return found, server.refused

    pytest.importorskip("prometheus_client")
    found, refused = serve(
        visit,
        "buvar_aiohttp.health",
        "buvar_aiohttp.metrics",
        route(wait),
        sessions,
        max_concurrent_requests=2,
    )
    refusal = (503, "1")
    assert found == [refusal, refusal] + [(200, None)] * 4
    assert refused == 2
    assert ends == [None] * 3


@pytest.mark.parametrize("with_middleware", [False, True])
@pytest.mark.parametrize("cancels", [False, True])
def test_handler_cancellation(  # noqa: PLR0917 - fixtures
    serve, route, sessions, layered, ends, with_middleware, cancels
) -> None:
    """A handler may be cancelled once its client leaves, and is told why."""
    go_on = asyncio.Event()

    async def handle(request: aiohttp.web.Request) -> t.Any:
        await di.nject(Session)
        await go_on.wait()
        return aiohttp.web.Response()

    async def visit(session: t.Any, url: str) -> object:
        server = context.get(buvar_aiohttp.Server)
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while not server.requests():  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
        request = server.requests()[0]
        writer.close()
        async with asyncio.timeout(BOUND):
            while request.transport is not None:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.01)
            if not cancels:
                go_on.set()
            while not ends:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.01)
        return None

    serve(
        visit,
        route(handle),
        sessions,
        *layered[with_middleware],
        handler_cancellation=cancels,
    )
    (end,) = ends
    if cancels:
        assert isinstance(end, ClientLeftError)
        assert "handler_cancellation" in str(end)
    else:
        assert end is None


@pytest.mark.parametrize("normalizes", [False, True])
def test_normalize_paths(serve, route, normalizes: bool) -> None:
    """A path is redirected to one that is found, if asked for."""

    async def hello(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response(text=request.path)

    async def visit(session: t.Any, url: str) -> object:
        found = []
        for path in ("/a", "//a", "/missing", "//evil.example//x"):
            async with session.get(url + path) as answer:
                found.append((answer.status, answer.url.path))
        return found

    found = serve(visit, route(hello, "/a/"), normalize_paths=normalizes)
    if normalizes:
        assert found[:3] == [(200, "/a/"), (200, "/a/"), (404, "/missing")]
        assert found[3][0] == 404
    else:
        assert [status for status, _ in found] == [404] * 4


@pytest.mark.parametrize(
    "name",
    [
        "request_timeout",
        "max_concurrent_requests",
        "body_timeout",
        "send_timeout",
    ],
)
def test_bounds_that_make_no_sense(name: str) -> None:
    """A bound of 0 would answer nothing."""
    with pytest.raises(ValueError, match=f"{name} has to be more than 0"):
        buvar_aiohttp.AioHttpConfig(**{name: 0})


SECONDS = [
    (cls, field.name)
    for cls in (buvar_aiohttp.AioHttpConfig, ClientConfig)
    for field in attrs.fields(cls)
    if "float" in str(field.type)
]


@pytest.mark.parametrize(("cls", "name"), SECONDS)
def test_what_no_number_of_seconds_is(cls: type, name: str) -> None:
    """Bounds may be infinite, a delay may not; neither is below 0, or nan."""
    for value in (-1.0, -math.inf, math.nan):
        with pytest.raises(ValueError, match=f"{name} has to be"):
            cls(**{name: value})
    if name == "drain_delay":
        with pytest.raises(ValueError, match=f"{name} has to be"):
            cls(**{name: math.inf})
    else:
        assert getattr(cls(**{name: math.inf}), name) == math.inf


def test_sizes_of_heads(serve, route) -> None:
    """Lines and headers have the sizes that are set."""

    async def hello(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response()

    async def visit(session: t.Any, url: str) -> object:
        found = []
        for path, value in (("", ""), ("x" * 200, ""), ("", "x" * 200)):
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(
                    f"{url}/{path}", headers={"X": value}
                ) as answer:
                    found.append(answer.status)
        return found

    found = serve(
        visit,
        route(hello, "/{any:.*}"),
        max_line_size=100,
        max_field_size=150,
    )
    assert found == [200, 431, 431]
