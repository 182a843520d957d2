"""
One layer over another, and what is seen through it.

Each layer keeps its own items and a *view*: a flat dict of all that was found
through it, misses included, so that a second question costs one look-up
however deep the stack is. It gets its view with the first question. Adding to
a layer empties the views of those that looked through it.

Reading a view takes no lock. Adding, and filling and emptying views, does: no
thread can keep a stale view.
"""

from __future__ import annotations

import typing as t

from . import _known
from ._lock import LOCK
from ._types import MISSING
from ._types import Closer
from ._types import Generator
from ._types import Namespaces
from ._views import Dependents
from ._views import depend
from ._views import empty


if t.TYPE_CHECKING:
    from ._impl import Components


#: The view of all layers that nobody has asked yet: nothing is put into it.
BLANK: t.Final[dict[t.Hashable, t.Any]] = {}


class Layer:
    """The mechanics of ``Components``."""

    __slots__ = (
        "__weakref__",
        "below",
        "closers",
        "dependents",
        "items",
        "names",
        "scope",
        "stage",
        "view",
    )

    #: Unnamed items of this layer, by namespace.
    items: dict[t.Hashable, t.Any]
    #: Named items of this layer, by namespace and name, once it has any.
    names: dict[t.Hashable, dict[t.Hashable, t.Any]] | None
    #: The rest of the stack.
    below: Components | None
    #: All that was found through this layer since it was last emptied;
    #: ``BLANK`` before the first question.
    view: dict[t.Hashable, t.Any]
    #: The layers whose views were filled through this one; ``None`` as long
    #: as nobody has asked this layer or one above it for anything.
    dependents: Dependents | tuple[()] | None
    #: The nearest layer with a lifetime of its own: what is built for the
    #: length of a layer is kept and closed there, ``None`` if it is this one.
    scope: Components | None
    #: The layer that lives as long as the stage, ``None`` if it is this one.
    stage: Components | None
    #: What ends with this layer, latest last; ``None`` before the first. One
    #: generator alone, as most requests have, needs no list.
    closers: list[Closer | Generator] | Generator | None

    def _put_on(self, below: Components | None) -> None:
        """Start as an empty layer over another one."""
        self.items = {}
        self.view = BLANK
        self.names = self.dependents = None
        self.below = below
        self.closers = None
        if below is None:
            self.scope = self.stage = None
        else:
            self.scope = below.scope or below
            self.stage = below.stage or below

    def _share(self, layer: Layer) -> None:
        """Use the items of another layer as one's own, from both sides."""
        with LOCK:
            self.items, self.names = layer.items, layer.own_names()
            self.dependents = dependents = layer.own_dependents()
            depend(dependents, self)
            if not any(ref() is layer for ref in dependents):
                depend(dependents, layer)

    def _fill(self, namespaces: Namespaces) -> None:
        for namespace, named in namespaces.items():
            for name, item in named.items():
                self._store(item, (namespace,), name)

    def _store(
        self, item: t.Any, keys: tuple[t.Hashable, ...], name: t.Hashable
    ) -> None:
        with LOCK:
            if name is not None:
                names = self.own_names()
                for key in keys:
                    _known.note(key, named=True)
                    names.setdefault(key, {})[name] = item
                return
            for key in keys:
                if key not in _known.unnamed:
                    _known.note(key, named=False)
                self.items[key] = item
            self.reveal(keys, item)

    def reveal(self, keys: tuple[t.Hashable, ...], item: t.Any) -> None:
        """Have what is among the items now seen, with the lock held."""
        if self.view is not BLANK:
            self.view.update(dict.fromkeys(keys, item))
        if self.dependents:
            empty(self.dependents)

    def own_names(self) -> dict[t.Hashable, dict[t.Hashable, t.Any]]:
        """Return the named items, to be added to with the lock held."""
        if self.names is None:
            self.names = {}
        return self.names

    def own_dependents(self) -> Dependents:
        """Return the list of dependents, to be added to with the lock held."""
        if not isinstance(self.dependents, list):
            self.dependents = []
        return self.dependents

    def peek(self, namespace: t.Hashable) -> t.Any:
        """Return an unnamed component, or ``MISSING``."""
        try:
            return self.view[namespace]
        except KeyError:
            return self.look(namespace)

    def look(self, namespace: t.Hashable) -> t.Any:
        """Find what the view does not know yet, keep it there, return it."""
        with LOCK:
            below = self.below
            if self.view is BLANK:
                if below is not None:
                    depend(below.own_dependents(), self)
                self.view = {}
                if self.dependents is None:
                    self.dependents = ()
            item = self.items.get(namespace, MISSING)
            if item is MISSING:
                if below is not None:
                    item = below.peek(namespace)
                if item is MISSING and not isinstance(namespace, type):
                    # Keys made of data could be endless: not kept.
                    return MISSING
            # The layer may have got the item meanwhile: never overwrite.
            return self.view.setdefault(namespace, item)

    def peek_named(self, namespace: t.Hashable, name: t.Hashable) -> t.Any:
        """Return a named component, or ``MISSING``."""
        layer: Layer | None = self
        while layer is not None:
            if layer.names:
                item = layer.names.get(namespace, {}).get(name, MISSING)
                if item is not MISSING:
                    return item
            layer = layer.below
        return MISSING
