"""
What was ever added anywhere, so that nobody has to ask for the rest.

Most types a resolver meets are never components. Knowing that a type was
added nowhere in this process spares the question; ``generation()`` tells
when that knowledge changed.

Only types, generic aliases and the like are kept (they live as long as the
program that wrote them down): keys made of data, as strings and tuples, could
be endless.
"""

from __future__ import annotations

import typing as t


#: Kinds of keys that may be made of data at run time, never kept.
_DATA = (str, bytes, int, float, tuple, frozenset)

unnamed: set[t.Hashable] = set()
named_: set[t.Hashable] = set()


def note(namespace: t.Hashable, *, named: bool) -> None:
    """Remember that a component was added under a namespace."""
    if not isinstance(namespace, _DATA):
        (named_ if named else unnamed).add(namespace)


def was_added(namespace: t.Hashable) -> bool:
    """Tell whether an unnamed component was ever added under a type."""
    return namespace in unnamed


def was_named(namespace: t.Hashable) -> bool:
    """Tell whether a named component was ever added under a type."""
    return namespace in named_


def generation() -> int:
    """Return a number that grows whenever the two answers above change."""
    return len(unnamed) + len(named_)
