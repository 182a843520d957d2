"""What an adapter's type variables stand for when a type is asked for."""

from __future__ import annotations

import typing as t

from ._adapter import Adapter
from ._types import Bindings
from ._types import is_open
from ._types import is_subclass
from ._types import provided
from ._types import unify


class Candidate(t.NamedTuple):
    """An adapter, and what its type variables stand for."""

    adapter: Adapter
    bindings: Bindings


def unbound(adapter: Adapter) -> Bindings:
    """A generic classmethod asked for by a base of its class builds that."""
    return {} if adapter.owner is None else {adapter.variable: adapter.owner}


def bind(adapter: Adapter, key: t.Any) -> Bindings | None:
    """Make a generic adapter one for a certain type, if that can be."""
    if adapter.owner is not None:
        if isinstance(key, type) and is_subclass(key, adapter.owner):
            return {adapter.variable: key}
        return None
    for pattern in adapter.keys:
        for one in (pattern, *provided(pattern)):
            bindings: Bindings = {}
            if is_open(one) and unify(one, key, bindings):
                return bindings
    return None
