"""
The parts of a plan: where values come from.

They are plain classes: as frozen data classes, which are compiled when they
are imported, they were an eighth of the time to import the package.
"""

from __future__ import annotations

import typing as t

from buvar.components import Components
from buvar.components import spi
from buvar.di._annotations.generics import Bindings
from buvar.di._annotations.signature import Param
from buvar.di._registry.adapter import Adapter
from buvar.di._registry.candidate import Candidate
from buvar.di._registry.provider_kind import Kind


#: From the shortest lifetime to the longest.
LEVELS: t.Final = ("call", "layer", "stage")
CALL, LAYER, STAGE = range(3)


#: The layers that are asked, by level.
Layers: t.TypeAlias = tuple[Components, Components, Components]


class Guard(t.NamedTuple):
    """A question to the context that the plan rests on."""

    level: int
    key: t.Any
    name: t.Hashable


def look_up(guard: Guard, layers: Layers) -> t.Any:
    """Return the component that a guard asks for, or ``MISSING``."""
    level, key, name = guard
    if name is None:
        return spi.peek(layers[level], key)
    return spi.peek_named(layers[level], key, name)


class Given:
    """
    A keyword of the call.

    Attributes:
        type: What it is taken for.
        name: Its name.
        life: How long it lives, see ``LEVELS``.
    """

    __slots__ = ("name", "type")

    life: t.ClassVar[int] = STAGE

    def __init__(self, tp: t.Any, name: str) -> None:
        self.type = tp
        self.name = name


class Item:
    """
    A component of the context.

    Attributes:
        guard: The question that it answers.
    """

    __slots__ = ("guard",)

    def __init__(self, guard: Guard) -> None:
        self.guard = guard

    @property
    def type(self) -> t.Any:
        """The type that it is looked up by."""
        return self.guard.key

    @property
    def life(self) -> int:
        """How long it lives: as long as the layer that is asked."""
        return self.guard.level


class Const:
    """
    A default, or an override.

    Attributes:
        value: The object.
        default: It is the default of the parameter.
        life: How long it lives, see ``LEVELS``.
    """

    __slots__ = ("default", "value")

    life: t.ClassVar[int] = STAGE

    def __init__(self, value: t.Any, *, default: bool = False) -> None:
        self.value = value
        self.default = default


class Build:
    """
    A call of an adapter.

    Attributes:
        type: What it is asked for as.
        candidate: The adapter, and what its type variables stand for.
        adapter: The first of these.
        bindings: The second.
        args: Its parameters, and where their values come from.
        needs: What has to be built before it, if it is built.
        level: Where its dependencies are looked up and its end is noted.
        life: How long it lives, see ``LEVELS``.
    """

    __slots__ = (
        "adapter",
        "args",
        "bindings",
        "candidate",
        "level",
        "life",
        "needs",
        "type",
    )

    def __init__(
        self,
        tp: t.Any,
        candidate: Candidate,
        args: tuple[tuple[Param, Node], ...],
        needs: tuple[Node, ...],
        *,
        level: int,
        life: int,
    ) -> None:
        self.type = tp
        self.candidate = candidate
        self.adapter: Adapter = candidate.adapter
        self.bindings: Bindings = candidate.bindings
        self.args = args
        self.needs = needs
        self.level = level
        self.life = life

    @property
    def kept(self) -> bool:
        """Whether it is stored in a layer."""
        return self.adapter.scope != "call"


class Collect:
    """
    All there is of a type.

    Attributes:
        type: The collection that is asked for.
        kind: ``list``, ``tuple`` or ``dict``.
        items: What is built, by name, in this order.
        found: The question for the components that come after it.
    """

    __slots__ = ("found", "items", "kind", "type")

    def __init__(
        self,
        tp: t.Any,
        kind: type,
        items: t.Mapping[str, Node],
        found: Guard | None,
    ) -> None:
        self.type = tp
        self.kind = kind
        self.items = items
        self.found = found

    @property
    def life(self) -> int:
        """How long it lives: no longer than anything in it."""
        life = STAGE if self.found is None else self.found.level
        return min([life, *(node.life for node in self.items.values())])


#: Where one value comes from.
Node: t.TypeAlias = Given | Item | Const | Build | Collect


def build_of(
    tp: t.Any,
    candidate: Candidate,
    args: t.Sequence[tuple[Param, Node]],
    level: int,
) -> Build:
    """
    Make the node for a call of an adapter.

    Args:
        tp: What it is asked for as.
        candidate: The adapter.
        args: Its parameters, and where their values come from.
        level: The layer that it is built in, or for.
    """
    adapter = candidate.adapter
    life = min((node.life for _, node in args), default=STAGE)
    if adapter.scope != "call":
        life = level
    elif adapter.kind in (Kind.YIELD, Kind.ASYNC_YIELD):
        life = min(life, max(level, LAYER))
    needs = tuple(part for _, arg in args for part in parts(arg))
    return Build(tp, candidate, tuple(args), needs, level=level, life=life)


def parts(node: Node) -> tuple[Node, ...]:
    """Return what a node is made of: itself, or what a collection holds."""
    return tuple(node.items.values()) if type(node) is Collect else (node,)
