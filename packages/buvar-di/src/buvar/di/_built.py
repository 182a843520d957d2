"""What a plan builds so far: shared within a call, and taken back."""

from __future__ import annotations

import typing as t

from ._candidate import Candidate
from ._nodes import Build


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
        #: By the level of who asks, and the type; or what builds it.
        self._found: dict[t.Any, Build] = {}
        self._keys: list[t.Any] = []

    def by_type(self, key: t.Any, level: int) -> Build | None:
        """Find an object of a type."""
        return self._found.get((level, key))

    def by_candidate(self, candidate: Candidate, level: int) -> Build | None:
        """Find what an adapter builds."""
        return self._found.get((level, *candidate.identity))

    def add(self, build: Build, keys: t.Iterable[t.Any]) -> None:
        """
        Share what is built.

        Args:
            build: What is built, after all that it needs.
            keys: The types that it is found by: it is not where another
                object is found already.
        """
        self.order.append(build)
        found, noted = self._found, self._keys
        for level in range(build.life + 1):
            own = (level, *build.candidate.identity)
            for key in (*((level, key) for key in keys), own):
                if key not in found:
                    found[key] = build
                    noted.append(key)

    @property
    def mark(self) -> Mark:
        """How much is built now, for ``rewind``."""
        return len(self.order), len(self._keys)

    def rewind(self, mark: Mark) -> None:
        """Forget what was planned for an adapter that is not used."""
        order, keys = mark
        del self.order[order:]
        for key in self._keys[keys:]:
            del self._found[key]
        del self._keys[keys:]
