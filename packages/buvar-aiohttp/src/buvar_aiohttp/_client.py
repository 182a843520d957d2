"""A client session that ends with the stage."""

from __future__ import annotations

import aiohttp

from buvar import context
from buvar import plugin


async def prepare_client_session(teardown: plugin.Teardown) -> None:
    """Add an ``aiohttp.ClientSession`` to the context."""
    context.add(await teardown.enter(aiohttp.ClientSession()))
