"""Stacks of components: what users add to and ask."""

from __future__ import annotations

import typing as t

from collections.abc import Mapping

from ._errors import ComponentLookupError
from ._errors import LastLayerError
from ._layer import Layer
from ._lock import LOCK
from ._suggest import near_misses
from ._types import ENDED
from ._types import MISSING
from ._types import Namespaces


if t.TYPE_CHECKING:
    # Type checkers know it by themselves: nothing has to be installed.
    from typing_extensions import TypeForm


T = t.TypeVar("T")
D = t.TypeVar("D")


class Components(Layer):
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

    __slots__ = ()

    def __init__(self, *layers: Components | Namespaces) -> None:
        top, *stack = layers or ({},)
        self._put_on(Components(*stack) if stack else None)
        self._start(top)

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

    # --- looking up -------------------------------------------------------

    @t.overload
    def get(self, namespace: type[T], *, name: t.Hashable = None) -> T: ...
    @t.overload
    def get(
        self, namespace: type[T], *, name: t.Hashable = None, default: D
    ) -> T | D: ...
    @t.overload
    def get(self, namespace: TypeForm[T], *, name: t.Hashable = None) -> T: ...
    @t.overload
    def get(
        self, namespace: TypeForm[T], *, name: t.Hashable = None, default: D
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
        namespace: t.Any,
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
            self._peek(namespace)
            if name is None
            else self._peek_named(namespace, name)
        )
        if item is not MISSING:
            return item
        if default is not MISSING:
            return default
        near = self._near_misses(namespace, name)
        raise ComponentLookupError(namespace, name, near)

    def _near_misses(
        self, namespace: t.Hashable, name: t.Hashable
    ) -> list[str]:
        """List what is there instead of the component asked for."""
        with LOCK:
            keys = [
                key
                for layer in self.stack
                for key in (*layer._items, *(layer._names or ()))
            ]
            return near_misses(self.find(namespace), keys, namespace, name)

    @t.overload
    def find(self, namespace: type[T]) -> dict[t.Hashable, T]: ...
    @t.overload
    def find(self, namespace: TypeForm[T]) -> dict[t.Hashable, T]: ...
    @t.overload
    def find(self, namespace: t.Hashable) -> dict[t.Hashable, t.Any]: ...
    def find(self, namespace: t.Any) -> dict[t.Hashable, t.Any]:
        """Return all components of a namespace by name, ``None`` included."""
        found: dict[t.Hashable, t.Any] = {}
        owner = self._scope or self
        with LOCK:
            for layer in reversed(self.stack):
                if layer._closers is ENDED:
                    layer._refuse(namespace)
                if layer._names:
                    found.update(layer._names.get(namespace, ()))
                if layer is owner and layer._kept and namespace in layer._kept:
                    found[None] = layer._kept[namespace]
                if namespace in layer._items:
                    found[None] = layer._items[namespace]
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
            stack: More layers between it and this stack, top first.

        Raises:
            TypeError: A layer is neither a stack nor a dict.
        """
        below = self
        for layer in reversed(stack):
            below = below.push(layer)
        components = Components.__new__(Components)
        components._put_on(below)
        components._start(namespaces)
        return components

    def _start(self, namespaces: Components | Namespaces | None) -> None:
        """Start with what is given: copied, or shared with a stack."""
        if namespaces is None:
            return
        if isinstance(namespaces, Components):
            self._share(namespaces)
        elif isinstance(t.cast("object", namespaces), Mapping):
            self._fill(namespaces)
        else:
            msg = (
                "A layer starts with Components or a dict, not with "
                f"{namespaces!r}.\nAdd a component to it: context.add(item)."
            )
            raise TypeError(msg)

    def pop(self) -> Components:
        """
        Return the stack without its top layer.

        Raises:
            LastLayerError: There is only one layer.
        """
        if self._below is None:
            raise LastLayerError
        return t.cast("Components", self._below)

    @property
    def stack(self) -> tuple[Components, ...]:
        """The layers, top first."""
        layers: list[t.Any] = []
        layer: Layer | None = self
        while layer is not None:
            layers.append(layer)
            layer = layer._below
        return tuple(layers)

    def __repr__(self) -> str:
        """Show what each layer holds, top first."""
        with LOCK:
            layers = ", ".join(layer._describe() for layer in self.stack)
        return f"Components({layers})"
