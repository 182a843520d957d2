"""A plugin that listens hears of the layers of requests."""

from __future__ import annotations

import typing as t

import aiohttp
import aiohttp.web
import pytest

from buvar import context
from buvar import plugin


class Listener:
    """Notes what layers are opened for, and what they end with."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.closed: list[plugin.LayerClosed] = []

    async def prepare(self) -> None:
        plugin.listen(self.hear, plugin.LayerOpened, plugin.LayerClosed)

    def hear(self, event: plugin.LayerOpened | plugin.LayerClosed) -> None:
        if isinstance(event, plugin.LayerClosed):
            self.closed.append(event)
        elif aiohttp.web.Request in event.holds:
            self.opened.append(event.layer.get(aiohttp.web.Request).path)


@pytest.fixture
def listener() -> Listener:
    return Listener()


async def visit(session: aiohttp.ClientSession, url: str) -> object:
    async with session.get(url) as response:
        return response.status, await response.text()


def test_a_request(serve, route, listener) -> None:
    """A layer that holds the request is told to be opened, and to end."""

    async def handle(request: aiohttp.web.Request) -> t.Any:
        async with context.child():
            return aiohttp.web.Response(text="fine")

    assert serve(visit, listener.prepare, route(handle)) == (200, "fine")
    assert listener.opened == ["/"]
    block, request = listener.closed
    assert block.opened.parent is request.opened.layer
    assert block.opened.place.startswith(f"{__file__}:")
    assert block.error is request.error is None
    assert block.seconds <= request.seconds


@pytest.mark.parametrize("error", [ValueError(), aiohttp.web.HTTPConflict()])
def test_a_request_that_fails(serve, route, listener, error) -> None:
    """The layer ends with what the handler raised."""

    async def handle(request: aiohttp.web.Request) -> t.Any:
        raise error

    serve(visit, listener.prepare, route(handle))

    (closed,) = listener.closed
    assert closed.error is error


def test_a_response_that_is_streamed(serve, route, listener) -> None:
    """The layer ends once the body is sent."""

    async def body() -> t.AsyncIterator[bytes]:
        assert not listener.closed
        yield b"fine"

    async def handle(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response(body=body())

    assert serve(visit, listener.prepare, route(handle)) == (200, "fine")
    assert [each.error for each in listener.closed] == [None]


def test_the_layer_of_a_handler(
    serve, route, middleware, listener, caplog
) -> None:
    """Below middlewares a handler has a layer of its own, which ends first."""

    async def pass_on(request: aiohttp.web.Request, handler: t.Any) -> t.Any:
        response = await handler(request)
        assert len(listener.closed) == 1
        return response

    async def handle(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response(text="fine")

    found = serve(visit, route(handle), middleware(pass_on), listener.prepare)

    assert found == (200, "fine")
    assert listener.opened == ["/", "/"]
    inner, outer = listener.closed
    assert inner.opened.parent is outer.opened.layer
    assert not caplog.text
