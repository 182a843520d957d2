"""
Values that have no parts, read from text or found in JSON.

cattrs would convert what Python converts: 1.9 to the integer 1, the text
"false" to true. A client that sends such a value has made a mistake.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import math
import re
import typing as t
import uuid


_INTEGER: t.Final = re.compile(r"[+-]?[0-9]{1,4000}", re.ASCII)
_NUMBER: t.Final = re.compile(
    r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII
)
_BOOLS: t.Final = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}


class WrongValueError(ValueError):
    """A value is not what it should be; the text is for the client."""


def text_to_int(value: t.Any) -> int:
    """Read an integer."""
    if not _INTEGER.fullmatch(value):
        raise WrongValueError("expected an integer")
    return int(value)


def text_to_float(value: t.Any) -> float:
    """Read a number."""
    if not _NUMBER.fullmatch(value):
        raise WrongValueError("expected a number")
    return _finite(float(value))


def text_to_bool(value: t.Any) -> bool:
    """Read a truth value."""
    found = _BOOLS.get(value.lower())
    if found is None:
        raise WrongValueError("expected true or false")
    return found


def json_int(value: t.Any) -> int:
    """Take an integer."""
    if type(value) is not int:
        raise WrongValueError("expected an integer")
    return value


def json_float(value: t.Any) -> float:
    """Take a number."""
    if type(value) is not float and type(value) is not int:
        raise WrongValueError("expected a number")
    try:
        return _finite(float(value))
    except OverflowError:
        raise WrongValueError("expected a finite number") from None


def json_bool(value: t.Any) -> bool:
    """Take a truth value."""
    if type(value) is not bool:
        raise WrongValueError("expected true or false")
    return value


def take_text(value: t.Any) -> str:
    """Take a text."""
    if type(value) is not str:
        raise WrongValueError("expected a text")
    return value


def take_none(value: t.Any) -> None:
    """Take nothing."""
    if value is not None:
        raise WrongValueError("expected null")


def to_date(value: t.Any) -> dt.date:
    """Read a date."""
    with _expecting("a date such as 2026-01-31"):
        return dt.date.fromisoformat(take_text(value))


def to_datetime(value: t.Any) -> dt.datetime:
    """Read a date and time."""
    with _expecting("a date and time such as 2026-01-31T12:00:00Z"):
        return dt.datetime.fromisoformat(take_text(value))


def to_time(value: t.Any) -> dt.time:
    """Read a time of day."""
    with _expecting("a time such as 12:00:00"):
        return dt.time.fromisoformat(take_text(value))


def to_uuid(value: t.Any) -> uuid.UUID:
    """Read a UUID."""
    with _expecting("a UUID"):
        return uuid.UUID(take_text(value))


def to_decimal(value: t.Any) -> decimal.Decimal:
    """Read a decimal number, exactly where it is given as text."""
    if type(value) is int:
        return decimal.Decimal(value)
    if type(value) is float:
        value = repr(value)
    if type(value) is not str or not _NUMBER.fullmatch(value):
        raise WrongValueError("expected a number")
    return decimal.Decimal(value)


#: What reads scalars from text, as paths and queries are, by their type.
FROM_TEXT: t.Final[dict[type, t.Callable[[t.Any], t.Any]]] = {
    int: text_to_int,
    float: text_to_float,
    bool: text_to_bool,
}
#: The same for values that were JSON.
FROM_JSON: t.Final[dict[type, t.Callable[[t.Any], t.Any]]] = {
    int: json_int,
    float: json_float,
    bool: json_bool,
}
#: The same for both.
FROM_BOTH: t.Final[dict[type, t.Callable[[t.Any], t.Any]]] = {
    str: take_text,
    type(None): take_none,
    dt.date: to_date,
    dt.datetime: to_datetime,
    dt.time: to_time,
    uuid.UUID: to_uuid,
    decimal.Decimal: to_decimal,
}


def one_of(
    choices: t.Sequence[t.Any], values: t.Sequence[t.Any], *, text: bool
) -> t.Callable[[t.Any, t.Any], t.Any]:
    """
    Return a converter that takes only certain values.

    Args:
        choices: What a client may send.
        values: What each of them stands for.
        text: Whether it arrives as text, whatever it is.
    """
    known: dict[t.Any, t.Any] = {
        (str, str(choice)) if text else (type(choice), choice): value
        for choice, value in zip(choices, values, strict=True)
    }
    names = ", ".join(str(choice) for choice in choices)

    def take(value: t.Any, _: t.Any) -> t.Any:
        try:
            return known[type(value), value]
        except (KeyError, TypeError):
            msg = f"expected one of {names}"
            raise WrongValueError(msg) from None

    return take


def members(cls: type[enum.Enum]) -> tuple[list[t.Any], list[t.Any]]:
    """Return the values of an enumeration, and its members."""
    found = [*cls]
    return [member.value for member in found], found


class _expecting:  # noqa: N801 - reads as a statement
    """Say what was expected where a value is refused."""

    __slots__ = ("_what",)

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, (ValueError, OverflowError)):
            msg = f"expected {self._what}"
            raise WrongValueError(msg) from None


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise WrongValueError("expected a finite number")
    return value
