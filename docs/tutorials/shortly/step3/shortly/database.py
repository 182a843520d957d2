"""A connection per request, and one transaction on it."""

from collections.abc import AsyncIterator

import aiosqlite

from buvar import context
from buvar import di

from .settings import Settings


SCHEMA = """
CREATE TABLE IF NOT EXISTS links (
    code TEXT PRIMARY KEY,
    target TEXT NOT NULL
)
"""


async def connect(settings: Settings) -> AsyncIterator[aiosqlite.Connection]:
    async with aiosqlite.connect(settings.database) as connection:
        try:
            yield connection
        except BaseException:
            await connection.rollback()
            raise
        await connection.commit()


async def prepare():
    di.register(connect, scope="layer")
    async with context.child():
        connection = await di.nject(aiosqlite.Connection)
        await connection.execute(SCHEMA)
