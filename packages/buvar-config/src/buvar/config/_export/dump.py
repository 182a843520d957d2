"""Turn objects back into plain data and text, the reverse of loading."""

from __future__ import annotations

import datetime as dt
import enum
import math
import pathlib
import typing as t

import attrs

from buvar.config._merge import is_array
from buvar.config._merge import is_table
from buvar.config._model.fields import fields
from buvar.config._model.fields import has_fields
from buvar.config._model.registered import registry
from buvar.config._model.secret import Secret
from buvar.config._model.sensitive import without_secrets_in
from buvar.config._structure.choices import spelled


def to_plain(value: t.Any) -> t.Any:  # noqa: C901, PLR0911 - kinds
    """Return what TOML can hold and loading takes back."""
    if isinstance(value, Secret):
        return to_plain(value.reveal())
    if registry and type(value) in registry:
        return to_plain(registry[type(value)].dump(value))
    if isinstance(value, enum.Enum):
        return to_plain(spelled(value))
    if has_fields(type(value)):
        return {
            field.key: to_plain(item)
            for field in fields(type(value))
            if (item := field.value_of(value)) is not None
            and item is not attrs.NOTHING
        }
    if is_table(value):
        return {str(to_plain(k)): to_plain(v) for k, v in value.items()}
    if is_array(value):
        return [to_plain(item) for item in value]
    if isinstance(value, bool | dt.datetime | dt.date | dt.time):
        return value
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, pathlib.Path) and str(value).startswith("~"):
        # Else it would be the home directory when it is read back.
        return f"./{value}"
    return _as_text(value)


def is_confidential(value: t.Any) -> bool:
    """Tell whether a secret is in a value, or the password of a URL."""
    if isinstance(value, Secret):
        return True
    if has_fields(type(value)):
        return any(
            field.hidden or is_confidential(field.value_of(value))
            for field in fields(type(value))
        )
    if is_table(value):
        return any(map(is_confidential, value.values()))
    if is_array(value):
        return any(map(is_confidential, value))
    return isinstance(value, str) and without_secrets_in(value) != value


def _as_text(value: t.Any) -> str:
    if isinstance(value, dt.timedelta):
        return duration(value)
    return value.decode() if isinstance(value, bytes) else str(value)


_STEPS = (("h", 3600 * 10**6), ("m", 60 * 10**6), ("s", 10**6))


def duration(value: dt.timedelta) -> str:
    """Write a duration as ``1h30m``."""
    rest = abs(value) // dt.timedelta(microseconds=1)
    parts = ["-" if value < dt.timedelta() else ""]
    for unit, size in _STEPS:
        number, rest = divmod(rest, size)
        parts.append(f"{number}{unit}" if number else "")
    parts.append(f"{rest}us" if rest else "")
    text = "".join(parts)
    return text or "0s"


def toml_value(value: t.Any) -> str:  # noqa: PLR0911 - a table of kinds
    """
    Write plain data as a TOML value on one line.

    ``toml.dumps`` writes whole documents only, without comments, and some
    of its strings are none (a control character, a lone backslash).
    """
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, str):
        return toml_text(value)
    if isinstance(value, float):
        return _toml_float(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if is_table(value):
        items = [
            f"{toml_key(key)} = {toml_value(item)}"
            for key, item in value.items()
        ]
        return "{" + ", ".join(items) + "}"
    if is_array(value):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return str(value)


def _toml_float(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "nan" if math.isnan(value) else f"{value:+}"


def toml_text(value: str) -> str:
    """Write a TOML string."""
    import json  # noqa: PLC0415 - only where something is written

    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(key: t.Any) -> str:
    """Write a TOML key."""
    text = str(key)
    word = text.replace("_", "").replace("-", "")
    return text if word.isascii() and word.isalnum() else toml_text(text)


def env_text(value: t.Any) -> str:
    """Write plain data as the text of a variable."""
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return str(value).lower()
    if is_table(value) or is_array(value):
        import json  # noqa: PLC0415 - as above

        return json.dumps(value, ensure_ascii=False, default=_json)
    return value.isoformat() if isinstance(value, _TIMES) else str(value)


_TIMES = (dt.datetime, dt.date, dt.time)


def _json(value: t.Any) -> str:
    return str(value.isoformat())
