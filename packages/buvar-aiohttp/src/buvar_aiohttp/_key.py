"""Keys under which a request keeps what belongs to it."""

from __future__ import annotations

import typing as t

import aiohttp.web


def key(name: str) -> t.Any:
    """Return a key for requests, as newer versions of aiohttp want them."""
    make: t.Any = getattr(aiohttp.web, "RequestKey", None)
    return name if make is None else make(name, object)


#: What a middleware has made of a request for its handler.
SEEN: t.Final = key("buvar_aiohttp.seen")
#: The id.
REQUEST_ID: t.Final = key("buvar_aiohttp.request_id")
#: The ``asyncio.Timeout`` that bounds it, and its seconds.
TIMEOUT: t.Final = key("buvar_aiohttp.timeout")
#: Those that end where it becomes a websocket.
UNTIL_SWITCHED: t.Final = key("buvar_aiohttp.until_switched")
