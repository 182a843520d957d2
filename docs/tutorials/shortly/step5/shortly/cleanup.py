"""Remove old links, now and then."""

import asyncio
import contextlib

import structlog

from buvar import context
from buvar import di
from buvar import plugin

from .links import Links
from .settings import Settings


log = structlog.get_logger(__name__)


async def clean(settings: Settings) -> int:
    async with context.child():
        links = await di.nject(Links)
        removed = await links.remove_older_than(settings.keep)
    log.info("removed old links", removed=removed)
    return removed


async def clean_periodically(settings: Settings, cancel: plugin.Cancel):
    while not cancel.is_set():
        await clean(settings)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settings.clean_every.total_seconds()):
                await cancel.wait()


async def prepare(cancel: plugin.Cancel):
    settings = await di.nject(Settings)
    yield clean_periodically(settings, cancel)
