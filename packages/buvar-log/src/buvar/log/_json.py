"""Write events as JSON: with orjson where it is installed."""

from __future__ import annotations

import json
import re
import typing as t

from ._clean import Cleaner
from ._redact import Secrets


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

#: U+0080 to U+009F, U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to
#: U+2069 and U+FEFF, in UTF-8.
_UNSEEN = re.compile(
    rb"\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]"
    rb"|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf"
)


class JsonWriter:
    """
    Write dictionaries as lines of JSON, whatever they hold.

    Args:
        secrets: Says which keys are secret.
        orjson: Use orjson where it is installed.
    """

    def __init__(self, secrets: Secrets, *, orjson: bool = True) -> None:
        self._strict = Cleaner(secrets, strict=True)
        self._fast = _orjson() if orjson else None
        self._unknown = Cleaner(secrets).unknown

    def __call__(self, event: dict[str, t.Any]) -> bytes:
        """Return the line, ended by a line feed."""
        if self._fast is not None:
            dumps, option = self._fast
            try:
                line = dumps(event, self._unknown, option)
            except TypeError:
                # Overlong integers, lone surrogates: from here on slowly.
                pass
            else:
                return line if line.isascii() else _escape(line)
        return _escape(_encode(self._strict(event)).encode("utf-8") + b"\n")


def _escape(line: bytes) -> bytes:
    """
    Escape letters that JSON allows, and that change how a line is shown.

    A terminal takes some for commands or for the direction of writing, and
    many readers take others for the end of a line.
    """
    return _UNSEEN.sub(lambda found: b"\\u%04x" % ord(found[0].decode()), line)


def _orjson() -> tuple[t.Callable[..., bytes], int] | None:
    """Return what writes quickly, and its options."""
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
    return orjson.dumps, option
