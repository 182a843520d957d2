"""A plan: where everything comes from, and what that rests on."""

from __future__ import annotations

import dataclasses
import typing as t

from ._nodes import Build
from ._nodes import Guard
from ._nodes import Node


@dataclasses.dataclass(frozen=True, slots=True)
class Storage:
    """
    How a layer keeps an object.

    Attributes:
        keys: The types under which it is found again.
        place: What it is looked for by. That is its type. Only where several
            adapters keep objects of that type, as they may wrap each
            other's, each has a key of its own.
        by_type: It is looked for by its type.
        by_own_type: It is asked for by a type that its adapter says. If not,
            an earlier one may be there although its type is absent: that
            was not known to be one, as with an ABC its class was registered
            with.
        more_types: It may be of more types than its adapter says.
        building: The key of the call that builds it.
    """

    keys: tuple[t.Any, ...]
    place: t.Hashable
    by_type: bool
    by_own_type: bool
    more_types: bool
    building: t.Hashable


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
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
