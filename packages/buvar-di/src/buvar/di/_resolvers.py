"""What was compiled, for as long as it holds."""

from __future__ import annotations

import typing as t

from buvar.components import _known
from buvar.components._lock import LOCK


if t.TYPE_CHECKING:
    from ._compile import Resolver


#: More answers of the context to one question than this are not kept.
_MOST = 16


class Resolvers:
    """The compiled resolvers of a registry, by the call they are for."""

    def __init__(self) -> None:
        #: Grows with each change.
        self.version = 0
        self.resolvers: dict[t.Any, list[Resolver]] = {}
        #: What ``components`` knew when the resolvers were compiled.
        self.known = 0

    def changed(self) -> None:
        """Drop, with the lock held, what was compiled for other adapters."""
        self.version += 1
        self.resolvers.clear()

    def fresh(self) -> None:
        """Drop resolvers that rest on a type never having been added."""
        with LOCK:
            self.known = _known.generation()
            for key, resolvers in tuple(self.resolvers.items()):
                if not all(map(_is_fresh, resolvers)):
                    del self.resolvers[key]

    def keep(self, key: t.Any, resolver: Resolver, version: int) -> None:
        """
        Keep a resolver, in front as it fitted last.

        Args:
            key: The call that it is for.
            resolver: What was planned and compiled.
            version: The version of the registry it was planned with: another
                thread may have changed that meanwhile.
        """
        with LOCK:
            if version == self.version and _is_fresh(resolver):
                others = self.resolvers.get(key, ())
                kept = [one for one in others if one is not resolver]
                self.resolvers[key] = [resolver, *kept[: _MOST - 1]]


def _is_fresh(resolver: Resolver) -> bool:
    return resolver.absent.isdisjoint(
        _known.unnamed
    ) and resolver.unnamed.isdisjoint(_known.named_)
