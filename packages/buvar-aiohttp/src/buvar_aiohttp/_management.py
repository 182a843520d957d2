"""A listener of its own for what operates the service."""

from __future__ import annotations

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
    """

    def __init__(self) -> None:
        self.app = aiohttp.web.Application()


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
