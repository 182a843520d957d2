"""
Layers of components, and the look-up through them.

Each layer keeps its own items and a *view*: a flat dict of all that was found
through it, misses included, so that a second question costs one look-up
however deep the stack is. Adding to a layer empties the views of those that
looked through it.

Reading a view takes no lock. Filling and emptying one does, and an item is
stored before it is asked who depends on it: no thread can keep a stale view.
"""

from __future__ import annotations

import typing as t
import weakref

from . import _known
from ._errors import ComponentLookupError
from ._errors import LastLayerError
from ._lock import LOCK
from ._near import labels
from ._near import near_misses


T = t.TypeVar("T")
D = t.TypeVar("D")

#: A layer to start from: items by name, by namespace.
Namespaces: t.TypeAlias = t.Mapping[t.Hashable, t.Mapping[t.Hashable, t.Any]]

#: Ends a layer: called with the exception that ended it, or ``None``.
Closer: t.TypeAlias = t.Callable[
    [BaseException | None], t.Awaitable[None] | None
]


class _Missing:
    """The type of ``MISSING``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


#: Stands for "no such component" in views and for "no default" in calls.
MISSING: t.Final[t.Any] = _Missing()

#: Dead references are swept out of a list of dependents this long.
_SWEEP = 32


class Components:
    """
    A stack of layers that hold components by type and name.

    Args:
        layers: The layers, top first: mappings ``{namespace: {name: item}}``
            are copied, layers of another ``stack`` are shared.

    Example:
        >>> base = Components()
        >>> base.add("lowest")
        'lowest'
        >>> upper = base.push()
        >>> upper.get(str)
        'lowest'
    """

    __slots__ = (
        "__weakref__",
        "below",
        "closers",
        "dependents",
        "items",
        "linked",
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
    #: All that was found through this layer since it was last emptied.
    view: dict[t.Hashable, t.Any]
    #: The layers whose views were filled through this one, if any.
    dependents: list[weakref.ref[Components]] | None
    #: Whether this layer is among the dependents of the one below.
    linked: bool
    #: The nearest layer with a lifetime of its own: what is built for the
    #: length of a layer is kept and closed there, ``None`` if it is this one.
    scope: Components | None
    #: The layer that lives as long as the stage, ``None`` if it is this one.
    stage: Components | None
    #: What ends with this layer, latest last; ``None`` before the first.
    closers: list[Closer] | None

    def __init__(self, *layers: Components | Namespaces) -> None:
        top, *stack = layers or ({},)
        self._put_on(Components(*stack) if stack else None)
        if isinstance(top, Components):
            self._share(top)
        else:
            self._fill(top)

    def _put_on(self, below: Components | None) -> None:
        """Start as an empty layer over another one."""
        self.items = {}
        self.view = {}
        self.names = self.dependents = None
        self.below = below
        self.linked = False
        self.closers = None
        if below is None:
            self.scope = self.stage = None
        else:
            self.scope = below.scope or below
            self.stage = below.stage or below

    def _share(self, layer: Components) -> None:
        """Use the items of another layer as one's own, from both sides."""
        with LOCK:
            self.items, self.names = layer.items, layer.own_names()
            self.dependents = layer.own_dependents()
            self.dependents += (weakref.ref(self), weakref.ref(layer))

    def _fill(self, namespaces: Namespaces) -> None:
        for namespace, named in namespaces.items():
            for name, item in named.items():
                self._store(item, (namespace,), name)

    # --- adding -----------------------------------------------------------

    def add(
        self,
        item: T,
        namespace: t.Hashable | None = None,
        *,
        name: t.Hashable = None,
    ) -> T:
        """
        Store a component in the top layer and return it.

        Args:
            item: The component, no class.
            namespace: A discriminator to store it under; without one it is
                stored under each class of its type's MRO.
            name: Tells several components of one type apart.

        Raises:
            ValueError: The item is a class.
            TypeError: The namespace cannot be hashed.
        """
        if isinstance(item, type):
            msg = (
                f"A component is an object, not a class: {item!r}. "
                "Add an instance of it."
            )
            raise ValueError(msg)  # noqa: TRY004 - the contract names it
        if namespace is None:
            self._store(item, type(item).__mro__, name)
            return item
        try:
            hash(namespace)
        except TypeError as error:
            msg = f"A namespace has to be hashable, {namespace!r} is not."
            raise TypeError(msg) from error
        self._store(item, (namespace,), name)
        return item

    def _store(
        self, item: t.Any, keys: t.Iterable[t.Hashable], name: t.Hashable
    ) -> None:
        if name is None:
            items, view = self.items, self.view
            for key in keys:
                if key not in _known.unnamed:
                    _known.note(key, named=False)
                items[key] = item
                view[key] = item
            if self.dependents:
                _empty(self.dependents)
        else:
            names = self.own_names()
            for key in keys:
                _known.note(key, named=True)
                names.setdefault(key, {})[name] = item

    def own_names(self) -> dict[t.Hashable, dict[t.Hashable, t.Any]]:
        """Return the named items, to be added to."""
        with LOCK:
            if self.names is None:
                self.names = {}
            return self.names

    def own_dependents(self) -> list[weakref.ref[Components]]:
        """Return the list of dependents, to be added to with the lock held."""
        if self.dependents is None:
            self.dependents = []
        return self.dependents

    # --- looking up -------------------------------------------------------

    @t.overload
    def get(self, namespace: type[T], *, name: t.Hashable = None) -> T: ...
    @t.overload
    def get(
        self, namespace: type[T], *, name: t.Hashable = None, default: D
    ) -> T | D: ...
    @t.overload
    def get(
        self,
        namespace: t.Hashable,
        *,
        name: t.Hashable = None,
        default: t.Any = MISSING,
    ) -> t.Any: ...
    def get(
        self,
        namespace: t.Hashable,
        name: t.Hashable = None,
        default: t.Any = MISSING,
    ) -> t.Any:
        """
        Return the component of the uppermost layer that has it.

        Args:
            namespace: The type, or the discriminator it was added under.
            name: The name it was added with.
            default: Returned if there is none.

        Raises:
            ComponentLookupError: There is none, and no default.
        """
        item = (
            self.peek(namespace)
            if name is None
            else self.peek_named(namespace, name)
        )
        if item is not MISSING:
            return item
        if default is not MISSING:
            return default
        raise ComponentLookupError(
            namespace, name, near_misses(self, namespace, name)
        )

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
            if below is not None and not self.linked:
                _link(self, below)
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
        layer: Components | None = self
        while layer is not None:
            if layer.names:
                item = layer.names.get(namespace, {}).get(name, MISSING)
                if item is not MISSING:
                    return item
            layer = layer.below
        return MISSING

    def find(self, namespace: t.Hashable) -> dict[t.Hashable, t.Any]:
        """Return all components of a namespace by name, ``None`` included."""
        found: dict[t.Hashable, t.Any] = {}
        for layer in reversed(self.stack):
            if layer.names:
                found.update(layer.names.get(namespace, ()))
            if namespace in layer.items:
                found[None] = layer.items[namespace]
        return found

    # --- layers -----------------------------------------------------------

    def push(
        self,
        namespaces: Components | Namespaces | None = None,
        *stack: Components | Namespaces,
    ) -> Components:
        """
        Return the stack with one more layer on top.

        Args:
            namespaces: What the new layer starts with.
            stack: The layers below it, top first; by default this stack.
        """
        components = Components.__new__(Components)
        components._put_on(Components(*stack) if stack else self)  # noqa: SLF001
        if isinstance(namespaces, Components):
            components._share(namespaces)  # noqa: SLF001
        elif namespaces is not None:
            components._fill(namespaces)  # noqa: SLF001
        return components

    def pop(self) -> Components:
        """
        Return the stack without its top layer.

        Raises:
            LastLayerError: There is only one layer.
        """
        if self.below is None:
            raise LastLayerError
        return self.below

    @property
    def stack(self) -> tuple[Components, ...]:
        """The layers, top first."""
        layers: list[Components] = []
        layer: Components | None = self
        while layer is not None:
            layers.append(layer)
            layer = layer.below
        return tuple(layers)

    def __repr__(self) -> str:
        """Show what each layer holds, top first."""
        layers = ", ".join(
            "{" + ", ".join(labels(layer)) + "}" for layer in self.stack
        )
        return f"Components({layers})"


def _link(layer: Components, below: Components) -> None:
    """Note, with the lock held, whose view the lower layer can spoil."""
    dependents = below.own_dependents()
    if len(dependents) >= _SWEEP and not len(dependents) & (
        len(dependents) - 1
    ):
        dependents[:] = [ref for ref in dependents if ref() is not None]
    dependents.append(weakref.ref(layer))
    layer.linked = True


def _empty(dependents: list[weakref.ref[Components]]) -> None:
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
