"""Merged dicts, and what they were merged of."""

from __future__ import annotations

import typing as t
import weakref

from buvar import di

from ._env import Names
from ._merge import Path
from ._merge import is_dict
from ._origin import Layer
from ._origin import layer_of
from ._origin import origin_of
from ._overlay import Override
from ._parts import Fetched
from ._parts import Part
from ._provider import Provider
from ._sensitive import MASK


class Merged(dict[str, t.Any]):
    """
    What a source has read, as data: what ``ConfigSource`` loads from.

    Attributes:
        env_prefix: What the names of variables begin with.
        overrides: What wins over everything.
        parts: What it was made of, lowest first.
        fetched: What asynchronous providers returned.
        pending: The providers that were never asked.
        layers: What was read of the parts.
        loaded: What was loaded so far; it ends with its classes.
        reserved: The tables that something else reads.
        secret_files: The files of the secrets folder, by name.
        stamped: What differs when a file has changed since it was read.
    """

    env_prefix: str | None
    overrides: tuple[Override, ...]
    parts: tuple[Part, ...]
    fetched: Fetched
    pending: list[Provider]
    layers: list[Layer]
    loaded: dict[int, weakref.ref[Names]]
    reserved: set[Path]
    secret_files: t.Any
    stamped: object

    def become(self, other: Merged) -> None:
        """Take over what another source read."""
        # Another thread that reads meanwhile finds no empty source.
        self.update(other)
        for key in self.keys() - other.keys():
            del self[key]
        self.parts = other.parts
        self.fetched, self.pending = other.fetched, other.pending
        self.layers = other.layers
        self.secret_files = other.secret_files
        self.stamped = other.stamped
        # What conditions of adapters have read may be another now.
        di.replan()

    def where(self, path: t.Sequence[t.Any]) -> str | None:
        """Say where the value at a path was set, environment aside."""
        for override in reversed(self.overrides):
            if tuple(path[: len(override.path)]) == override.path:
                return override.origin
        found = origin_of(self.layers, path)
        if found is None:
            # A table that there is only because something in it is set.
            length = len(path)
            for override in reversed(self.overrides):
                if override.path[:length] == tuple(path):
                    return override.origin
        return found

    def is_secret(self, path: t.Sequence[t.Any]) -> bool:
        """Tell whether a value came from a provider that hides what it has."""
        if any(
            tuple(path[: len(override.path)]) == override.path
            for override in self.overrides
        ):
            return False
        layer = layer_of(self.layers, path)
        return layer is not None and layer.secret

    def shown(self) -> dict[str, t.Any]:
        """Return the data with what providers hide masked."""
        if not any(layer.secret for layer in self.layers):
            return self
        return self._shown(self, ())

    def _shown(self, table: dict[str, t.Any], path: Path) -> dict[str, t.Any]:
        found: dict[str, t.Any] = {}
        for key, value in table.items():
            here = (*path, key)
            if is_dict(value):
                found[key] = self._shown(value, here)
            else:
                found[key] = MASK if self.is_secret(here) else value
        return found
