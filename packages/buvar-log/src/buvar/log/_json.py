"""Write events as JSON: with orjson where it is installed."""

from __future__ import annotations

import json
import typing as t

from ._clean import Cleaner
from ._redact import Secrets


Dumps: t.TypeAlias = t.Callable[[dict[str, t.Any]], bytes]


class JsonWriter:
    """
    Write dictionaries as lines of JSON, whatever they hold.

    Args:
        secrets: Says which keys are secret.
        orjson: Use orjson where it is installed.
    """

    def __init__(self, secrets: Secrets, *, orjson: bool = True) -> None:
        self._strict = Cleaner(secrets, strict=True)
        unknown = Cleaner(secrets).unknown
        self._dumps = (orjson and _orjson(unknown)) or _standard(unknown)
        self._plain = _standard(unknown)

    def __call__(self, event: dict[str, t.Any]) -> bytes:
        """Return the line, ended by a line feed."""
        try:
            return self._dumps(event)
        # What it is that the fast way does not take differs by writer.
        except (TypeError, ValueError, RecursionError):
            return self._plain(self._strict(event))


def _orjson(unknown: t.Callable[[object], t.Any]) -> Dumps | None:
    try:
        import orjson  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    option = (
        orjson.OPT_APPEND_NEWLINE
        | orjson.OPT_PASSTHROUGH_DATACLASS
        | orjson.OPT_PASSTHROUGH_SUBCLASS
    )
    dumps = orjson.dumps
    return lambda event: dumps(event, unknown, option)


def _standard(unknown: t.Callable[[object], t.Any]) -> Dumps:
    encode = json.JSONEncoder(
        default=unknown,
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    ).encode
    return lambda event: encode(event).encode("utf-8") + b"\n"
