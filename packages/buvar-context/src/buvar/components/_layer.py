"""
One layer over another, and what is seen through it.

Each layer keeps its own items and a *view*: a flat dict of all that was found
through it, misses included, so that a second question costs one look-up
however deep the stack is. It gets its view with the first question. Adding to
a layer empties the views of those that looked through it.

What was *built* for the length of a layer is kept beside what was added to
it: it is seen through that layer and the layers of its tasks, never through
another layer with a lifetime of its own. A layer that has ended answers no
question.

Reading a view takes no lock. Adding, and filling and emptying views, does: no
thread can keep a stale view.
"""

from __future__ import annotations

import typing as t

from collections.abc import Mapping

from . import _known
from ._errors import LayerEndedError
from ._errors import describe
from ._lock import LOCK
from ._near import describe_layer
from ._types import ENDED
from ._types import MISSING
from ._types import Closer
from ._types import Generator
from ._types import Keys
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
        "kept",
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
    #: What was built for the length of this layer, in the order of building:
    #: its dependencies come before it. ``None`` where a layer has no lifetime
    #: of its own, or has ended.
    kept: dict[t.Hashable, t.Any] | None
    #: What ends with this layer, see ``Lifetime.defer``.
    closers: list[tuple[object, Closer | Generator]] | Generator | None

    def _put_on(self, below: Components | None) -> None:
        """Start as an empty layer over another one."""
        self.items = {}
        self.view = BLANK
        self.names = self.dependents = None
        self.below = below
        self.closers = self.kept = None
        if below is None:
            self.scope = self.stage = None
            self.kept = {}
        else:
            self.scope = below.scope or below
            self.stage = below.stage or below

    def _share(self, layer: Layer) -> None:
        """Use the items of another layer as one's own, from both sides."""
        with LOCK:
            if layer.closers is ENDED:
                layer.refuse(None)
            self.items, self.names = layer.items, layer.own_names()
            self.dependents = dependents = layer.own_dependents()
            depend(dependents, self)
            if not any(ref() is layer for ref in dependents):
                depend(dependents, layer)

    def _fill(self, namespaces: Namespaces) -> None:
        for namespace, named in namespaces.items():
            if not isinstance(t.cast("object", named), Mapping):
                msg = (
                    "A layer starts with a dict of each type's components by "
                    f"name: {{{describe(namespace)}: {{None: {named!r}}}}}.\n"
                    "Or add it: context.add(item)."
                )
                raise TypeError(msg)
            for name, item in named.items():
                self._store(item, (namespace,), name)

    def _store(self, item: t.Any, keys: Keys, name: t.Hashable) -> None:
        with LOCK:
            if self.closers is ENDED:
                self.refuse(keys[0])
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

    def reveal(self, keys: Keys, item: t.Any) -> None:
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
            if self.closers is ENDED:
                self.refuse(namespace)
            if self.view is BLANK:
                if self.below is not None:
                    depend(self.below.own_dependents(), self)
                self.view = {}
                if self.dependents is None:
                    self.dependents = ()
            item = self.items.get(namespace, MISSING)
            if item is MISSING:
                kept = self.kept
                if kept and namespace in kept:
                    item = kept[namespace]
                elif (below := self.below) is not None:
                    # Without a lifetime of its own it sees all that is kept.
                    hides = kept is not None and (below.scope or below).kept
                    look = below.lent if hides else below.peek
                    item = look(namespace)
                if item is MISSING and not isinstance(namespace, type):
                    # Keys made of data could be endless: not kept.
                    return MISSING
            # The layer may have got the item meanwhile: never overwrite.
            item = self.view.setdefault(namespace, item)
            if self.closers is ENDED:  # pragma: no cover - by another thread
                self.refuse(namespace)
            return item

    def lent(self, namespace: t.Hashable) -> t.Any:
        """
        Return what layers with a lifetime of their own see, or ``MISSING``.

        That is all that was added, but nothing that this layer keeps.
        """
        layer: Layer = self
        while True:
            owner = layer.scope or layer
            if not owner.kept or namespace not in owner.kept:
                return layer.peek(namespace)
            # Hidden: only what was added counts, and what lies below.
            while layer is not owner:
                if namespace in layer.items:
                    return layer.items[namespace]
                layer = t.cast("Layer", layer.below)
            if namespace in owner.items or owner.below is None:
                return owner.items.get(namespace, MISSING)
            layer = owner.below

    def peek_named(self, namespace: t.Hashable, name: t.Hashable) -> t.Any:
        """Return a named component, or ``MISSING``."""
        layer: Layer | None = self
        while layer is not None:
            if layer.closers is ENDED:
                layer.refuse(namespace)
            if layer.names:
                item = layer.names.get(namespace, {}).get(name, MISSING)
                if item is not MISSING:
                    return item
            layer = layer.below
        return MISSING

    def refuse(self, namespace: t.Hashable) -> t.NoReturn:
        """
        Refuse a question, or a component, as this layer has ended.

        Raises:
            LayerEndedError: Always.
        """
        self.view = BLANK
        raise LayerEndedError(namespace, describe_layer(self))

    # --- what is kept -----------------------------------------------------

    def keep(
        self, kept: dict[t.Hashable, t.Any], keys: Keys, item: t.Any
    ) -> None:
        """
        Keep what was built for the length of the stage, seen by all above.

        What was added stays: it is what was asked for explicitly.

        Args:
            kept: The dict of this layer, as it was when building began.
            keys: What it is found by.
            item: What was built.

        Raises:
            LayerEndedError: The layer has ended meanwhile.
        """
        with LOCK:
            if self.kept is not kept:
                self.refuse(keys[0])
            for key in keys:
                if self.items.get(key, MISSING) is kept.get(key, MISSING):
                    self.items[key] = item
                kept[key] = item
            self.changed()

    def changed(self) -> None:
        """Have what is kept now seen by all."""
        with LOCK:
            if self.view is not BLANK:
                self.view.clear()
            if self.dependents:
                empty(self.dependents)

    def forget(self) -> None:
        """End: hand nothing out any more, from now on."""
        # In this order: whoever fills a view looks for ENDED afterwards.
        self.closers, self.kept = ENDED, None
        self.view = BLANK
        if self.dependents:
            empty(self.dependents)

    def forget_since(self, mark: object) -> None:
        """
        Forget what was kept since a mark was set, and the mark.

        What has been closed is not handed out, and neither is what may hold
        it: that was built later.
        """
        with LOCK:
            kept = self.kept or {}
            while kept:
                key, item = kept.popitem()
                if key is mark:
                    break
                if self.items.get(key, MISSING) is item:
                    del self.items[key]
            self.changed()
