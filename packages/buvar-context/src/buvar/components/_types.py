"""The words that the rest is written in."""

from __future__ import annotations

import typing as t


#: A layer to start from: items by name, by namespace.
Namespaces: t.TypeAlias = t.Mapping[t.Hashable, t.Mapping[t.Hashable, t.Any]]

#: Ends a layer: called with the exception that ended it, or ``None``.
Closer: t.TypeAlias = t.Callable[
    [BaseException | None], t.Awaitable[None] | None
]


class _Missing:
    """The type of ``MISSING``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


#: Stands for "no such component" in views and for "no default" in calls.
MISSING: t.Final[t.Any] = _Missing()
