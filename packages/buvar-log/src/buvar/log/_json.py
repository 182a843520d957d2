"""Write events as JSON: with orjson where it is installed."""

from __future__ import annotations

import json
import typing as t

from ._clean import Cleaner
from ._redact import Secrets


Dumps: t.TypeAlias = t.Callable[[dict[str, t.Any]], bytes]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class JsonWriter:
    """
    Write dictionaries as lines of JSON, whatever they hold.

    Args:
        secrets: Says which keys are secret.
        orjson: Use orjson where it is installed.
    """

    def __init__(self, secrets: Secrets, *, orjson: bool = True) -> None:
        self._strict = Cleaner(secrets, strict=True)
        self._fast = _orjson(Cleaner(secrets).unknown) if orjson else None

    def __call__(self, event: dict[str, t.Any]) -> bytes:
        """Return the line, ended by a line feed."""
        if self._fast is not None:
            try:
                return self._fast(event)
            except TypeError:
                # Overlong integers, lone surrogates: from here on slowly.
                pass
        return _encode(self._strict(event)).encode("utf-8") + b"\n"


def _orjson(unknown: t.Callable[[object], t.Any]) -> Dumps | None:
    try:
        import orjson  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    # What has a repr or a text of its own may have it to hide something.
    option = (
        orjson.OPT_APPEND_NEWLINE
        | orjson.OPT_PASSTHROUGH_DATACLASS
        | orjson.OPT_PASSTHROUGH_SUBCLASS
    )
    dumps = orjson.dumps
    return lambda event: dumps(event, unknown, option)
