"""The application: all the plugins that shortly is made of."""

from buvar import config
from buvar import di
from buvar import plugin

from .settings import Settings


async def prepare(load: plugin.Loader):
    await load(config, "buvar.plugin.jobs")
    await load("buvar_aiohttp", "buvar_aiohttp.health")
    await load("buvar_aiohttp.metrics")
    await load(".database", ".links", ".handlers", ".cleanup")
    await di.nject(Settings)  # what is missing or wrong ends the start
