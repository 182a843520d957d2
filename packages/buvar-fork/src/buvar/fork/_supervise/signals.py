"""The signals that a supervisor cares about."""

from __future__ import annotations

import signal
import typing as t


def _known(*names: str) -> frozenset[signal.Signals]:
    """Return those that this platform has."""
    return frozenset(
        number
        for name in names
        if (number := getattr(signal, name, None)) is not None
    )


#: What a supervisor handles itself.
HANDLED: t.Final = _known(
    "SIGCHLD", "SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGTTIN", "SIGTTOU"
)
#: What it only passes on.
FORWARDED: t.Final = _known("SIGUSR1", "SIGUSR2", "SIGWINCH")
#: What ends a service.
ENDING: t.Final = _known("SIGINT", "SIGQUIT", "SIGTERM")
#: What the kernel sends to a process in the background that uses its
#: terminal, over and over again while there is a handler.
TERMINAL: t.Final = _known("SIGTTIN", "SIGTTOU")


def signal_name(number: int) -> str:
    """Return the name of a signal; real-time signals have only a number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
