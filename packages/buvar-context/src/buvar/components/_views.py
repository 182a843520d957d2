"""Who looked through which layer, and so has to look again."""

from __future__ import annotations

import typing as t
import weakref

from ._lock import LOCK


if t.TYPE_CHECKING:
    from ._layer import Layer

#: Layers that looked through one; those that are gone are dead references.
Dependents: t.TypeAlias = "list[weakref.ref[Layer]]"

#: Dead references are swept out of a list of dependents this long.
_SWEEP = 32


def depend(dependents: Dependents, layer: Layer) -> None:
    """Note, with the lock held, that a layer looks through another one."""
    length = len(dependents)
    if length >= _SWEEP and not length & (length - 1):
        # At each doubling, so that adding one stays cheap on average.
        dependents[:] = [ref for ref in dependents if ref() is not None]
    dependents.append(weakref.ref(layer))


def empty(dependents: Dependents) -> None:
    """Empty the views of all that looked through a layer."""
    with LOCK:
        todo, seen = [dependents], {id(dependents)}
        while todo:
            for ref in todo.pop():
                layer = ref()
                if layer is None:
                    continue
                layer.view.clear()
                if layer.dependents and id(layer.dependents) not in seen:
                    seen.add(id(layer.dependents))
                    todo.append(layer.dependents)
