"""Events of a service, as data."""

from __future__ import annotations

import dataclasses
import signal
import typing as t

from buvar.fork._failure import Failure


@dataclasses.dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: deadlines are looked at."""


@dataclasses.dataclass(frozen=True, slots=True)
class Signal:
    """The supervisor got a signal."""

    number: signal.Signals


@dataclasses.dataclass(frozen=True, slots=True)
class TerminalClosed:
    """The terminal that the service was started from is gone."""


@dataclasses.dataclass(frozen=True, slots=True)
class StoodStill:
    """The supervisor itself did not run for some seconds."""

    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Started:
    """A worker that was to be started runs."""

    key: int
    pid: int


@dataclasses.dataclass(frozen=True, slots=True)
class StartFailed:
    """A worker could not be started: no processes, files or sockets."""

    key: int
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class BecameReady:
    """The plugins of a worker are prepared."""

    key: int


@dataclasses.dataclass(frozen=True, slots=True)
class Heard:
    """A worker gave a sign of life, perhaps with its memory in bytes."""

    key: int
    memory: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class RecycleAsked:
    """A worker asks to be replaced."""

    key: int
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class DelayAsked:
    """A worker wants connections to be accepted for some seconds more."""

    key: int
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class BusyTold:
    """A worker wants the same at most while it is busy; 0 once it is idle."""

    key: int
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class StageEnding:
    """The stage of a worker begins to end; its outcome is told later."""

    key: int


@dataclasses.dataclass(frozen=True, slots=True)
class StageEnded:
    """
    The stage of a worker ended with success.

    Attributes:
        results: What its tasks returned.
        signalled: Whether a signal to the worker ended it.
    """

    key: int
    results: tuple[t.Any, ...] = ()
    signalled: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class StageFailed:
    """The stage of a worker failed."""

    key: int
    failure: Failure


@dataclasses.dataclass(frozen=True, slots=True)
class Misbehaved:
    """A worker sent something that makes no sense."""

    key: int
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Exited:
    """A worker's process is gone; the code is negative for a signal."""

    key: int
    code: int


@dataclasses.dataclass(frozen=True, slots=True)
class AddressAsked:
    """
    A worker asks for a listening socket.

    Attributes:
        request: Whatever the shell needs to answer.
        known: Whether the service listens on that address already.
    """

    key: int
    request: t.Any
    known: bool


@dataclasses.dataclass(frozen=True, slots=True)
class QueueSeen:
    """Whether connections wait in the queues that were closed."""

    pending: bool


#: What workers say.
Message: t.TypeAlias = (
    BecameReady
    | Heard
    | RecycleAsked
    | DelayAsked
    | BusyTold
    | StageEnding
    | StageEnded
    | StageFailed
)
#: What happens to a single worker.
WorkerEvent: t.TypeAlias = (
    Message | Started | StartFailed | Misbehaved | Exited
)
Event: t.TypeAlias = (
    WorkerEvent
    | Tick
    | Signal
    | TerminalClosed
    | StoodStill
    | AddressAsked
    | QueueSeen
)
