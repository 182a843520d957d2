"""
Tables with keys of their own choice: ``dict[str, Backend]``.

``PREFIX_BACKENDS_MAIN_DSN`` sets ``dsn`` of ``backends.main``. Which part of
the name is the key is told by the keys there are, else by the fields of the
class; a new key is in lower case.
"""

from __future__ import annotations

import typing as t

from collections.abc import Mapping

import attrs

from buvar.config._errors import ConfigError
from buvar.config._errors import Problem
from buvar.config._errors import dotted
from buvar.config._merge import Path
from buvar.config._merge import is_table
from buvar.config._model.types import arguments
from buvar.config._model.types import bare
from buvar.config._model.types import origin
from buvar.config._structure.unions import is_union
from buvar.config._structure.unions import kinds_of


class Target(t.NamedTuple):
    """
    What a name sets in such a table.

    Attributes:
        path: The path, from the class.
        table: Whether it is a table.
        kind: What plain type it is for.
    """

    path: Path
    table: bool
    kind: type | None


@attrs.frozen(eq=False)
class Open:
    """
    A field that is a table with keys of their own choice.

    Attributes:
        start: What the names begin with, without the prefix.
        path: The path of the field, from the class.
        inner: What can be set in each value, by its name; ``None`` if the
            values have no fields.
    """

    start: str
    path: Path
    inner: dict[str, Target] | None

    def find(
        self, name: str, keys: dict[str, list[str]], full: str
    ) -> Target | None:
        """
        Return what a name sets.

        Args:
            name: The name, without the prefix.
            keys: The keys there are, by how they are written in names.
            full: The whole name, for an error.

        Raises:
            ConfigError: It could be that of two values.
        """
        rest = name.removeprefix(self.start)
        found = {
            target.path: target
            for written, there in keys.items()
            for key in there
            if (target := self._below(rest, written, key)) is not None
        }
        if len(found) > 1:
            first, second, *_ = sorted(map(dotted, found))
            text = f"the variable {full} is claimed by {first} and {second}"
            raise ConfigError(
                [Problem(second, text)], "Rename one of the two."
            )
        if found:
            return next(iter(found.values()))
        return self._new(rest)

    def _below(self, rest: str, written: str, key: str) -> Target | None:
        if rest == written:
            return Target((*self.path, key), self.inner is not None, None)
        if self.inner is None or not rest.startswith(f"{written}_"):
            return None
        target = self.inner.get(rest[len(written) + 1 :])
        if target is None:
            return None
        return target._replace(path=(*self.path, key, *target.path))

    def _new(self, rest: str) -> Target | None:
        """Return what a key that is not there yet is set by."""
        if not rest:
            return None
        if self.inner is None:
            return Target((*self.path, rest.lower()), table=False, kind=None)
        for name in sorted(self.inner, key=len, reverse=True):
            key = rest.removesuffix(f"_{name}")
            if key and key != rest:
                target = self.inner[name]
                path = (*self.path, key.lower(), *target.path)
                return target._replace(path=path)
        return None


def value_type(tp: t.Any) -> t.Any:
    """Return what the values of a table are, ``None`` if it is none."""
    for kind in kinds_of(tp) if is_union(tp) else (bare(tp),):
        inner = arguments(kind)
        if _is_mapping(kind) and inner:
            return inner[-1]
    return None


def _is_mapping(tp: t.Any) -> bool:
    cls = origin(tp)
    return isinstance(cls, type) and issubclass(cls, Mapping)


def keys_at(data: t.Any, path: Path) -> list[str]:
    """Return the keys of the table at a path."""
    for key in path:
        if not is_table(data):
            return []
        data = data.get(key)
    return (
        [key for key in data if isinstance(key, str)]
        if (is_table(data))
        else []
    )
