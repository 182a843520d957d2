"""A worker as its parent sees it."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import os
import signal
import time
import typing as t

from ._failure import Failure
from ._wire import Receiver


class WorkerState(enum.Enum):
    """What a worker is doing, as far as its parent knows."""

    BOOTING = "booting"
    READY = "ready"
    STOPPING = "stopping"
    HUNG = "hung"
    KILLED = "killed"


#: How long a worker that hangs has to say where, in seconds.
LAST_WORDS: t.Final = 0.3


@dataclasses.dataclass(eq=False, kw_only=True)
class Process:
    """
    A worker.

    Attributes:
        slot: The number of its place, from 1.
        generation: How many reloads there were when it was started.
        receiver: What it tells.
        deadline: When something must have happened: a sign of life, its
            end; what follows if not depends on the state.
        boot_deadline: When it must be ready.
        replaces: The worker that stops when this one is ready.
        stale: Why it is to be replaced, if it is.
        results: What its stage returned, once it ended.
        signalled: Whether a signal ended it that its parent did not send.
        failure: Why it failed, if it said so.
        hung: Whether its time was up while it was to serve.
    """

    slot: int
    generation: int
    pid: int
    receiver: Receiver
    deadline: float
    boot_deadline: float
    state: WorkerState = WorkerState.BOOTING
    replaces: Process | None = None
    stale: str | None = None
    ready_at: float | None = None
    results: list[t.Any] | None = None
    signalled: bool = False
    failure: Failure | None = None
    hung: bool = False

    @property
    def serves(self) -> bool:
        """Whether it is there to stay: nobody has told it to stop."""
        return self.state in (WorkerState.BOOTING, WorkerState.READY)

    @property
    def finished(self) -> bool:
        """Whether it has said how its stage ended."""
        return self.results is not None or self.failure is not None

    @property
    def overdue(self) -> bool:
        """Whether its time was up before it was ready."""
        return self.hung and self.ready_at is None

    def age(self) -> float:
        """How long it has been ready, in seconds."""
        return 0.0 if self.ready_at is None else now() - self.ready_at

    def heard(self, seconds: float) -> None:
        """Note a sign of life; the next one is due in some time."""
        if self.serves:
            self.deadline = now() + seconds
        if self.state is WorkerState.BOOTING:
            self.deadline = min(self.deadline, self.boot_deadline)

    def become_ready(self) -> None:
        """Note that its plugins are prepared."""
        if self.state is WorkerState.BOOTING:
            self.state = WorkerState.READY
            self.ready_at = now()

    def send(self, number: int) -> None:
        """Send a signal; it cannot reach another process before the reap."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def stop(self, number: int, seconds: float) -> None:
        """Ask it to end within some time."""
        if self.serves:
            self.state = WorkerState.STOPPING
            self.deadline = now() + seconds
            self.send(number)

    def hang(self) -> None:
        """Ask it for its stacks, and give it little time for that."""
        self.hung = True
        self.state = WorkerState.HUNG
        self.deadline = now() + LAST_WORDS
        self.send(signal.SIGQUIT)

    def kill(self) -> None:
        """End it."""
        self.state = WorkerState.KILLED
        self.deadline = float("inf")
        self.send(signal.SIGKILL)


#: The clock of all deadlines: it does not run while the machine sleeps.
now: t.Final = time.monotonic
