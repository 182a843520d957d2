"""Merged dicts, and what they were merged of."""

from __future__ import annotations

import typing as t
import weakref

from ._env import Names
from ._merge import Path
from ._origin import Layer
from ._origin import origin_of
from ._overlay import Override


class Merged(dict[str, t.Any]):
    """
    What a source has read, as data: what ``ConfigSource`` loads from.

    Attributes:
        env_prefix: What the names of variables begin with.
        overrides: What wins over everything.
        layers: The dicts and files, lowest first.
        loaded: What was loaded so far; it ends with its classes.
        reserved: The tables that something else reads.
        secret_files: The files of the secrets folder, by name.
    """

    env_prefix: str | None
    overrides: tuple[Override, ...]
    layers: list[Layer]
    loaded: dict[int, weakref.ref[Names]]
    reserved: set[Path]
    secret_files: t.Any

    def where(self, path: t.Sequence[t.Any]) -> str | None:
        """Say where the value at a path was set, environment aside."""
        for override in reversed(self.overrides):
            if tuple(path[: len(override.path)]) == override.path:
                return override.origin
        return origin_of(self.layers, path)
