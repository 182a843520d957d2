"""Tell the layers that look through a layer when it has changed."""

from __future__ import annotations

import typing as t
import weakref


#: The items of all layers that nothing was added to yet, and the view of all
#: that nobody has asked yet: nothing is put into it.
BLANK: t.Final[dict[t.Hashable, t.Any]] = {}

_View: t.TypeAlias = dict[t.Hashable, t.Any]

#: The views of layers that are over soon, after so many questions: answered
#: without a view of their own, as nothing is put into these either.
_ASKED: t.Final[tuple[_View, ...]] = ({}, {}, {}, {})

#: Which view takes the place of a shared one with the next question, by its
#: id; ``None`` where the layer is worth a view of its own from now on.
NEXT: t.Final[dict[int, _View | None]] = {
    id(view): following
    for view, following in zip((BLANK, *_ASKED), (*_ASKED, None), strict=True)
}


class _Facts:
    """In a view: what is known of the layer rests on it having no items."""


FACTS: t.Final = _Facts()

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
