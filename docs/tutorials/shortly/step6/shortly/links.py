"""The links that are stored."""

import datetime
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
        return await self._one("SELECT target FROM links WHERE code = ?", code)

    async def visits(self, code: str) -> int | None:
        """Return how often a link was followed."""
        return await self._one("SELECT visits FROM links WHERE code = ?", code)

    async def visit(self, code: str) -> None:
        """Count one more visit."""
        await self._connection.execute(
            "UPDATE links SET visits = visits + 1 WHERE code = ?", (code,)
        )

    async def remove_older_than(self, age: datetime.timedelta) -> int:
        """Remove old links and return how many there were."""
        cursor = await self._connection.execute(
            "DELETE FROM links WHERE created <= datetime('now', ?)",
            (f"-{age.total_seconds()} seconds",),
        )
        return cursor.rowcount

    async def _one(self, query: str, code: str):
        async with self._connection.execute(query, (code,)) as cursor:
            row = await cursor.fetchone()
        return row[0] if row else None


async def prepare():
    di.register(Links)
