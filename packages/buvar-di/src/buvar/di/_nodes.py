"""The parts of a plan: where values come from, and why others do not."""

from __future__ import annotations

import typing as t

from buvar.components import Components
from buvar.components import spi

from ._adapter import Adapter
from ._candidate import Candidate
from ._provider_kind import Kind
from ._signature import Param
from ._types import Asked


#: From the shortest lifetime to the longest.
LEVELS: t.Final = ("call", "layer", "stage")
CALL, LAYER, STAGE = range(3)


class Guard(t.NamedTuple):
    """A question to the context that the plan rests on."""

    level: int
    key: t.Any
    name: t.Hashable


def look_up(guard: Guard, layers: t.Sequence[Components]) -> t.Any:
    """Return the component that a guard asks for, or ``MISSING``."""
    level, key, name = guard
    if name is None:
        return spi.peek(layers[level], key)
    return spi.peek_named(layers[level], key, name)


class Node:
    """Where one value comes from."""

    __slots__ = ("life", "type")

    def __init__(self, tp: t.Any, life: int) -> None:
        self.type = tp
        self.life = life


class Given(Node):
    """A keyword of the call."""

    __slots__ = ("name",)

    def __init__(self, tp: t.Any, name: str) -> None:
        super().__init__(tp, STAGE)
        self.name = name


class Item(Node):
    """A component of the context."""

    __slots__ = ("guard",)

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard.key, guard.level)
        self.guard = guard


class Const(Node):
    """A default, or an override."""

    __slots__ = ("default", "value")

    def __init__(self, tp: t.Any, value: t.Any, *, default: bool) -> None:
        super().__init__(tp, STAGE)
        self.value = value
        self.default = default


class Build(Node):
    """A call of an adapter."""

    __slots__ = (
        "adapter",
        "args",
        "bindings",
        "building",
        "candidate",
        "level",
        "needs",
        "parent",
        "ticket",
    )

    def __init__(
        self,
        tp: t.Any,
        candidate: Candidate,
        args: list[tuple[Param, Node]],
        level: int,
    ) -> None:
        self.candidate = candidate
        self.adapter, self.bindings = candidate
        self.args = args
        #: What is built before it.
        self.needs = tuple(part for _, arg in args for part in parts(arg))
        #: Where its dependencies are looked up and its end is noted.
        self.level = level
        life = min((node.life for _, node in args), default=STAGE)
        if self.adapter.scope != "call":
            life = level
        elif self.adapter.kind in (Kind.YIELD, Kind.ASYNC_YIELD):
            life = min(life, max(level, LAYER))
        super().__init__(tp, life)
        self.parent: Build | None = None
        #: What tells it apart while it is being built.
        self.ticket, self.building = self.adapter.tickets(self.bindings)
        for node in self.needs:
            if isinstance(node, Build) and node.parent is None:
                node.parent = self

    @property
    def kept(self) -> bool:
        """Whether it is stored in a layer."""
        return self.adapter.scope != "call"


class Collect(Node):
    """All there is of a type."""

    __slots__ = ("found", "items", "kind")

    def __init__(
        self,
        tp: t.Any,
        kind: type,
        items: dict[str, Node],
        found: Guard | None,
    ) -> None:
        life = STAGE if found is None else found.level
        super().__init__(tp, min([life, *(n.life for n in items.values())]))
        #: ``list``, ``tuple`` or ``dict``.
        self.kind = kind
        #: What is built, by name, in this order.
        self.items = items
        #: The question for the components that come after it.
        self.found = found


def parts(node: Node) -> tuple[Node, ...]:
    """Return what a node is made of: itself, or what a collection holds."""
    return tuple(node.items.values()) if type(node) is Collect else (node,)


class Attempt(t.NamedTuple):
    """An adapter that could not be used."""

    adapter: Adapter
    reason: str
    param: Param | None = None
    failure: Failure | None = None
    #: Its annotations cannot be evaluated.
    unread: bool = False
    #: Its condition is false, or cannot be decided before something is there.
    left_out: bool = False
    #: The condition that has the parameter, if it is not the adapter's.
    condition: str = ""


class Failure(t.NamedTuple):
    """Why a type could not be resolved."""

    asked: Asked
    attempts: tuple[Attempt, ...] = ()
    note: str = ""
    #: ``cycle``, ``scope`` or nothing.
    kind: str = ""
    #: The adapters in progress that it ran into.
    heads: frozenset[Adapter] = frozenset()
