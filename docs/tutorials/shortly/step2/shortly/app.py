"""The application: all the plugins that shortly is made of."""

from buvar import config
from buvar import di
from buvar import plugin

from .settings import Settings


async def prepare(load: plugin.Loader):
    await load(config, "buvar_aiohttp")
    await load(".links", ".handlers")
    await di.nject(Settings)  # what is missing or wrong ends the start
