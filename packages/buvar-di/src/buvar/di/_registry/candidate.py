"""Bind the type variables of adapters to the type that is asked for."""

from __future__ import annotations

import typing as t

from buvar.di._annotations.generics import Bindings
from buvar.di._annotations.generics import defaults
from buvar.di._annotations.generics import is_open
from buvar.di._annotations.generics import parameters
from buvar.di._annotations.generics import substitute
from buvar.di._annotations.parse import is_subclass
from buvar.di._annotations.parse import provided
from buvar.di._annotations.spelling import normal
from buvar.di._annotations.unify import Refusal
from buvar.di._annotations.unify import unify

from .adapter import Adapter


class Candidate(t.NamedTuple):
    """An adapter, and what its type variables stand for."""

    adapter: Adapter
    bindings: Bindings

    @property
    def identity(self) -> tuple[Adapter, tuple[t.Any, ...]]:
        """The same for each candidate that builds the same."""
        return self.adapter, tuple(self.bindings.values())


def own_types(candidate: Candidate) -> list[t.Any]:
    """List the types an adapter says it builds, with its type variables."""
    adapter, bindings = candidate
    if adapter.owner is not None:
        return [bindings[adapter.variable]]
    return [normal(substitute(key, bindings)) for key in adapter.keys]


def said(candidate: Candidate) -> list[t.Any]:
    """List all types that what an adapter builds is of."""
    adapter, bindings = candidate
    if adapter.wraps is not None:
        # Whatever else it is, it stands for what it wraps.
        wrapped = adapter.wraps.asked.keys[0]
        return [*provided(normal(substitute(wrapped, bindings)))]
    keys = [
        tp
        for key in adapter.keys
        for tp in provided(normal(substitute(key, bindings)))
    ]
    if adapter.owner is not None:
        keys = [*provided(bindings[adapter.variable]), *keys]
    return keys


def unbound(adapter: Adapter) -> Bindings:
    """
    Say what type variables stand for where nothing asks for them.

    A generic classmethod that is asked for by a base of its class builds that
    class; otherwise a type variable stands for its default.
    """
    if adapter.owner is not None:
        return {adapter.variable: adapter.owner}
    if adapter.variable is not None:
        return {}
    return defaults(parameters(adapter.returns))


def bind(adapter: Adapter, key: t.Any) -> Bindings | None:
    """Bind the variables of a generic adapter to a type, if they fit."""
    if adapter.owner is not None:
        if isinstance(key, type) and is_subclass(key, adapter.owner):
            return {adapter.variable: key}
        return None
    for pattern in adapter.keys:
        for tp in (pattern, *provided(pattern)):
            bindings: Bindings = {}
            if is_open(tp) and unify(tp, key, bindings):
                found = {**unbound(adapter), **bindings}
                return found if adapter.can_build(key) else None
    return None


def refusals(adapter: Adapter, key: t.Any) -> list[Refusal]:
    """List what type variables do not stand for, so that it is not built."""
    for pattern in adapter.keys if adapter.owner is None else ():
        for tp in (pattern, *provided(pattern)):
            refused: list[Refusal] = []
            if is_open(tp) and unify(tp, key, {}, refused):
                return refused
    return []
