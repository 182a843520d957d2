"""
Health: ``/health/live`` and ``/health/ready``, a plugin of its own.

``await load("buvar_aiohttp.health")`` adds both routes. The process is live
as long as it answers; it is ready until the stage begins to stop.
"""

from __future__ import annotations

import aiohttp.web

from buvar import context
from buvar import plugin

from . import json
from ._server import Server
from .management import management_app


async def prepare(load: plugin.Loader, cancel: plugin.Cancel) -> None:
    """Add the routes to the application."""
    app = await management_app(load)

    async def live(request: aiohttp.web.Request) -> aiohttp.web.Response:
        del request
        return json.response({"status": "live"})

    async def ready(request: aiohttp.web.Request) -> aiohttp.web.Response:
        del request
        server = context.get(Server, default=None)
        if cancel.is_set() or (server is not None and server.stopping):
            return json.response({"status": "stopping"}, status=503)
        return json.response({"status": "ready"})

    router = app.router
    router.add_get("/health/live", live)
    router.add_get("/health/ready", ready)


__all__ = ["prepare"]
