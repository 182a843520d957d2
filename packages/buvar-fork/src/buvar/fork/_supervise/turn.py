"""One step of a service: what it knows, the time, and what is to be done."""

from __future__ import annotations

import dataclasses
import logging
import typing as t

from . import commands as do
from .state import Service
from .state import Worker


@dataclasses.dataclass(frozen=True, slots=True)
class Turn:
    """
    Collects the commands that follow from one event.

    Attributes:
        service: The state, which is changed.
        now: The time, in seconds of a clock that only goes forward.
        commands: What is to be done, in order.
    """

    service: Service
    now: float
    commands: list[do.Command] = dataclasses.field(
        default_factory=list[do.Command]
    )

    def do(self, command: do.Command) -> None:
        """Add a command."""
        self.commands.append(command)

    def send(self, worker: Worker, number: int) -> None:
        """Send a signal to a worker."""
        self.do(do.Send(worker.key, number))

    def info(self, message: str, *args: t.Any, **extra: t.Any) -> None:
        """Log what is as it should be."""
        self.do(do.Log(logging.INFO, message, args, extra))

    def warning(self, message: str, *args: t.Any, **extra: t.Any) -> None:
        """Log what somebody may want to look at."""
        self.do(do.Log(logging.WARNING, message, args, extra))

    def error(self, message: str, *args: t.Any, **extra: t.Any) -> None:
        """Log what went wrong."""
        self.do(do.Log(logging.ERROR, message, args, extra))
