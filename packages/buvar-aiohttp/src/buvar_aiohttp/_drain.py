"""Stop a server: answer what was accepted, within a bound."""

from __future__ import annotations

import asyncio
import logging
import time
import typing as t

from ._connection import Connection
from ._connections import Connections


_log = logging.getLogger("buvar_aiohttp")

#: Seconds in which a client of an open connection may ask once more.
LINGER: t.Final = 1.0
#: Seconds between two looks at the connections while they end.
TICK: t.Final = 0.01
#: Seconds that a request which is cancelled gets to end.
CANCELLED: t.Final = 5.0


async def wait_for_requests(
    connections: Connections,
    seconds: float,
    handshaking: t.Callable[[], bool] = bool,
) -> None:
    """
    Wait for what clients have begun, and cancel what does not end in time.

    That is: heads of requests that have begun to arrive, requests that are
    handled, whose bodies may still arrive, and answers that are being sent.
    A client of an open connection may ask once more meanwhile.

    Args:
        connections: The connections, which must still be heard.
        seconds: How long to wait at most.
        handshaking: Tells whether there are connections to come, whose TLS
            handshake is under way.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    while (spent := loop.time() - start) < seconds:
        if not handshaking():
            if not connections.count and not connections.busy():
                return
            if spent >= LINGER and not _under_way(connections):
                return
        await asyncio.sleep(TICK)
    await _cancel(connections, loop)


def _under_way(connections: Connections) -> bool:
    return bool(
        connections.busy()
        or connections.beginning()
        or connections.sending()
        or connections.fresh(LINGER)
    )


async def _cancel(
    connections: Connections, loop: asyncio.AbstractEventLoop
) -> None:
    """Cancel requests, and wait for their layers to end."""
    for connection in connections.sending():
        _report("The response was not received in time", connection)
    for connection in connections.busy():
        _report("The request is cancelled: it did not end in time", connection)
        connection.cancel()
    end = loop.time() + CANCELLED
    while connections.busy() and loop.time() < end:  # noqa: ASYNC110 - no event
        await asyncio.sleep(TICK)
    for connection in connections.busy():
        _report("The request goes on although it was cancelled", connection)


def _report(what: str, connection: Connection) -> None:
    """Log what becomes of a request."""
    seconds = time.monotonic() - connection.started
    path = connection.path
    _log.warning(
        "%s: %s %s, %.1f s.",
        what,
        connection.method,
        path,
        seconds,
        extra={
            "method": connection.method,
            "path": path,
            "seconds": round(seconds, 3),
        },
    )
