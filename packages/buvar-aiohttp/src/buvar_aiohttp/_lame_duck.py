"""
Let load balancers learn that the server stops before it does.

Meanwhile connections are accepted, ``/health/ready`` answers 503, and each
answer closes its connection. In one process the server itself waits, once the
stage has begun to stop. With a supervisor it is the supervisor that waits,
before it stops any worker: all workers go on to accept, and the time in which
they have to end begins afterwards.

Where no time is set, a supervisor waits no longer than its workers would have
needed anyhow: while they answer requests the service is there, so that it may
as well answer those who come meanwhile. One that is idle stops at once.
"""

from __future__ import annotations

import asyncio
import logging
import typing as t

from buvar import fork

from ._drain import TICK


_log = logging.getLogger("buvar_aiohttp")

#: Seconds for which connections are accepted at most where no time is set.
BUSY: t.Final = 1.0


async def go_on_accepting(seconds: float) -> asyncio.CancelledError | None:
    """
    Wait while connections are accepted, in one process.

    A second signal cancels the tasks of the stage, which cuts this short.

    Args:
        seconds: How long; 0 does not wait at all.

    Returns:
        What cut it short, to be raised once the requests have ended.
    """
    if not seconds:
        return None
    _log.info(
        "The server stops in %s s, and accepts connections until then.",
        seconds,
        extra={"drain_delay": seconds},
    )
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError as error:
        return error
    return None


async def follow_supervisor(
    worker: fork.Worker,
    seconds: float | None,
    begin: t.Callable[[], object],
    busy: t.Callable[[], bool],
) -> None:
    """
    Have the supervisor wait, and begin to say so when it does.

    Args:
        worker: This worker.
        seconds: How long connections are to be accepted; ``None`` for as long
            as requests are being answered, within bounds.
        begin: Has answers say that the server stops.
        busy: Tells whether requests are being answered.
    """
    if seconds is not None:
        worker.delay_stop(seconds)
        await worker.stopping()
        begin()
        return
    idle = worker.delay_stop_while_busy(BUSY)
    await worker.stopping()
    begin()
    while busy():  # noqa: ASYNC110 - requests have no event
        await asyncio.sleep(TICK)
    idle()
