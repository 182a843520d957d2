"""Values that come as text: from variables, secrets and command lines."""

from __future__ import annotations

import typing as t

from collections.abc import Mapping

from buvar.config._errors import BadValueError
from buvar.config._errors import ConfigError
from buvar.config._merge import check_depth
from buvar.config._merge import is_table


class Text(str):
    """Text whose meaning depends on the type of the field it is for."""

    __slots__ = ()


def check_utf8(text: str) -> None:
    """Refuse the bytes of a variable that are not text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadValueError("expected UTF-8 text") from None


def parse_list(text: str) -> list[t.Any]:
    """Parse JSON, a TOML array or values separated by commas."""
    text = text.strip()
    if text.startswith("["):
        found: list[t.Any] = _parse(text, "a JSON or TOML array")
        return found
    if not text:
        return []
    return [Text(item.strip()) for item in text.split(",")]


def parse_table(text: str) -> Mapping[str, t.Any]:
    """Parse a JSON object, an inline table or a TOML document."""
    expected = "a JSON object or a TOML table"
    value = _parse(text.strip(), expected)
    if not is_table(value):
        msg = f"expected {expected}"
        raise BadValueError(msg)
    return value


def _parse(text: str, expected: str) -> t.Any:
    import json  # noqa: PLC0415 - only for the few values that are JSON

    check_utf8(text)
    try:
        value = json.loads(text)
    except RecursionError:
        msg = f"expected {expected} nested less deeply"
        raise BadValueError(msg) from None
    except ValueError as error:
        reason = error
    else:
        return _checked(value, expected)
    try:
        value = _parse_toml(text)
    except RecursionError:
        msg = f"expected {expected} nested less deeply"
        raise BadValueError(msg) from None
    except ValueError:
        where = (
            f"{reason.msg} at line {reason.lineno}, column {reason.colno}"
            if isinstance(reason, json.JSONDecodeError)
            else "a number with too many digits"
        )
        msg = f"expected {expected}"
        raise BadValueError(msg, f"As JSON: {where}.") from None
    return _checked(value, expected)


def _parse_toml(text: str) -> t.Any:
    import tomllib  # noqa: PLC0415 - as above

    if not text.startswith(("{", "[")):
        return tomllib.loads(text)
    document = tomllib.loads(f"value = {text}")
    if len(document) > 1:
        msg = "more than one value"
        raise ValueError(msg)
    return document["value"]


def _checked(value: t.Any, expected: str) -> t.Any:
    try:
        check_depth(value)
    except ConfigError:
        msg = f"expected {expected} nested less deeply"
        raise BadValueError(msg) from None
    return value
