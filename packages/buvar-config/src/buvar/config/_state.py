"""
What a source knows beside its data: what it is made of, who reads it.

It is not for users, so it is one attribute of a ``ConfigSource``, and only
the functions below look for it there.
"""

from __future__ import annotations

import typing as t
import weakref

from collections.abc import Mapping

import attrs

from buvar import di

from ._merge import Overlay
from ._merge import Path
from ._merge import check_depth
from ._merge import is_dict
from ._merge import merge
from ._model.sensitive import MASK
from ._sources.asking import pending
from ._sources.asking import read
from ._sources.asking import stamp
from ._sources.environment import Environment
from ._sources.environment import environment
from ._sources.files import AnyPath
from ._sources.layer import Layer
from ._sources.layer import layer_of
from ._sources.layer import origin_of
from ._sources.lookup import Lookup
from ._sources.mappings import Mapped
from ._sources.named_by import IN_CODE
from ._sources.named_by import NamedBy
from ._sources.names import Names
from ._sources.overrides import Override
from ._sources.provider import Provider
from ._sources.secrets_dir import SecretsDir


#: A ``ConfigSource``: its data, which anyone may read and change.
Source: t.TypeAlias = dict[str, t.Any]


@attrs.define(eq=False)
class State:
    """
    The private part of a ``ConfigSource``.

    Attributes:
        prefix: What the names of variables begin with.
        loaded: What was loaded so far; it ends with its classes.
        trees: The providers that were passed, lowest first.
        secrets: The folder of secrets.
        environment: The environment, if it is read.
        overrides: What wins over everything.
        layers: The trees that were merged.
        lookups: What is asked for texts when a class is loaded.
        pending: The providers that were never asked.
        stamped: What differs when there may be something new to read.
        reserved: The tables that something else reads.
        named_by: The options of a command that it is made of.
    """

    prefix: str | None
    loaded: dict[int, weakref.ref[Names]]
    trees: tuple[Provider, ...] = ()
    secrets: SecretsDir | None = None
    environment: Environment | None = None
    overrides: tuple[Override, ...] = ()
    layers: tuple[Layer, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    pending: tuple[Provider, ...] = ()
    stamped: object = None
    reserved: frozenset[Path] = frozenset()
    named_by: NamedBy = IN_CODE

    @classmethod
    def of(
        cls,
        prefix: str | None,
        trees: tuple[Provider, ...],
        secrets: AnyPath | None,
        named_by: NamedBy,
    ) -> t.Self:
        """Return what a source knows before anything is read."""
        cure = named_by.unreadable_secrets
        return cls(
            prefix,
            {},
            trees,
            None if secrets is None else SecretsDir(secrets, prefix, cure),
            None if prefix is None else environment(prefix),
            named_by=named_by,
        )

    @property
    def may_change(self) -> bool:
        """Whether there are trees that may be read anew: files, providers."""
        return not all(isinstance(tree, Mapped) for tree in self.trees)

    @property
    def providers(self) -> tuple[Provider, ...]:
        """All that the source is made of; later ones win."""
        found = self.trees
        if self.secrets is not None:
            found = (*found, self.secrets)
        if self.environment is not None:
            found = (*found, self.environment)
        return (*found, *self.overrides)

    def stamp(self) -> object:
        """Return something that differs when there may be news."""
        return stamp(self.providers)

    def where(self, path: t.Sequence[t.Any]) -> str | None:
        """Say where the value at a path was set, names aside."""
        for override in reversed(self.overrides):
            if override.sets(path):
                return override.name
        found = origin_of(self.layers, path)
        if found is None:
            # A table that there is only because something in it is set.
            length = len(path)
            for override in reversed(self.overrides):
                if override.path[:length] == tuple(path):
                    return override.name
        return found

    def is_secret(self, path: t.Sequence[t.Any]) -> bool:
        """Tell whether a value came from a provider that hides what it has."""
        if any(override.sets(path) for override in self.overrides):
            return False
        layer = layer_of(self.layers, path)
        return layer is not None and layer.secret

    def shown(self, data: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the data with what providers hide masked."""
        if not any(layer.secret for layer in self.layers):
            return data
        return self._shown(data, ())

    def _shown(self, table: dict[str, t.Any], path: Path) -> dict[str, t.Any]:
        found: dict[str, t.Any] = {}
        for key, value in table.items():
            here = (*path, key)
            if is_dict(value):
                found[key] = self._shown(value, here)
            else:
                found[key] = MASK if self.is_secret(here) else value
        return found


def state_of(source: t.Any) -> State:
    """Return what a source knows beside its data."""
    found: State = source._state  # noqa: SLF001 - our own
    return found


def fill(source: t.Any, state: State) -> None:
    """
    Read all providers, and merge the trees that they have.

    Raises:
        ConfigError: What is wrong with all that cannot be read.
    """
    source._state = state  # noqa: SLF001 - our own
    providers = state.providers
    state.stamped = stamp(providers)
    state.pending = pending(providers)
    state.layers, state.lookups = read(providers, state.prefix)
    for layer in state.layers:
        check_depth(layer.data, layer.name)
        merge(source, layer.data)
    for override in state.overrides:
        _put(source, override)


def like(source: t.Any, trees: t.Iterable[Provider]) -> t.Any:
    """
    Return a source with the same options that is made of other trees.

    Raises:
        ConfigError: What is wrong with all that cannot be read.
    """
    state = state_of(source)
    fresh = type(source)(env_prefix=state.prefix, unknown=source.unknown)
    known = State(
        state.prefix,
        {},
        tuple(trees),
        state.secrets,
        state.environment,
        state.overrides,
        reserved=state.reserved,
        named_by=state.named_by,
    )
    fill(fresh, known)
    return fresh


def again(source: t.Any) -> t.Any:
    """
    Return a source like another one, read anew.

    Raises:
        ConfigError: Something cannot be read or is no TOML.
    """
    return like(source, state_of(source).trees)


def become(source: Source, other: Source) -> None:
    """Have a source take over what another one read."""
    # Another thread that reads meanwhile finds no empty source.
    source.update(other)
    for key in source.keys() - other.keys():
        del source[key]
    state, fresh = state_of(source), state_of(other)
    state.trees, state.pending = fresh.trees, fresh.pending
    state.layers, state.lookups = fresh.layers, fresh.lookups
    state.stamped = fresh.stamped
    # What conditions of adapters have read may be another now.
    di.replan()


def overridden(
    source: t.Any, values: t.Iterable[Mapping[t.Any, t.Any] | str]
) -> t.Any:
    """
    Return a source like another one with more values above all others.

    Nothing is read again: what was changed in its data by hand is kept.

    Raises:
        ConfigError: A value is neither nested dicts nor an override.
    """
    state = state_of(source)
    fresh = type(source)(env_prefix=state.prefix, unknown=source.unknown)
    merge(fresh, source)
    fresh._state = attrs.evolve(  # noqa: SLF001 - our own
        state, loaded=dict(state.loaded)
    )
    for value in values:
        if isinstance(value, str):
            override(fresh, Override.parse(value))
            continue
        for each in Override.each(value):
            override(fresh, each)
    return fresh


def override(source: Source, value: Override) -> None:
    """Set a value above all others."""
    _put(source, value)
    state = state_of(source)
    state.overrides = (*state.overrides, value)
    state.lookups = (*state.lookups, value)
    di.replan()


def _put(source: Source, value: Override) -> None:
    overlay = Overlay(source)
    overlay.put(value.path, value.data)
    source.update(overlay.data)
