"""Make single values of text and plain data, strictly."""

from __future__ import annotations

import datetime as dt
import pathlib
import re
import typing as t

from buvar.config._errors import BadValueError
from buvar.config._model.sensitive import without_passwords

from .text import Text
from .text import check_utf8


D = t.TypeVar("D", dt.datetime, dt.date, dt.time)

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def to_str(value: t.Any, _: t.Any = str) -> str:
    """Take text; numbers are not text."""
    if not isinstance(value, str):
        raise BadValueError("expected text")
    if "\0" in value:
        raise BadValueError("expected text without NUL bytes")
    if isinstance(value, Text):
        check_utf8(value)
        return str(value)
    return value


def to_bytes(value: t.Any, _: t.Any = bytes) -> bytes:
    """Take bytes, or text as UTF-8."""
    return value if isinstance(value, bytes) else to_str(value).encode()


def to_bool(value: t.Any, _: t.Any = bool) -> bool:
    """Take one of the words for true and false."""
    if isinstance(value, str | int):
        word = str(value).strip().lower() if isinstance(value, str) else value
        if word == 1 or word in _TRUE:
            return True
        if word == 0 or word in _FALSE:
            return False
    raise BadValueError("expected one of 1/0, true/false, yes/no, on/off")


def to_int(value: t.Any, _: t.Any = int) -> int:
    """Take a whole number, or one written as text."""
    if type(value) is int:
        return value
    if isinstance(value, str):
        text = value.strip()
        for base in (10, 0):
            try:
                return int(text, base)
            except ValueError:
                continue
    raise BadValueError("expected a whole number")


def to_float(value: t.Any, _: t.Any = float) -> float:
    """Take a number, or one written as text."""
    if type(value) is float:
        return value
    if type(value) is int or isinstance(value, str):
        try:
            return float(value)
        except (ValueError, OverflowError):
            raise BadValueError("expected a number") from None
    raise BadValueError("expected a number")


def to_datetime(value: t.Any, _: t.Any = None) -> dt.datetime:
    """Take a point in time, or one in ISO 8601."""
    if isinstance(value, dt.datetime):
        return value
    return _from_iso(
        dt.datetime, value, "a date and time such as 2026-11-24T12:00:00Z"
    )


def to_date(value: t.Any, _: t.Any = None) -> dt.date:
    """Take a day, or one in ISO 8601."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    return _from_iso(dt.date, value, "a date such as 2026-11-24")


def to_time(value: t.Any, _: t.Any = None) -> dt.time:
    """Take a time of day, or one in ISO 8601."""
    if isinstance(value, dt.time):
        return value
    return _from_iso(dt.time, value, "a time such as 12:30:00")


def _from_iso(tp: type[D], value: t.Any, expected: str) -> D:
    if isinstance(value, str):
        try:
            return tp.fromisoformat(value.strip())
        except ValueError:
            msg = f"expected {expected}"
            raise BadValueError(msg) from None
    msg = f"expected {expected}"
    raise BadValueError(msg)


_UNITS = {
    "w": 604800 * 10**6,
    "d": 86400 * 10**6,
    "h": 3600 * 10**6,
    "m": 60 * 10**6,
    "s": 10**6,
    "ms": 1000,
    "us": 1,
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(w|d|h|ms|us|m|s)\s*", re.ASCII)


def to_timedelta(value: t.Any, _: t.Any = None) -> dt.timedelta:
    """Take a duration: seconds, or text such as ``1h30m``."""
    if isinstance(value, dt.timedelta):
        return value
    bad = BadValueError(
        "expected a duration: seconds, or text such as 1h30m, 250ms, 2d"
    )
    try:
        if isinstance(value, str):
            return _parse_duration(value.strip().lower())
        if isinstance(value, int | float) and not isinstance(value, bool):
            return dt.timedelta(seconds=value)
    except (ValueError, OverflowError):
        raise bad from None
    raise bad


def _parse_duration(text: str) -> dt.timedelta:
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    parts = _DURATION.findall(digits)
    if parts and not _DURATION.sub("", digits):
        # Whole units are exact, whatever their size.
        micro = sum(
            int(number) * _UNITS[unit]
            if number.isdigit()
            else round(float(number) * _UNITS[unit])
            for number, unit in parts
        )
        return sign * dt.timedelta(microseconds=micro)
    return dt.timedelta(seconds=float(text))


def to_path(value: t.Any, tp: t.Any = pathlib.Path) -> t.Any:
    """Take a path of the file system."""
    if isinstance(value, pathlib.PurePath):
        return tp(value)
    if not isinstance(value, str):
        raise BadValueError("expected a path")
    if "\0" in value:
        raise BadValueError("expected a path without NUL bytes")
    path = tp(str(value))
    # No shell expands what a file says, or a variable of a unit file.
    if value.startswith("~") and isinstance(path, pathlib.Path):
        try:
            return path.expanduser()
        except RuntimeError:
            msg = "expected a path, and there is no such home directory"
            hint = "Write ./~ for the name itself."
            raise BadValueError(msg, hint) from None
    return path


_SIZES = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)(b?)", re.ASCII)


class ByteSize(int):
    """
    A number of bytes, written as a number or with a unit.

    ``kB``, ``MB`` ... are powers of 1000, ``KiB``, ``MiB`` ... and the bare
    letters ``K``, ``M`` ... powers of 1024.

    Example:
        >>> ByteSize.parse("1.5 KiB")
        1536
    """

    @classmethod
    def parse(cls, value: str | int) -> ByteSize:
        """
        Return the number of bytes that a text names.

        Raises:
            ValueError: It names none.
        """
        if type(value) is int and value >= 0:
            return cls(value)
        bad = BadValueError(
            "expected a size in bytes, such as 512, 10MB or 1.5GiB"
        )
        match = _SIZES.fullmatch(str(value).strip().lower())
        if match is None or isinstance(value, bool):
            raise bad
        number, letter, binary, byte = match.groups()
        base = 1024 if binary or not byte else 1000
        scale = base ** " kmgtp".index(letter) if letter else 1
        try:
            if number.isdigit():
                return cls(int(number) * scale)
            size = float(number) * scale
            # There is no part of a byte, but 1.1 kB are 1100.000...1.
            if letter or size.is_integer():
                return cls(size)
        except (ValueError, OverflowError):
            pass
        raise bad


class URL(str):
    """
    An absolute URL; its ``repr`` masks a password.

    Example:
        >>> URL("amqp://guest:guest@localhost:5672/")
        URL('amqp://guest:***@localhost:5672/')
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"URL({without_passwords(str(self))!r})"

    @classmethod
    def parse(cls, value: str) -> URL:
        """
        Return the URL of a text.

        Raises:
            ValueError: It is not absolute, or is malformed.
        """
        from urllib.parse import urlsplit  # noqa: PLC0415 - rarely needed

        text = to_str(value).strip()
        # What is malformed may hide its password anywhere.
        bad = BadValueError(
            "expected a URL such as https://example.org/path",
            secret="@" in text,
        )
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise bad from None
        del port
        if not parts.scheme or not (parts.netloc or parts.path):
            raise bad
        if any(char.isspace() for char in text) or "://" not in text:
            raise bad
        return cls(text)


#: What makes a value of a scalar type.
SCALARS: t.Final[dict[type, t.Callable[[t.Any, t.Any], t.Any]]] = {
    str: to_str,
    bytes: to_bytes,
    bool: to_bool,
    int: to_int,
    float: to_float,
    dt.datetime: to_datetime,
    dt.date: to_date,
    dt.time: to_time,
    dt.timedelta: to_timedelta,
    pathlib.Path: to_path,
    pathlib.PurePath: to_path,
}
