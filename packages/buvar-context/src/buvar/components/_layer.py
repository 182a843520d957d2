"""
One layer over another, and what is seen through it.

Each layer keeps its own items and a *view*: a flat dict of all that was found
through it, misses included, so that a second question costs one look-up
however deep the stack is. It gets its view with the first question; one with a
lifetime, such as that of a request, after a few: most are not asked more.
Adding to a layer empties the views of those that looked through it.

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

from ._errors import LayerEndedError
from ._errors import describe
from ._ever_added import note
from ._ever_added import unnamed
from ._lock import LOCK
from ._suggest import describe_layer
from ._types import ENDED
from ._types import MISSING
from ._types import Closer
from ._types import Generator
from ._types import Keys
from ._types import Namespaces
from ._views import BLANK
from ._views import FACTS
from ._views import NEXT
from ._views import Dependents
from ._views import depend


class Layer:
    """The mechanics of ``Components``."""

    __slots__ = (
        "__weakref__",
        "_below",
        "_closers",
        "_dependents",
        "_items",
        "_kept",
        "_names",
        "_scope",
        "_stage",
        "_view",
    )

    #: Unnamed items of this layer, by namespace; ``BLANK`` before the first.
    _items: dict[t.Hashable, t.Any]
    #: Named items of this layer, by namespace and name, once it has any.
    _names: dict[t.Hashable, dict[t.Hashable, t.Any]] | None
    #: The rest of the stack.
    _below: Layer | None
    #: All that was found through this layer since it was last emptied;
    #: ``BLANK`` before the first question.
    _view: dict[t.Hashable, t.Any]
    #: The layers whose views were filled through this one; ``None`` as long
    #: as nobody has asked this layer or one above it for anything.
    _dependents: Dependents | tuple[()] | None
    #: The nearest layer with a lifetime of its own: what is built for the
    #: length of a layer is kept and closed there, ``None`` if it is this one.
    _scope: Layer | None
    #: The layer that lives as long as the stage, ``None`` if it is this one.
    _stage: Layer | None
    #: What was built for the length of this layer, in the order of building:
    #: its dependencies come before it. ``None`` where a layer has no lifetime
    #: of its own, or has ended.
    _kept: dict[t.Hashable, t.Any] | None
    #: What ends with this layer, see ``Lifetime.defer``.
    _closers: list[tuple[object, Closer | Generator]] | Generator | None

    def _put_on(self, below: Layer | None) -> None:
        """Start as an empty layer over another one."""
        self._items = self._view = BLANK
        self._names = self._dependents = self._closers = None
        self._below = below
        if below is None:
            self._scope = self._stage = None
            self._kept = {}
        else:
            self._scope = below._scope or below
            self._stage = below._stage or below
            self._kept = None

    def _share(self, layer: Layer) -> None:
        """Use the items of another layer as one's own, from both sides."""
        with LOCK:
            if layer._closers is ENDED:
                layer._refuse(None)
            self._items, self._names = layer._own_items(), layer._own_names()
            self._dependents = dependents = layer._own_dependents()
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
            if self._closers is ENDED:
                self._refuse(keys[0])
            if name is not None:
                names = self._own_names()
                for key in keys:
                    note(key, named=True)
                    names.setdefault(key, {})[name] = item
                return
            items = self._own_items()
            for key in keys:
                if key not in unnamed:
                    note(key, named=False)
                items[key] = item
            view = self._view
            if id(view) not in NEXT:
                if FACTS in view:
                    view.clear()
                else:
                    view.update(dict.fromkeys(keys, item))
            if self._dependents:
                self._empty_dependents()

    def _own_items(self) -> dict[t.Hashable, t.Any]:
        """Return the unnamed items, to be added to with the lock held."""
        if self._items is BLANK:
            self._items = {}
        return self._items

    def _own_names(self) -> dict[t.Hashable, dict[t.Hashable, t.Any]]:
        """Return the named items, to be added to with the lock held."""
        if self._names is None:
            self._names = {}
        return self._names

    def _own_dependents(self) -> Dependents:
        """Return the list of dependents, to be added to with the lock held."""
        if not isinstance(self._dependents, list):
            self._dependents = []
        return self._dependents

    def _peek(self, namespace: t.Hashable) -> t.Any:
        """Return an unnamed component, or ``MISSING``."""
        try:
            return self._view[namespace]
        except KeyError:
            return self._look(namespace)

    def _look(self, namespace: t.Hashable) -> t.Any:
        """Find what the view does not know yet, return it."""
        view = NEXT.get(id(self._view))
        if (
            view is None
            or self._dependents is not None
            or (kept := self._kept) is None
            or (below := self._below) is None
        ):
            return self._look_through(namespace)
        # One of few questions to a layer that is over soon. Nothing is noted,
        # here or below, so there is nothing to guard.
        if self._closers is ENDED:
            self._refuse(namespace)
        self._view = view
        item = self._items.get(namespace, MISSING)
        if item is not MISSING:
            return item
        if namespace in kept:
            return kept[namespace]
        hidden = (below._scope or below)._kept
        if hidden and namespace in hidden:
            return below._lent(namespace)
        item = below._view.get(namespace)
        return below._peek(namespace) if item is None else item

    def _look_through(self, namespace: t.Hashable) -> t.Any:
        """Find what the view does not know yet, keep it there, return it."""
        with LOCK:
            if self._closers is ENDED:
                self._refuse(namespace)
            view = self._own_view()
            item = self._items.get(namespace, MISSING)
            if item is MISSING:
                kept = self._kept
                if kept and namespace in kept:
                    item = kept[namespace]
                elif (below := self._below) is not None:
                    # Without a lifetime of its own it sees all that is kept.
                    hides = kept is not None and (below._scope or below)._kept
                    look = below._lent if hides else below._peek
                    item = look(namespace)
                if item is MISSING and not isinstance(namespace, type):
                    # Keys made of data could be endless: not kept.
                    return MISSING
            # The layer may have got the item meanwhile: never overwrite.
            item = view.setdefault(namespace, item)
            if self._closers is ENDED:  # pragma: no cover - by another thread
                self._refuse(namespace)
            return item

    def _own_view(self) -> dict[t.Hashable, t.Any]:
        """Return the view, to be filled with the lock held."""
        view = self._view
        if id(view) in NEXT:
            if self._below is not None:
                depend(self._below._own_dependents(), self)
            self._view = view = {}
            if self._dependents is None:
                self._dependents = ()
        return view

    def _empty_dependents(self) -> None:
        """Empty the views of all that looked through this layer."""
        with LOCK:
            todo, seen = [self._dependents], {id(self._dependents)}
            while todo:
                for ref in todo.pop() or ():
                    layer: Layer | None = ref()
                    if layer is None:
                        continue
                    layer._view.clear()
                    dependents = layer._dependents
                    if dependents and id(dependents) not in seen:
                        seen.add(id(dependents))
                        todo.append(dependents)

    def _sees(self, fact: t.Hashable, keys: Keys) -> bool:
        """
        Tell whether any of several types was added here or further down.

        That there is none is kept, under ``fact``, in the view of the layer
        that lives longest, and in that of this one once it was asked a few
        times. Most of those over the longest-lived one, as of tasks and
        requests, do not live to be asked again.
        """
        stage = self._stage or self
        layer: Layer = self
        while layer is not stage:
            if layer._closers is ENDED:
                layer._refuse(keys[0])
            items = layer._items
            if items and any(key in items for key in keys):
                return True
            layer = t.cast("Layer", layer._below)
        following = None if self is stage else NEXT.get(id(self._view))
        if following is not None:
            self._view = following
        if fact in stage._view and (self is stage or following is not None):
            return False
        with LOCK:
            if any(stage._lent(key) is not MISSING for key in keys):
                return True
            view = stage._own_view()
            view[FACTS] = view[fact] = True
            if self is not stage and following is None:
                self._note_absent(stage, fact, keys)
        return False

    def _note_absent(self, stage: Layer, fact: t.Hashable, keys: Keys) -> None:
        """Keep in the view of a layer that some types are not below it."""
        layer, view = self, self._own_view()
        view[FACTS] = view[fact] = True
        kept = (self._scope or self)._kept or ()
        while layer is not stage:
            # All in between have to be told of what is added further down.
            layer._own_view()
            if layer._closers is ENDED or any(
                key in layer._items or key in kept for key in keys
            ):
                view.clear()
                return
            layer = t.cast("Layer", layer._below)

    def _lent(self, namespace: t.Hashable) -> t.Any:
        """
        Return what layers with a lifetime of their own see, or ``MISSING``.

        That is all that was added, but nothing that this layer keeps.
        """
        layer: Layer = self
        while True:
            owner = layer._scope or layer
            # Another thread may end that layer meanwhile.
            kept = owner._kept
            if not kept or namespace not in kept:
                return layer._peek(namespace)
            # Hidden: only what was added counts, and what lies below.
            while layer is not owner:
                if namespace in layer._items:
                    return layer._items[namespace]
                layer = t.cast("Layer", layer._below)
            if namespace in owner._items or owner._below is None:
                return owner._items.get(namespace, MISSING)
            layer = owner._below

    def _peek_named(self, namespace: t.Hashable, name: t.Hashable) -> t.Any:
        """Return a named component, or ``MISSING``."""
        layer: Layer | None = self
        while layer is not None:
            if layer._closers is ENDED:
                layer._refuse(namespace)
            if layer._names:
                item = layer._names.get(namespace, {}).get(name, MISSING)
                if item is not MISSING:
                    return item
            layer = layer._below
        return MISSING

    def _refuse(self, namespace: t.Hashable) -> t.NoReturn:
        """
        Refuse a question, or a component, as this layer has ended.

        Raises:
            LayerEndedError: Always.
        """
        self._view = BLANK
        raise LayerEndedError(namespace, self._describe())

    def _describe(self) -> str:
        """Name what this layer holds, as its ``repr`` does."""
        items = {**(self._kept or {}), **self._items}
        return describe_layer(items, self._names or {})

    # --- what is kept -----------------------------------------------------

    def _keep(
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
            if self._kept is not kept:
                self._refuse(keys[0])
            for key in keys:
                if self._items.get(key, MISSING) is kept.get(key, MISSING):
                    self._own_items()[key] = item
                kept[key] = item
            self._changed()

    def _changed(self) -> None:
        """Have what is kept now seen by all."""
        with LOCK:
            self._view.clear()
            if self._dependents:
                self._empty_dependents()

    def _forget(self) -> None:
        """End: hand nothing out any more, from now on."""
        # In this order: whoever fills a view looks for ENDED afterwards.
        self._closers, self._kept = ENDED, None
        self._view = BLANK
        if self._dependents:
            self._empty_dependents()

    def _forget_since(self, mark: object) -> None:
        """
        Forget what was kept since a mark was set, and the mark.

        What has been closed is not handed out, and neither is what may hold
        it: that was built later.
        """
        with LOCK:
            kept = self._kept or {}
            while kept:
                key, item = kept.popitem()
                if key is mark:
                    break
                if self._items.get(key, MISSING) is item:
                    del self._items[key]
            self._changed()
