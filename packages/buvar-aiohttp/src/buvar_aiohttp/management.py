"""
A listener of its own for what operates the service.

With the setting ``management``, an address, health and metrics are served
there and not to the public. Other routes for operators are added to the
application that ``management_app`` returns:

    async def prepare(load):
        app = await management_app(load)
        app.router.add_get("/version", version)

Without the setting that is the application of the service. The listener stays
open until the service has stopped, and ``max_concurrent_requests`` does not
count there.
"""

from __future__ import annotations

import typing as t

import aiohttp.web

from buvar import config
from buvar import context
from buvar import di
from buvar import plugin

from ._app import prepare_app
from ._config import AioHttpConfig


class Management:
    """
    What is served to operate the service, a component.

    Attributes:
        app: The application: health and metrics add their routes to it, and
            so may plugins.
        address: What it is bound to, host and port or a path, once it is.
    """

    def __init__(self) -> None:
        self.app = aiohttp.web.Application()
        self.address: t.Any = None


async def management_app(load: plugin.Loader) -> aiohttp.web.Application:
    """
    Return the application to add routes to that operate the service.

    That is the one of the management listener, if the setting ``management``
    names an address, else that of the service.

    Args:
        load: Loads what is needed for it.
    """
    await load(config, prepare_app)
    settings = await di.nject(AioHttpConfig)
    if settings.management is None:
        return context.get(aiohttp.web.Application)
    return management().app


def management() -> Management:
    """Return the component, which is added if it is not there yet."""
    found = context.get(Management, default=None)
    return context.add(Management()) if found is None else found


__all__ = ["Management", "management_app"]
