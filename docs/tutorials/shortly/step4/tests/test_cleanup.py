import datetime

import attrs
import pytest

from shortly.cleanup import clean
from shortly.links import Links
from shortly.settings import Settings

from buvar import context
from buvar import di


pytestmark = pytest.mark.buvar_plugins("shortly.app")


async def add(target):
    async with context.child():
        links = await di.nject(Links)
        return await links.add(target)


async def find(code):
    async with context.child():
        links = await di.nject(Links)
        return await links.find(code)


async def test_new_links_are_kept(buvar_aiohttp_app):
    code = await add("https://example.org")

    assert await clean(await di.nject(Settings)) == 0
    assert await find(code)


async def test_old_links_are_removed(buvar_aiohttp_app):
    code = await add("https://example.org")
    settings = await di.nject(Settings)

    removed = await clean(attrs.evolve(settings, keep=datetime.timedelta()))

    assert removed == 1
    assert await find(code) is None
