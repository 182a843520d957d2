"""Bodies that arrive too slowly."""

from __future__ import annotations

import asyncio
import typing as t

import aiohttp.web

from ._connection import Connection
from ._connections import Connections
from ._payload import check_payload
from ._payload import fail


#: Bytes in a second, the least that is not too slow.
RATE: t.Final = 240
#: Seconds between two looks at most.
_TICK: t.Final = 1.0


class _Progress(t.NamedTuple):
    """How far a body has come: whose it is, its bytes, how long too slow."""

    request: aiohttp.web.BaseRequest
    received: int
    seconds: float


async def watch_bodies(connections: Connections, seconds: float) -> None:
    """
    Have requests fail with 408 whose bodies arrive too slowly.

    Args:
        connections: All connections.
        seconds: For how long less than ``RATE`` may arrive, or nothing. The
            time in which the server itself does not read does not count.
    """
    tick = min(_TICK, seconds / 4)
    known: dict[Connection, _Progress] = {}
    while True:
        await asyncio.sleep(tick)
        found: dict[Connection, _Progress] = {}
        for connection in connections.busy():
            request = connection.request
            if (
                request is None
                or request.content.is_eof()
                or not connection.reading
            ):
                continue
            # It may have been found before the request was handled.
            check_payload(request, connection)
            progress = _look(known.get(connection), request, tick)
            if progress.seconds >= seconds:
                fail(request, _timed_out())
            else:
                found[connection] = progress
        known = found


def _look(
    before: _Progress | None, request: aiohttp.web.BaseRequest, tick: float
) -> _Progress:
    received: int = getattr(request.content, "total_bytes", 0)
    if before is None or before.request is not request:
        return _Progress(request, received, 0.0)
    slow = received - before.received < RATE * tick
    return _Progress(request, received, before.seconds + tick if slow else 0.0)


def _timed_out() -> aiohttp.web.HTTPRequestTimeout:
    answer = aiohttp.web.HTTPRequestTimeout()
    answer.force_close()
    return answer
