"""Load once more after a failure, to say all that is wrong and where."""

from __future__ import annotations

import contextlib
import logging
import typing as t

from ._diagnose import Unknown
from ._diagnose import problems
from ._errors import ConfigError
from ._errors import Problem
from ._errors import config_error
from ._merge import Path
from ._merge import dig
from ._merge import is_table
from ._model.secret import texts
from ._registry import sections
from ._sources.layer import layer_of
from ._sources.names import Names
from ._sources.names import name_of
from ._sources.plan import Plan
from ._state import Source
from ._state import state_of
from ._structure.compile import compiled


UnknownKeys: t.TypeAlias = t.Literal["error", "warn", "ignore"]

UNKNOWN: t.Final = t.get_args(UnknownKeys)

logger = logging.getLogger("buvar.config")


def check_mode(mode: object) -> None:
    """
    Refuse anything but a way to treat unknown keys.

    Raises:
        ConfigError: It is none.
    """
    if mode not in UNKNOWN:
        raise config_error(
            "unknown= is one of " + ", ".join(map(repr, UNKNOWN)),
            value=repr(mode),
            cure="Pass one of them.",
        )


class Finder:
    """Says where the values of a section came from."""

    def __init__(self, source: Source, names: Names, plan: Plan) -> None:
        self._layers = state_of(source).layers
        self._names = names
        self._section = names.section
        self._given = plan.given

    def where(self, path: t.Sequence[t.Any]) -> str | None:
        """Return the origin of a value, ``None`` if nobody set it."""
        path = tuple(path)
        inside: str | None = None
        for item in reversed(self._given):
            length = len(item.path)
            if path[:length] == item.path and item.holds(path[length:]):
                return item.source
            if item.path[: len(path)] == path:
                inside = inside or item.source
        return self._of_layers((*self._section, *path), inside)

    def is_confidential(self, path: t.Sequence[t.Any]) -> bool:
        """Tell whether a value came from where secrets are kept."""
        path = tuple(path)
        for item in reversed(self._given):
            length = len(item.path)
            if path[:length] == item.path and item.holds(path[length:]):
                return item.secret
        if any(
            item.secret
            for item in self._given
            if item.path[: len(path)] == path
        ):
            return True
        layer = layer_of(self._layers, (*self._section, *path))
        return layer is not None and layer.secret

    def words(self, data: t.Any) -> set[str]:
        """Return the texts of all that came from where secrets are kept."""
        found = {str(item.text) for item in self._given if item.secret}
        for item in self._given:
            with contextlib.suppress(LookupError):
                if item.secret:
                    found |= set(texts(dig(data, item.path)))
        for layer in self._layers:
            with contextlib.suppress(LookupError):
                if layer.secret:
                    found |= set(texts(dig(layer.data, self._section)))
        return found

    def setting(self, path: t.Sequence[t.Any]) -> str | None:
        """Say with which variable a missing value may be given."""
        path = tuple(path)
        names = self._names
        if not all(isinstance(key, str) for key in path):
            return None
        inside = any(path[: len(x.path)] == x.path for x in names.open)
        if path not in names.paths and not inside:
            return None
        if names.prefix is None:
            return "Variables are not read: no env_prefix is given."
        found = [
            names.join(name_of((*self._section, *needed)))
            for needed in self._needed(path) or [path]
        ]
        if len(found) == 1:
            return f"The variable {found[0]} sets it."
        return f"The variables {', '.join(found)} set it."

    def _needed(self, path: Path) -> list[Path]:
        """List what has to be given of a class that is missing."""
        return [
            leaf.path
            for leaf in self._names.paths.values()
            if leaf.path[: len(path)] == path
            and not leaf.nested
            and leaf.field.required
            and all(step.required for step in leaf.chain[len(path) :])
        ]

    def _of_layers(self, path: Path, inside: str | None) -> str | None:
        """Return what set a path, else what set something inside of it."""
        layer = layer_of(self._layers, path)
        if layer is None or (inside and not is_table(dig(layer.data, path))):
            return inside
        return layer.where(path)


def load_again(
    cls: t.Any,
    data: t.Any,
    finder: Finder,
    section: Path,
    *,
    mode: UnknownKeys,
    unread: list[Problem],
    stray: list[Unknown],
) -> t.Any:
    """Find all that is wrong, raise it, or warn if that is all there is."""
    check_mode(mode)
    try:
        thorough = compiled(cls, strict=mode != "ignore", thorough=True)
        result = thorough(data, cls)
    except Exception as error:  # noqa: BLE001 - all of it is said below
        found = problems(error, data, finder, section, cls)
    else:
        if not unread and not stray:
            return result
        found = []
    paths = {item.path for item in unread}
    # A value that could not be read is not reported as missing, too.
    found = [item for item in found if item.path not in paths]
    found = [*unread, *_without_others(found), *stray]
    wrong = [item for item in found if not isinstance(item, Unknown)]
    if wrong or (found and mode == "error"):
        raise ConfigError(found)
    for item in found:
        logger.warning("%s", item, extra={"config_path": item.path})
    return compiled(cls, strict=False, thorough=False)(data, cls)


def _without_others(found: list[Problem]) -> list[Problem]:
    """Leave out unknown keys that are the tables of other sections."""
    if not any(isinstance(item, Unknown) for item in found):
        return found
    others = tuple(f"{name}." for name in sections())
    return [
        item
        for item in found
        if not isinstance(item, Unknown)
        or not any(name.startswith(f"{item.path}.") for name in others)
    ]


def report_unknown(found: list[Unknown], mode: UnknownKeys, cure: str) -> None:
    """
    Raise what nothing reads, or warn of it.

    Args:
        found: What nothing reads.
        mode: What to do about it.
        cure: What users can do about it.

    Raises:
        ConfigError: There is something, and the mode says so.
    """
    if found and mode == "error":
        raise ConfigError(found, cure)
    for item in found:
        logger.warning("%s", item, extra={"config_path": item.path})
