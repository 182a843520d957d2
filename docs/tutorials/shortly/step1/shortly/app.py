"""The application: all the plugins that shortly is made of."""

from buvar import plugin


async def prepare(load: plugin.Loader):
    await load("buvar_aiohttp")
    await load(".links", ".handlers")
