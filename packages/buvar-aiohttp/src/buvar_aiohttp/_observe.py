"""Observe requests without ever making one fail."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import typing as t

import aiohttp.web

from ._throttle import Throttle


_log = logging.getLogger("buvar_aiohttp")
_throttle = Throttle()

#: The status of a request whose client has left, as proxies log it.
CLIENT_LEFT: t.Final = 499


@contextlib.contextmanager
def observing(what: str) -> t.Generator[None]:
    """
    Log that something could not be observed, once a second at most.

    Args:
        what: What observes.
    """
    try:
        yield
    except Exception:  # noqa: BLE001 - logged, whatever it is
        if _throttle.ready():
            _log.warning(
                "The %s of a request failed; the request goes on.",
                what,
                exc_info=True,
            )


def client_left(
    request: aiohttp.web.BaseRequest, error: BaseException
) -> bool:
    """Tell whether a request failed because its client has left."""
    transport = request.transport
    if transport is not None and not transport.is_closing():
        return False
    return (
        isinstance(
            error,
            (
                ConnectionError,
                asyncio.CancelledError,
                aiohttp.web.RequestPayloadError,
            ),
        )
        or error is request.content.exception()
    )
