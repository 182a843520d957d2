"""Load once more after a failure, to say all that is wrong and where."""

from __future__ import annotations

import logging
import typing as t

from ._compile import compiled
from ._diagnose import Unknown
from ._diagnose import Where
from ._diagnose import problems
from ._errors import ConfigError
from ._merge import Path
from ._origin import origin_of
from ._overlay import Plan


if t.TYPE_CHECKING:
    from ._source import ConfigSource

UnknownKeys: t.TypeAlias = t.Literal["error", "warn", "ignore"]

logger = logging.getLogger(__name__)


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
            if path and path[: len(item.path)] == item.path:
                return item.source
        return origin_of(self._layers, (*self._section, *path))


def load_again(
    cls: t.Any, data: t.Any, where: Where, section: Path, mode: UnknownKeys
) -> t.Any:
    """Find all that is wrong, raise it, or warn if that is all there is."""
    try:
        thorough = compiled(cls, strict=mode != "ignore", thorough=True)
        return thorough(data, cls)
    except Exception as error:  # noqa: BLE001 - that is the question
        found = problems(error, data, where, section)
    wrong = [item for item in found if not isinstance(item, Unknown)]
    if mode == "error" or wrong:
        raise ConfigError(found)
    for item in found:
        logger.warning("%s", item, extra={"config_path": item.path})
    return compiled(cls, strict=False, thorough=False)(data, cls)
