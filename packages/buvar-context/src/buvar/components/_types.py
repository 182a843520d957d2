"""The words that the rest is written in."""

from __future__ import annotations

import typing as t

from ._errors import LayerEndedError


if t.TYPE_CHECKING:
    import asyncio


#: A layer to start from: items by name, by namespace.
Namespaces: t.TypeAlias = t.Mapping[t.Hashable, t.Mapping[t.Hashable, t.Any]]

#: Ends a layer: called with the exception that ended it, or ``None``.
Closer: t.TypeAlias = t.Callable[
    [BaseException | None], t.Awaitable[None] | None
]


#: The same for an asynchronous generator, without a call in between: it goes
#: on behind its ``yield``. The second item makes the error if it yields again,
#: the third is the task that started it: both halves see one context.
Generator: t.TypeAlias = tuple[
    t.AsyncGenerator[t.Any, None],
    t.Callable[[], BaseException],
    "asyncio.Task[t.Any] | None",
]


#: What an item is found by, its own type first.
Keys: t.TypeAlias = tuple[t.Hashable, ...]


class _Ended(list[t.Any]):
    """Takes the place of the closers of a layer that has ended."""

    def append(self, _: object, /) -> None:
        raise LayerEndedError


#: Takes the place of what ends with a layer, once that has ended.
ENDED: t.Final = _Ended()


class _Missing:
    """The type of ``MISSING``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


#: Stands for "no such component" in views and for "no default" in calls.
MISSING: t.Final[t.Any] = _Missing()
