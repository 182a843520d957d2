"""How a layer keeps what is built for its length."""

from __future__ import annotations

import types
import typing as t

from buvar.di._registry.decorators import Decorated
from buvar.di._registry.provider_kind import Kind
from buvar.di._registry.registry import Adapters

from .nodes import Build


class Storage(t.NamedTuple):
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


def storages(
    order: t.Iterable[Build], adapters: Adapters, decorated: Decorated
) -> t.Mapping[Build, Storage]:
    """
    Decide how what outlives the call is kept.

    Args:
        order: All that is built.
        adapters: The registry.
        decorated: Tells what is wrapped.
    """
    return types.MappingProxyType(
        {
            build: _storage(build, adapters, decorated)
            for build in order
            if build.kept
        }
    )


def keys_of(build: Build, decorated: Decorated) -> tuple[t.Any, ...]:
    """List the types under which an object is found again."""
    return decorated.keys(build.candidate, build.type)


def _storage(
    build: Build, adapters: Adapters, decorated: Decorated
) -> Storage:
    adapter, keys = build.adapter, keys_of(build, decorated)
    ticket, building = adapter.tickets(build.bindings)
    own_keys = decorated.keys(build.candidate)
    is_layered = decorated.any_there and (
        adapter.base is not None or decorated.any(build.candidate)
    )
    place = ticket
    if not is_layered:
        found = adapters.find(own_keys[0])
        keeping = [each for each in found if each.adapter.scope != "call"]
        if len(keeping) == 1:
            place = own_keys[0]
    return Storage(
        keys,
        place,
        by_type=place is not ticket,
        by_own_type=build.type in own_keys,
        # What is layered is found by what it stands for, and by nothing else.
        more_types=(
            not is_layered
            and isinstance(keys[0], type)
            and adapter.kind is not Kind.CLASS
        ),
        building=building,
    )
