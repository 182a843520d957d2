"""What a plan builds so far: shared within a call, and taken back."""

from __future__ import annotations

import typing as t

from buvar.di._registry.candidate import Candidate

from .nodes import Build


Found: t.TypeAlias = dict[t.Any, Build]
#: How much was built at some time.
Mark: t.TypeAlias = tuple[int, int]


class Built:
    """
    Finds again what is built, with all that do not outlive it.

    Attributes:
        order: All that is built, each after what it needs.
    """

    def __init__(self) -> None:
        self.order: list[Build] = []
        #: By the level of who asks.
        self._types: tuple[Found, ...] = ({}, {}, {})
        self._candidates: tuple[Found, ...] = ({}, {}, {})
        #: Where each is found, to be forgotten again.
        self._noted: list[tuple[Found, t.Any]] = []

    def by_type(self, key: t.Any, level: int) -> Build | None:
        """Find an object of a type."""
        return self._types[level].get(key)

    def by_candidate(self, candidate: Candidate, level: int) -> Build | None:
        """Find what an adapter builds."""
        return self._candidates[level].get(candidate.identity)

    def add(self, build: Build, keys: t.Iterable[t.Any]) -> None:
        """
        Share what is built.

        Args:
            build: What is built, after all that it needs.
            keys: The types that it is found by: it is not where another
                object is found already.
        """
        self.order.append(build)
        noted, identity = self._noted, build.candidate.identity
        for level in range(build.life + 1):
            found = self._types[level]
            for key in keys:
                if key not in found:
                    found[key] = build
                    noted.append((found, key))
            found = self._candidates[level]
            if identity not in found:
                found[identity] = build
                noted.append((found, identity))

    @property
    def mark(self) -> Mark:
        """How much is built now, for ``rewind``."""
        return len(self.order), len(self._noted)

    def rewind(self, mark: Mark) -> None:
        """Forget what was planned for an adapter that is not used."""
        order, noted = mark
        del self.order[order:]
        for found, key in self._noted[noted:]:
            del found[key]
        del self._noted[noted:]
