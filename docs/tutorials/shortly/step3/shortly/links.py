"""The links that are stored."""

import secrets

import aiosqlite

from buvar import di


class Links:
    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def add(self, target: str) -> str:
        """Store a link and return its code."""
        code = secrets.token_urlsafe(6)
        await self._connection.execute(
            "INSERT INTO links (code, target) VALUES (?, ?)", (code, target)
        )
        return code

    async def find(self, code: str) -> str | None:
        """Return where a link leads."""
        query = "SELECT target FROM links WHERE code = ?"
        async with self._connection.execute(query, (code,)) as cursor:
            row = await cursor.fetchone()
        return row[0] if row else None


async def prepare():
    di.register(Links)
