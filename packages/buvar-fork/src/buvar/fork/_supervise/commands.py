"""Commands to the shell of a supervisor, as data."""

from __future__ import annotations

import dataclasses
import typing as t

from buvar.fork._failure import Failure


@dataclasses.dataclass(frozen=True, slots=True)
class Start:
    """Fork a worker; the answer is ``Started`` or ``StartFailed``."""

    key: int
    slot: int
    generation: int
    role: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Send:
    """Send a signal to a worker."""

    key: int
    number: int


@dataclasses.dataclass(frozen=True, slots=True)
class TellStopping:
    """Tell all workers that the service is going to stop."""


@dataclasses.dataclass(frozen=True, slots=True)
class StopAccepting:
    """Let no new connection in."""


@dataclasses.dataclass(frozen=True, slots=True)
class LookAtQueue:
    """Look whether connections wait; the answer is ``QueueSeen``."""


@dataclasses.dataclass(frozen=True, slots=True)
class CloseSockets:
    """Close all sockets of the service."""


@dataclasses.dataclass(frozen=True, slots=True)
class DropSlot:
    """Close the sockets that only one slot has."""

    slot: int
    role: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Grant:
    """Hand a worker the socket it asked for."""

    request: t.Any
    slot: int
    role: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Refuse:
    """Tell a worker why it does not get the socket it asked for."""

    request: t.Any
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Log:
    """Log a line."""

    level: int
    message: str
    args: tuple[t.Any, ...] = ()
    extra: t.Mapping[str, t.Any] = dataclasses.field(
        default_factory=dict[str, t.Any], hash=False
    )


@dataclasses.dataclass(frozen=True, slots=True)
class LogFailure:
    """Log how a worker failed, with its exception as data."""

    failure: Failure
    message: str
    args: tuple[t.Any, ...]
    extra: t.Mapping[str, t.Any] = dataclasses.field(hash=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Announce:
    """Say that all workers are ready, for the first time."""

    workers: int
    #: How many of them each role has.
    roles: tuple[tuple[str, int], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class NotifyReady:
    """Tell the service manager that all workers are ready."""

    workers: int
    roles: tuple[tuple[str, int], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class NotifyReloading:
    """Tell the service manager that workers are being replaced."""


@dataclasses.dataclass(frozen=True, slots=True)
class NotifyStopping:
    """Tell the service manager that the service ends."""


Command: t.TypeAlias = (
    Start
    | Send
    | TellStopping
    | StopAccepting
    | LookAtQueue
    | CloseSockets
    | DropSlot
    | Grant
    | Refuse
    | Log
    | LogFailure
    | Announce
    | NotifyReady
    | NotifyReloading
    | NotifyStopping
)
