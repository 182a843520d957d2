"""The places of workers, and how fast they are filled again."""

from __future__ import annotations

import typing as t

from ._options import Options
from ._process import now


class Slot:
    """
    The place of a worker and of its successors.

    Attributes:
        number: Its number, from 1.
        due: Not before that time a worker is started.
        streak: How often in a row its worker crashed soon.
        failures: How often in a row its worker failed soon by itself, not
            by somebody's signal.
        done: Whether its worker ended well.
        results: What its worker's stage returned.
    """

    def __init__(self, number: int, options: Options) -> None:
        self.number = number
        self.due = 0.0
        self.streak = 0
        self.failures = 0
        self.done = False
        self.results: list[t.Any] = []
        self._options = options

    def crashed(self, age: float, *, failed: bool = True) -> float:
        """
        Note a crash.

        Args:
            age: How long the worker had been ready.
            failed: Whether it was its own fault.

        Returns:
            How many seconds to wait before the next start.
        """
        if age >= self._options.stable_after:
            self.streak = self.failures = 0
        self.streak += 1
        self.failures += failed
        wait = self._options.delay(self.streak)
        self.due = now() + wait
        return wait


class Slots:
    """All slots, by number."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._slots = [
            Slot(number, options) for number in range(1, options.forks + 1)
        ]

    def __iter__(self) -> t.Iterator[Slot]:
        return iter(self._slots)

    def __len__(self) -> int:
        return len(self._slots)

    def __getitem__(self, number: int) -> Slot:
        return self._slots[number - 1]

    def __contains__(self, number: int) -> bool:
        return 1 <= number <= len(self._slots)

    def add(self) -> None:
        """Make room for one more worker."""
        self._slots.append(Slot(len(self._slots) + 1, self._options))

    def remove(self) -> Slot:
        """Make room for one worker less."""
        return self._slots.pop()

    def results(self) -> list[t.Any]:
        """Return the results of all, slot by slot."""
        return [result for slot in self._slots for result in slot.results]
