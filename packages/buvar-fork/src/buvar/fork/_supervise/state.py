"""What a supervisor knows."""

from __future__ import annotations

import collections
import dataclasses
import math
import typing as t

from buvar.fork._errors import WorkersFailedError
from buvar.fork._failure import Failure
from buvar.fork._failure import Printed
from buvar.fork._options import Options

from .phases import Booting
from .phases import Finishing
from .phases import Killed
from .phases import LastWords
from .phases import Ready
from .phases import ServicePhase
from .phases import Up
from .phases import WorkerPhase


@dataclasses.dataclass(frozen=True, slots=True)
class Finished:
    """A worker reported that its stage ended with success."""

    results: tuple[t.Any, ...]
    signalled: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Failed:
    """A worker reported that its stage failed."""

    failure: Failure


@dataclasses.dataclass(eq=False, kw_only=True)
class Slot:
    """
    The place of a worker and of its successors.

    Attributes:
        number: Its number among those of its role, from 1.
        options: What its workers run, and their bounds.
        due: No worker is started in it before that time.
        streak: How often in a row its worker crashed soon.
        failures: How often in a row its worker failed soon by itself, not
            by a signal from somebody else.
        recycled: How often in a row its worker soon asked to be replaced.
        done: Whether its worker ended its stage with success.
        results: What that stage returned.
    """

    number: int
    options: Options
    due: float = 0.0
    streak: int = 0
    failures: int = 0
    recycled: int = 0
    done: bool = False
    results: tuple[t.Any, ...] = ()

    @property
    def label(self) -> str:
        """The name of its workers in the log."""
        return self.options.label(self.number)

    @property
    def exclusive(self) -> bool:
        """Whether it never has two processes, not even for a moment."""
        return self.options.exclusive


@dataclasses.dataclass(eq=False, kw_only=True)
class Worker:
    """
    A worker as its supervisor sees it.

    Attributes:
        key: Identifies it, also before it has a process.
        slot: Its place.
        generation: How many reloads there were when it was started.
        phase: What it does.
        pid: Its process, once that runs.
        replaces: The worker that is stopped when this one is ready, until
            it is gone.
        outdated: Whether a reload is to replace it.
        recycle: Why it is to be replaced apart from a reload, if it is.
        recycle_due: When it is to be replaced for that reason.
        outcome: How its stage ended, once it said so.
        delay: For how many seconds it wants connections to be accepted once
            the service is told to stop.
        busy: The same as long as it is busy: at most for how many seconds.
    """

    key: int
    slot: Slot
    generation: int
    phase: WorkerPhase
    pid: int = 0
    replaces: Worker | None = None
    outdated: bool = False
    recycle: str | None = None
    recycle_due: float = 0.0
    outcome: Finished | Failed | None = None
    delay: float = 0.0
    busy: float = 0.0

    @property
    def serves(self) -> bool:
        """Whether it is there to stay: nothing has told it to stop."""
        return isinstance(self.phase, Booting | Ready | Finishing)

    @property
    def served(self) -> float | None:
        """
        For how many seconds it served; None if it never became ready.

        The time in which it hung, or ended, does not count.
        """
        return None if isinstance(self.phase, Booting) else self.phase.served

    @property
    def booted(self) -> bool:
        """Whether it ever became ready."""
        return self.served is not None

    @property
    def stable(self) -> bool:
        """Whether it served for long enough to count as healthy."""
        least = self.slot.options.stable_after
        return self.served is not None and self.served >= least

    def is_stale(self, now: float) -> bool:
        """Tell whether it is to be replaced by then."""
        recycled = self.recycle is not None and self.recycle_due <= now
        return self.outdated or recycled

    @property
    def replace_due(self) -> float:
        """When its successor may be started, if it is to have one."""
        if self.outdated:
            return self.slot.due
        return max(self.slot.due, self.recycle_due)

    @property
    def crashing(self) -> bool:
        """Whether it was to serve when it hung or went wrong."""
        phase = self.phase
        return isinstance(phase, LastWords | Killed) and phase.crashing

    @property
    def overdue(self) -> bool:
        """Whether its time was up while it was to serve."""
        phase = self.phase
        return self.crashing and (
            phase.overdue if isinstance(phase, Killed) else True
        )

    @property
    def failure(self) -> Failure | None:
        """Why it failed, if it said so."""
        outcome = self.outcome
        return outcome.failure if isinstance(outcome, Failed) else None


class Service:
    """
    A service: its slots, its workers and what it is doing.

    Attributes:
        options: Its options.
        phase: What it is doing.
        generation: How many reloads there were.
        slots: The places of workers, by number.
        workers: The workers that are not buried yet, by key.
        next_key: What identifies the next worker.
        founders: Workers with a smaller key were started before all were
            ready for the first time.
        start_streak: How many starts failed since a worker became ready.
        start_due: No worker is started before that time.
        start_word_due: No failed start is logged before that time.
        error: The first failure that ended it all, if any did.
        printed: Which failures were printed at length.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.phase: ServicePhase = Up.BOOTING
        self.generation = 0
        self.slots = [
            Slot(number=number, options=role)
            for role in options.each_role()
            for number in range(1, role.forks + 1)
        ]
        self.workers: dict[int, Worker] = {}
        self.next_key = 1
        self.founders: float = math.inf
        self.start_streak = 0
        self.start_due = 0.0
        self.start_word_due = 0.0
        self.error: WorkersFailedError | None = None
        self.printed = Printed()

    @property
    def up(self) -> bool:
        """Whether workers are started and replaced."""
        return isinstance(self.phase, Up)

    def serving(self, slot: Slot | None = None) -> list[Worker]:
        """Return the workers that are there to stay, the oldest first."""
        return [
            worker
            for worker in self.workers.values()
            if worker.serves and slot in (None, worker.slot)
        ]

    def complete(self) -> bool:
        """Tell whether each slot has a worker that is ready, or is done."""
        ready = {worker.slot for worker in self.serving() if worker.booted}
        return all(slot.done or slot in ready for slot in self.slots)

    def missing(self) -> list[Slot]:
        """
        Return the slots in which a worker is to be started.

        One of an exclusive role waits until its last worker is buried: what
        hangs, or takes its time to end, still runs.
        """
        taken = {
            worker.slot
            for worker in self.workers.values()
            if worker.serves or worker.slot.exclusive
        }
        return [
            slot for slot in self.slots if not slot.done and slot not in taken
        ]

    def stale(self, now: float) -> list[Worker]:
        """
        Return the workers that are to be replaced by now.

        A reload comes to exclusive roles last: one that fails before leaves
        them alone.
        """
        stale = [
            worker
            for worker in self.serving()
            if worker.replaces is None and worker.is_stale(now)
        ]
        if any(
            worker.outdated and not worker.slot.exclusive for worker in stale
        ):
            return [
                worker
                for worker in stale
                if not (worker.outdated and worker.slot.exclusive)
            ]
        return stale

    def numbers(self) -> tuple[tuple[str, int], ...]:
        """Return how many workers each role has, if there are roles."""
        names = (worker.slot.options.role for worker in self.workers.values())
        counts = collections.Counter(names)
        return tuple(
            (role.role, counts[role.role]) for role in self.options.roles
        )

    def replacing(self) -> bool:
        """Tell whether a worker is on its way to replace another one."""
        return any(
            worker.replaces is not None for worker in self.workers.values()
        )

    def healthy(self) -> bool:
        """Tell whether a worker serves that did so for long enough."""
        return any(
            isinstance(worker.phase, Ready) and worker.stable
            for worker in self.workers.values()
        )

    def due(self) -> float:
        """Return when the next ``Tick`` matters."""
        due = min(
            (worker.phase.due for worker in self.workers.values()),
            default=math.inf,
        )
        if not isinstance(self.phase, Up):
            return min(due, self.phase.due)
        starts = [slot.due for slot in self.missing()]
        if self.phase is not Up.BOOTING and not self.replacing():
            starts += [worker.replace_due for worker in self.stale(math.inf)]
        start = min(starts, default=math.inf)
        return min(due, max(start, self.start_due))

    def results(self) -> list[t.Any]:
        """Return the results of all workers, slot by slot."""
        return [result for slot in self.slots for result in slot.results]
