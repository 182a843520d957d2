"""What can go wrong with components."""

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
