"""Websockets are found at the end, without a search where that can be."""

from __future__ import annotations

import asyncio
import gc
import types
import typing as t

import aiohttp
import aiohttp.web
import pytest

from buvar import context
from buvar import plugin
from buvar_aiohttp import _websockets


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often all objects are searched."""
    found: list[int] = []

    def get_objects() -> list[object]:
        found.append(1)
        return gc.get_objects()

    fake = types.SimpleNamespace(get_objects=get_objects)
    monkeypatch.setattr(_websockets, "gc", fake)
    return found


def visiting(path: str) -> t.Any:
    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.ws_connect(f"{url}{path}") as socket:
            assert await socket.receive_str() == "hello"
            context.get(plugin.Cancel).set()
            message = await socket.receive()
            return message.data

    return visit


async def receive(request: aiohttp.web.Request) -> t.Any:
    socket = aiohttp.web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_str("hello")
    async for _ in socket:
        raise AssertionError
    return socket


rooms: list[aiohttp.web.WebSocketResponse] = []


async def elsewhere(request: aiohttp.web.Request) -> t.Any:
    rooms.append(aiohttp.web.WebSocketResponse())
    await rooms[0].prepare(request)
    await rooms[0].send_str("hello")
    await context.get(plugin.Cancel).wait()
    while not rooms[0].closed:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.01)
    return rooms.pop()


@pytest.mark.parametrize(("handler", "number"), [(receive, 0), (elsewhere, 1)])
def test_they_are_closed(
    serve: t.Any,
    route: t.Any,
    searches: list[int],
    handler: t.Any,
    number: int,
) -> None:
    """One that a handler holds is closed as well as one put elsewhere."""
    assert (
        serve(visiting("/"), route(handler)) == aiohttp.WSCloseCode.GOING_AWAY
    )
    assert len(searches) == number


def test_nothing_is_searched_without_any(
    serve: t.Any, searches: list[int]
) -> None:
    """A server without websockets looks for none."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(url) as response:
            return response.status

    assert serve(visit) == 404
    assert not searches
