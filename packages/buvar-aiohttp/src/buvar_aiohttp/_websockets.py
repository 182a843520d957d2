"""Tell clients of open websockets that the server goes away."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import typing as t

import aiohttp
import aiohttp.web


async def close_websockets(server: aiohttp.web.Server, seconds: float) -> None:
    """
    Close the websockets of a server, as aiohttp has applications do it.

    Args:
        server: The server.
        seconds: How long clients may take to say goodbye.
    """
    closing = [
        websocket.close(
            code=aiohttp.WSCloseCode.GOING_AWAY, message=b"The server stops."
        )
        for websocket in _open(server)
    ]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*closing, return_exceptions=True)


def _open(
    server: aiohttp.web.Server,
) -> t.Iterator[aiohttp.web.WebSocketResponse]:
    """
    Find the open websockets of a server.

    aiohttp has no list of them. To be told of each response that is prepared,
    so as to keep one, would cost each request as much as its layer does: it
    is cheaper to search once, at the end, and only if somebody is connected.
    """
    transports = {connection.transport for connection in server.connections}
    sockets = {
        transport.get_extra_info("socket")
        for transport in transports
        if transport is not None
    }
    if not sockets:
        return
    for item in gc.get_objects():
        # What isinstance() asks may be somebody's proxy, and fail.
        if issubclass(type(item), aiohttp.web.WebSocketResponse):
            websocket = t.cast("aiohttp.web.WebSocketResponse", item)
            if (
                not websocket.closed
                and websocket.get_extra_info("socket") in sockets
            ):
                yield websocket
