"""The words that the rest is written in."""

from __future__ import annotations

import typing as t


#: A layer to start from: items by name, by namespace.
Namespaces: t.TypeAlias = t.Mapping[t.Hashable, t.Mapping[t.Hashable, t.Any]]

#: Ends a layer: called with the exception that ended it, or ``None``.
Closer: t.TypeAlias = t.Callable[
    [BaseException | None], t.Awaitable[None] | None
]


#: The same for an asynchronous generator, without a call in between: it goes
#: on behind its ``yield``; the second makes the error if it yields again.
Generator: t.TypeAlias = tuple[
    t.AsyncGenerator[t.Any, None], t.Callable[[], BaseException]
]


class _Missing:
    """The type of ``MISSING``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


#: Stands for "no such component" in views and for "no default" in calls.
MISSING: t.Final[t.Any] = _Missing()
