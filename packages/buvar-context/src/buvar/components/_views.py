"""Who looked through which layer, and so has to look again."""

from __future__ import annotations

import typing as t
import weakref


#: Layers that looked through one; those that are gone are dead references.
Dependents: t.TypeAlias = list[weakref.ref[t.Any]]

#: Dead references are swept out of a list of dependents this long.
_SWEEP = 32


def depend(dependents: Dependents, layer: object) -> None:
    """Note, with the lock held, that a layer looks through another one."""
    length = len(dependents)
    if length >= _SWEEP and not length & (length - 1):
        # At each doubling, so that adding one stays cheap on average.
        dependents[:] = [ref for ref in dependents if ref() is not None]
    dependents.append(weakref.ref(layer))
