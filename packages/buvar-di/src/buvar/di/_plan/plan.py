"""A plan: where everything comes from, and what that rests on."""

from __future__ import annotations

import types
import typing as t
import weakref

from .nodes import Build
from .nodes import Guard
from .nodes import Node
from .premises import Premises
from .storage import Storage


class Plan(t.NamedTuple):
    """
    What was decided for the targets of a call.

    Attributes:
        targets: Where the value of each target comes from.
        order: All that is built, each after what it needs.
        storage: How that of it is kept that outlives the call.
        guards: Each question to the context, and whether there was an
            answer.
        collected: The same for all components of some types: whether the
            plan rests on there being some, or none, ``None`` if it does not
            matter.
        rests_on: What gives the components that conditions have read, as
            long as they live.
        absent: Types that nothing was ever added under.
        unnamed: Types that nothing was ever added under with a name.
        once: The next call may look the same and mean another thing.
    """

    targets: tuple[Node, ...]
    order: tuple[Build, ...]
    storage: t.Mapping[Build, Storage]
    guards: t.Mapping[Guard, bool]
    collected: t.Mapping[Guard, bool | None]
    rests_on: t.Mapping[Guard, t.Callable[[], t.Any]]
    absent: frozenset[t.Any]
    unnamed: frozenset[t.Any]
    once: bool


def decide(
    targets: tuple[Node, ...],
    order: tuple[Build, ...],
    storage: t.Mapping[Build, Storage],
    premises: Premises,
) -> Plan:
    """
    Make a plan of what was found out.

    Args:
        targets: Where the value of each target comes from.
        order: All that is built.
        storage: How that of it is kept that outlives the call.
        premises: What the plan rests on.
    """
    read = {
        guard: _reference(component)
        for guard, component in premises.rests_on.items()
    }
    return Plan(
        targets,
        order,
        storage,
        types.MappingProxyType(premises.guards),
        types.MappingProxyType(premises.collected),
        types.MappingProxyType(read),
        frozenset(premises.absent),
        frozenset(premises.unnamed),
        premises.by_value,
    )


def _reference(item: t.Any) -> t.Callable[[], t.Any]:
    """Return what gives an object as long as it lives."""
    try:
        return weakref.ref(item)
    except TypeError:
        return lambda: item
