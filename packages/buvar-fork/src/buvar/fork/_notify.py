"""Tell systemd, or who acts like it, what the service is doing."""

from __future__ import annotations

import contextlib
import os
import socket
import time
import typing as t


class Notifier:
    """
    Speaks the protocol of ``sd_notify``, if ``NOTIFY_SOCKET`` is set.

    Args:
        environ: The environment variables.
    """

    def __init__(self, environ: t.Mapping[str, str] = os.environ) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        self._path = "\0" + path[1:] if path.startswith("@") else path
        self._watchdog = self._interval(environ)
        self._due = 0.0
        self._stopping = False

    def _interval(self, environ: t.Mapping[str, str]) -> float | None:
        """Return how often to send signs of life: twice as often as asked."""
        wanted = environ.get("WATCHDOG_USEC", "")
        pid = environ.get("WATCHDOG_PID", str(os.getpid()))
        if not self._path or not wanted.isdecimal() or pid != str(os.getpid()):
            return None
        return int(wanted) / 1e6 / 2 or None

    @property
    def due(self) -> float:
        """When the next sign of life is due, on the monotonic clock."""
        return float("inf") if self._watchdog is None else self._due

    def heartbeat(self, now: float) -> None:
        """Send a sign of life if one is due."""
        if self._watchdog is not None and now >= self._due:
            self._due = now + self._watchdog
            self.send("WATCHDOG=1")

    def ready(self, status: str) -> None:
        """Say that all workers serve."""
        self.send("READY=1", f"STATUS={status}", f"MAINPID={os.getpid()}")

    def reloading(self) -> None:
        """Say that workers are being replaced."""
        microseconds = time.monotonic_ns() // 1000
        self.send("RELOADING=1", f"MONOTONIC_USEC={microseconds}")

    def stopping(self) -> None:
        """Say, once, that the service is going to end."""
        if not self._stopping:
            self._stopping = True
            self.send("STOPPING=1")

    def send(self, *lines: str) -> None:
        """Send a message; a manager need not listen to it."""
        if not self._path:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock,
        ):
            sock.settimeout(0)
            sock.sendto("\n".join(lines).encode(), self._path)
