"""Log what may happen with each request, but not that often."""

from __future__ import annotations

import time


class Throttle:
    """
    Lets something through once in a while.

    Args:
        seconds: How much time lies between two at least.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        self._seconds = seconds
        self._next = 0.0

    def ready(self) -> bool:
        """Tell whether it is time again, and note that it was done."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True
