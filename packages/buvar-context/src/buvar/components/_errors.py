"""Errors of components and layers."""

from __future__ import annotations

import typing as t


class ComponentsError(Exception):
    """Base of all errors of this module."""


class ComponentLookupError(ComponentsError, LookupError):
    """
    No component is stored under the namespace and name asked for.

    Attributes:
        namespace: The type or discriminator asked for.
        name: The name asked for, ``None`` for the unnamed component.
        near: What is there instead, a sentence fragment each.
    """

    def __init__(
        self,
        namespace: t.Hashable,
        name: t.Hashable = None,
        near: t.Sequence[str] = (),
    ) -> None:
        super().__init__(namespace, name)
        self.namespace = namespace
        self.name = name
        self.near = tuple(near)

    def __str__(self) -> str:
        """Say what is missing, what is near it, and the cure."""
        named = "" if self.name is None else f" named {self.name!r}"
        lines = [f"There is no component {describe(self.namespace)}{named}."]
        lines += [f"  - {near}" for near in self.near]
        extra = "" if self.name is None else f", name={self.name!r}"
        lines.append(
            f"Add one before it is asked for, e.g. context.add(item{extra})."
        )
        return "\n".join(lines)


class LayerEndedError(ComponentsError, RuntimeError):
    """
    A layer that has ended was asked, or was given something.

    Attributes:
        namespace: The type or discriminator that was asked for or added,
            ``None`` if something was to end with the layer.
        layer: What the layer held, as text.
    """

    def __init__(
        self, namespace: t.Hashable = None, layer: str | None = None
    ) -> None:
        super().__init__(namespace, layer)
        self.namespace = namespace
        self.layer = layer

    def __str__(self) -> str:
        """Say what was asked of which layer, and the cure."""
        # An empty layer has nothing to be known by.
        layer = f" {self.layer}" if self.layer not in (None, "{}") else ""
        what = "nothing can be added to it, or opened over it, any more"
        if self.namespace is not None:
            what = f"it has no {describe(self.namespace)} any more"
        return (
            f"The layer{layer} has ended: {what}. "
            "The code that asks outlives the block or request it was started "
            "in.\n"
            "End it within the block, pass it what it needs, or run it as a "
            "job: context.get(plugin.Jobs).add(...)."
        )


class AsyncCloserError(ComponentsError, RuntimeError):
    """
    A layer ended in a plain ``with`` although it has to await something.

    Attributes:
        closer: What returned an awaitable.
    """

    def __init__(self, closer: object) -> None:
        super().__init__(closer)
        self.closer = closer

    def __str__(self) -> str:
        """Say what has to be awaited and the cure."""
        name = getattr(self.closer, "__qualname__", None) or repr(self.closer)
        return (
            f"{name} has to be awaited when the layer ends. "
            "Use 'async with context.child()' instead of 'with'."
        )


class LastLayerError(ComponentsError, ValueError):
    """The last layer of a stack cannot be taken away."""

    def __str__(self) -> str:
        """Say what was tried and the cure."""
        return (
            "The last layer of a stack of components cannot be popped; "
            "pop only what was pushed."
        )


def describe(namespace: t.Hashable) -> str:
    """Render a namespace the way a user would write it."""
    if isinstance(namespace, type) and not t.get_origin(namespace):
        module = namespace.__module__
        name = namespace.__qualname__
        return name if module == "builtins" else f"{module}.{name}"
    return repr(namespace)
