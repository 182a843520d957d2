"""The compiled code of a registry, by what it was compiled for."""

from __future__ import annotations

import typing as t

from buvar.components import spi
from buvar.components.spi import LOCK


#: Compiled code: called with the registry and the keywords. Where the context
#: answers otherwise than it was planned for, it asks that registry again, or
#: returns ``MISSING`` if that is ``None``.
Call: t.TypeAlias = t.Callable[
    [t.Any, dict[str, t.Any]], t.Coroutine[t.Any, t.Any, t.Any]
]

#: More answers of the context to one question than this are not kept.
_MOST = 16


class Resolver(t.NamedTuple):
    """
    Compiled code, and what it rests on.

    Attributes:
        call: The code.
        absent: Types that nothing was ever added under.
        unnamed: Types that nothing was ever added under with a name.
    """

    call: Call
    absent: frozenset[t.Any]
    unnamed: frozenset[t.Any]


class Compiled:
    """
    All compiled code: several pieces for a question, one for each answer.

    Attributes:
        version: Grows with each change of what there is to plan with.
        calls: What fitted last, by what is asked for.
        resolvers: All there are, what fitted last first.
    """

    def __init__(self) -> None:
        self.version = 0
        self.calls: dict[t.Any, Call] = {}
        self.resolvers: dict[t.Any, list[Resolver]] = {}
        #: The questions that rest on types never having been added, by that
        #: type and whether it is about components with a name.
        self._resting: dict[tuple[t.Any, bool], set[t.Any]] = {}
        spi.listen(self)

    def clear(self) -> None:
        """Drop all of it, as there is something else to plan with."""
        with LOCK:
            self.version += 1
            self.calls.clear()
            self.resolvers.clear()
            self._resting.clear()

    def prefer(self, key: t.Any, resolver: Resolver, version: int) -> None:
        """
        Put in front what fitted last, unless what it rests on is gone.

        Args:
            key: What it answers.
            resolver: The compiled code.
            version: The version it was planned with: another thread may have
                changed that meanwhile.
        """
        with LOCK:
            if (
                version != self.version
                or spi.any_announced(resolver.absent)
                or spi.any_announced(resolver.unnamed, named=True)
            ):
                return
            others = self.resolvers.get(key, [])
            kept = [other for other in others if other is not resolver]
            self.resolvers[key] = [resolver, *kept[: _MOST - 1]]
            self.calls[key] = resolver.call
            for namespace in resolver.absent:
                self._resting.setdefault((namespace, False), set()).add(key)
            for namespace in resolver.unnamed:
                self._resting.setdefault((namespace, True), set()).add(key)

    def added(self, namespace: t.Any, *, named: bool) -> None:
        """Drop what rests on nothing having been added under a type."""
        if hasattr(namespace, "__orig_bases__"):
            # Its objects may be of types with arguments.
            self.clear()
        for key in self._resting.pop((namespace, named), ()):
            self.calls.pop(key, None)
            self.resolvers.pop(key, None)
