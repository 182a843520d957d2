"""How soon the successor of a worker is started."""

from __future__ import annotations

from .state import Worker
from .turn import Turn


def note_crash(turn: Turn, worker: Worker, *, own_fault: bool = True) -> None:
    """
    Note that a worker serves no more, and when its slot is filled again.

    This is the moment in which it is known to have failed, not that of its
    end: a slow teardown, or what was needed to kill it, makes no worker
    healthy.

    Args:
        turn: When that is.
        worker: The worker that has crashed.
        own_fault: Whether it counts for ``max_failures``.
    """
    slot = worker.slot
    if worker.stable:
        slot.streak = slot.failures = 0
    slot.streak += 1
    slot.failures += own_fault
    slot.due = turn.now + slot.options.delay(slot.streak)


def note_recycling(turn: Turn, worker: Worker) -> None:
    """
    Note when a worker is replaced that has asked for it.

    That is at once, but for one whose predecessor asked for it as soon as
    this one did: each successor would ask for the next one.
    """
    slot = worker.slot
    wait = slot.options.delay(slot.recycled) if slot.recycled else 0.0
    worker.recycle_due = turn.now + wait
    slot.recycled = 0 if worker.stable else slot.recycled + 1
