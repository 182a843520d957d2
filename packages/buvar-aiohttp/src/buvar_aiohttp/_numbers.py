"""What the numbers of settings may be."""

from __future__ import annotations

import math
import typing as t


def positive(_: object, attribute: t.Any, value: float | None) -> None:
    """Refuse what leaves no time, or no room; it may be infinite."""
    if value is not None and not value > 0:
        msg = f"{attribute.name} has to be more than 0, not {value!r}"
        raise ValueError(msg)


def finite(_: object, attribute: t.Any, value: float | None) -> None:
    """Refuse what is less than 0, or cannot be waited for."""
    if value is not None and not 0 <= value < math.inf:
        msg = f"{attribute.name} has to be 0 or more, not {value!r}"
        raise ValueError(msg)


def bound(_: object, attribute: t.Any, value: float) -> None:
    """Refuse what bounds nothing; it may be infinite."""
    if not value >= 0:
        msg = f"{attribute.name} has to be 0 or more, or inf, not {value!r}"
        raise ValueError(msg)
