"""Tell clients of open websockets that the server goes away."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import typing as t

import aiohttp
import aiohttp.web

from ._connections import Connections


_WebSocket = aiohttp.web.WebSocketResponse


async def close_websockets(connections: Connections, seconds: float) -> None:
    """
    Close the websockets of a server, as aiohttp has applications do it.

    Args:
        connections: The connections of the server.
        seconds: How long clients may take to say goodbye.
    """
    closing = [
        websocket.close(
            code=aiohttp.WSCloseCode.GOING_AWAY, message=b"The server stops."
        )
        for websocket in _open(connections)
    ]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*closing, return_exceptions=True)


def _open(connections: Connections) -> t.Iterator[_WebSocket]:
    """
    Find the open websockets of a server.

    aiohttp has no list of them. To be told of each response that is prepared,
    so as to keep one, would cost each request as much as its layer does. So
    the handlers are looked at that wait at the end: a websocket is in the
    hands of one of them. Only one that was put elsewhere is searched for
    among all objects.
    """
    elsewhere: set[object] = set()
    for connection in connections.busy():
        request = connection.request
        if request is None or not connection.switched:
            continue
        transport = request.transport
        sock = transport and transport.get_extra_info("socket")
        if sock is None:
            continue
        for websocket in _held_by(request.task):
            if _is_open_on(websocket, {sock}):
                yield websocket
                break
        else:
            elsewhere.add(sock)
    if elsewhere:
        yield from _search(elsewhere)


def _held_by(task: asyncio.Task[t.Any]) -> t.Iterator[_WebSocket]:
    """
    Yield the websockets that the functions of a task have as variables.

    And those of tasks that they wait for: aiohttp runs each handler in one of
    its own.
    """
    tasks = [task]
    for each in tasks:
        for value in _variables(each):
            # What isinstance() asks may be somebody's proxy, and fail.
            if issubclass(type(value), _WebSocket):
                yield value
            elif issubclass(type(value), asyncio.Task) and value not in tasks:
                tasks.append(value)


def _variables(task: asyncio.Task[t.Any]) -> t.Iterator[t.Any]:
    """Yield the variables of all functions in which a task waits."""
    waiting: t.Any = task.get_coro()
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None)
        if frame is not None:
            yield from [*frame.f_locals.values()]
        waiting = getattr(waiting, "cr_await", None)


def _is_open_on(websocket: _WebSocket, sockets: set[t.Any]) -> bool:
    return (
        not websocket.closed and websocket.get_extra_info("socket") in sockets
    )


def _search(sockets: set[object]) -> t.Iterator[_WebSocket]:
    """Search all objects for the websockets of some connections."""
    for item in gc.get_objects():
        if issubclass(type(item), _WebSocket):
            websocket = t.cast("_WebSocket", item)
            if _is_open_on(websocket, sockets):
                yield websocket
