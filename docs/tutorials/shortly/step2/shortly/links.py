"""The links, which are kept in memory."""

import secrets

from buvar import context


class Links:
    def __init__(self) -> None:
        self._targets: dict[str, str] = {}

    async def add(self, target: str) -> str:
        """Store a link and return its code."""
        code = secrets.token_urlsafe(6)
        self._targets[code] = target
        return code

    async def find(self, code: str) -> str | None:
        """Return where a link leads."""
        return self._targets.get(code)


async def prepare():
    context.add(Links())
