"""
What was ever added anywhere, so that nobody has to ask for the rest.

Most types a resolver meets are never components. Knowing that a type was
added nowhere in this process spares the question; what rests on it is told
when that changes.

Only types, generic aliases and the like are kept (they live as long as the
program that wrote them down): keys made of data, as strings and tuples, could
be endless.
"""

from __future__ import annotations

import typing as t
import weakref

from ._lock import LOCK


#: Kinds of keys that may be made of data at run time, never kept.
_DATA = (str, bytes, int, float, tuple, frozenset)

unnamed: set[t.Hashable] = set()
named_: set[t.Hashable] = set()


class Listener(t.Protocol):
    """A listener that relies on types never having been added."""

    def added(self, namespace: t.Hashable, *, named: bool) -> None:
        """Learn of the first component under a namespace."""


listeners: weakref.WeakSet[Listener] = weakref.WeakSet()


def note(namespace: t.Hashable, *, named: bool) -> None:
    """Remember that a component was added under a namespace."""
    known = named_ if named else unnamed
    if namespace in known or isinstance(namespace, _DATA):
        return
    with LOCK:
        known.add(namespace)
        for listener in listeners:
            listener.added(namespace, named=named)


def listen(listener: Listener) -> None:
    """Tell someone of each first component from now on, while it lives."""
    with LOCK:
        listeners.add(listener)
