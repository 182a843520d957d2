"""Load once more after a failure, to say all that is wrong and where."""

from __future__ import annotations

import logging
import typing as t

from ._compile import compiled
from ._diagnose import Unknown
from ._diagnose import Where
from ._diagnose import problems
from ._errors import ConfigError
from ._errors import Problem
from ._errors import one
from ._merge import Path
from ._origin import origin_of
from ._overlay import Plan


if t.TYPE_CHECKING:
    from ._source import ConfigSource

UnknownKeys: t.TypeAlias = t.Literal["error", "warn", "ignore"]

UNKNOWN: t.Final = t.get_args(UnknownKeys)

logger = logging.getLogger(__name__)


def check_mode(mode: object) -> None:
    """
    Refuse what is no way to treat unknown keys.

    Raises:
        ConfigError: It is none.
    """
    if mode not in UNKNOWN:
        raise one(
            "unknown= is one of " + ", ".join(map(repr, UNKNOWN)),
            value=repr(mode),
            cure="Pass one of them.",
        )


class Finder:
    """Says where the values of a section came from."""

    def __init__(
        self, source: ConfigSource, section: Path, plan: Plan
    ) -> None:
        self._layers = source.layers
        self._section = section
        self._given = plan.given

    def where(self, path: t.Sequence[t.Any]) -> str | None:
        """Return the origin of a value, ``None`` if nobody set it."""
        path = tuple(path)
        for item in reversed(self._given):
            length = len(item.path)
            if path[:length] == item.path and item.holds(path[length:]):
                return item.source
        return origin_of(self._layers, (*self._section, *path))


def load_again(
    cls: t.Any,
    data: t.Any,
    where: Where,
    section: Path,
    *,
    mode: UnknownKeys,
    unread: list[Problem],
) -> t.Any:
    """Find all that is wrong, raise it, or warn if that is all there is."""
    check_mode(mode)
    found = list(unread)
    result: t.Any = None
    try:
        thorough = compiled(cls, strict=mode != "ignore", thorough=True)
        result = thorough(data, cls)
    except Exception as error:
        paths = {item.path for item in unread}
        found += [
            item
            for item in problems(error, data, where, section, cls)
            # What could not be read is not missing as well.
            if item.path not in paths
        ]
        if not found:
            raise
    if not found:
        return result
    wrong = [item for item in found if not isinstance(item, Unknown)]
    if mode == "error" or wrong:
        raise ConfigError(found)
    for item in found:
        logger.warning("%s", item, extra={"config_path": item.path})
    return compiled(cls, strict=False, thorough=False)(data, cls)
