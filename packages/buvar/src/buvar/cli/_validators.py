"""Validators of the values of sections."""

from __future__ import annotations

import math
import typing as t

import attrs


#: Bits of a umask, written as octal digits.
_UMASK: t.Final = 0o777


def more_than_0(
    _: object, _field: attrs.Attribute[t.Any], value: t.Any
) -> None:
    """Refuse what is not more than 0."""
    if value is not None and not value > 0:
        msg = "expected a number more than 0"
        raise ValueError(msg)


def natural(_: object, _field: attrs.Attribute[t.Any], value: t.Any) -> None:
    """Refuse what is less than 0."""
    if value is not None and not value >= 0:
        msg = "expected 0 or more"
        raise ValueError(msg)


def finite(_: object, _field: attrs.Attribute[t.Any], value: t.Any) -> None:
    """Refuse what is less than 0, or infinite."""
    if value is not None and not 0 <= value < math.inf:
        msg = "expected a finite number of seconds, 0 or more"
        raise ValueError(msg)


def finite_more_than_0(
    _: object, _field: attrs.Attribute[t.Any], value: t.Any
) -> None:
    """Refuse what is not more than 0, or infinite."""
    if value is not None and not 0 < value < math.inf:
        msg = "expected a finite number of seconds more than 0"
        raise ValueError(msg)


def octal(
    _: object, _field: attrs.Attribute[t.Any], value: str | None
) -> None:
    """Refuse what is not a umask."""
    try:
        fine = value is None or 0 <= int(value, 8) <= _UMASK
    except ValueError:
        fine = False
    if not fine:
        msg = 'expected octal digits such as "027"'
        raise ValueError(msg)
