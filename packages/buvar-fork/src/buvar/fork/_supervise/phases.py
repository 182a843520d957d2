"""
What a worker does, and what a service does.

The phases are data of their own: a deadline exists only in the phase that has
one, so that none can be left over from an earlier phase, and no two flags can
disagree.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import typing as t


# --- the phases of a worker ------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Booting:
    """It prepares its plugins."""

    heartbeat_due: float
    boot_due: float

    @property
    def due(self) -> float:
        """When its time is up."""
        return min(self.heartbeat_due, self.boot_due)


@dataclasses.dataclass(frozen=True, slots=True)
class Ready:
    """It serves."""

    ready_at: float
    #: When it last gave a sign of life.
    heard_at: float
    heartbeat_due: float

    @property
    def served(self) -> float:
        """For how many seconds it is known to have served."""
        return self.heard_at - self.ready_at

    @property
    def due(self) -> float:
        """When the next sign of life must have come."""
        return self.heartbeat_due


@dataclasses.dataclass(frozen=True, slots=True)
class Finishing:
    """Its stage ends by itself: with success, or not."""

    #: For how many seconds it served, unless it never became ready.
    served: float | None
    heartbeat_due: float
    #: When it must have ended, as if it had been asked to.
    end_due: float
    #: Nor does what never became ready get more time than to boot.
    boot_due: float = math.inf

    @property
    def due(self) -> float:
        """When its time is up."""
        return min(self.heartbeat_due, self.end_due, self.boot_due)

    def ready(self) -> Finishing:
        """Return it for a worker that becomes ready at its end."""
        return dataclasses.replace(self, served=0.0, boot_due=math.inf)


@dataclasses.dataclass(frozen=True, slots=True)
class Stopping:
    """It was asked to end."""

    served: float | None
    due: float


@dataclasses.dataclass(frozen=True, slots=True)
class LastWords:
    """Its time is up: it prints its stacks before it is killed."""

    served: float | None
    due: float
    #: Whether it was to serve, so that its end is a crash.
    crashing: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Killed:
    """It was killed, and is waited for."""

    served: float | None
    crashing: bool
    #: Whether its time was up, rather than that it sent an invalid message.
    overdue: bool
    due: float = math.inf


WorkerPhase: t.TypeAlias = (
    Booting | Ready | Finishing | Stopping | LastWords | Killed
)


# --- the phases of the service ---------------------------------------------


class Up(enum.Enum):
    """Workers are started and replaced."""

    BOOTING = "booting"
    RUNNING = "running"
    RELOADING = "reloading"


@dataclasses.dataclass(frozen=True, slots=True)
class Leaving:
    """Connections are accepted until load balancers have noticed."""

    #: The signal that workers are going to be stopped with.
    by: int
    #: When that is over.
    due: float
    #: Whether it is over earlier, once no worker is busy.
    until_idle: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Closing:
    """New connections are refused; workers accept those in the queue."""

    #: The signal that workers are going to be stopped with.
    by: int
    began: float
    #: When to look at the queue.
    due: float


@dataclasses.dataclass(frozen=True, slots=True)
class Ending:
    """All workers were asked to end."""

    by: int
    began: float
    #: When to say again who is waited for.
    due: float
    #: Whether they were told to drop what they do.
    forced: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Ended:
    """No worker is left."""

    due: float = math.inf


ServicePhase: t.TypeAlias = Up | Leaving | Closing | Ending | Ended
