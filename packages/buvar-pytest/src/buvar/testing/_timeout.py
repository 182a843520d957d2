"""How long something may take."""

from __future__ import annotations

import math


def check_timeout(timeout: float) -> None:
    """
    Refuse a bound that makes no sense; it may be infinite.

    Raises:
        ValueError: It is not a positive number.
    """
    if math.isnan(timeout) or timeout <= 0:
        raise ValueError(
            f"timeout={timeout!r} makes no sense; give it seconds above 0."
        )
