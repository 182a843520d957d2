"""Faults for running services: the fixture ``buvar_chaos``."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import signal
import subprocess
import sys
import typing as t

from pathlib import Path

import pytest

from ._processes import running
from .load import Load
from .services import TIMEOUT
from .services import Service


#: The signal on which a worker blocks its event loop, see ``_program``.
BLOCK: t.Final = "SIGRTMIN"


@dataclasses.dataclass(frozen=True)
class Fault:
    """
    What was done to a worker.

    Attributes:
        worker: Its process id.
        in_flight: How many requests of the load were in flight just before,
            at all workers: no more may be lost by it.
    """

    worker: int
    in_flight: int


class Chaos:
    """
    Does to a service what happens to services.

    Args:
        folder: Where a small disk is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loads: list[tuple[Service, Load]] = []
        self._stopped: set[int] = set()
        self._disks: list[Path] = []

    def load(
        self,
        service: Service,
        *,
        clients: int = 16,
        keep_alive: bool = False,
        path: str = "/",
    ) -> Load:
        """
        Return clients that ask the service within a ``with`` block.

        Args:
            service: The service.
            clients: How many ask at the same time.
            keep_alive: Whether a client uses its connection again.
            path: What they ask for.
        """
        load = Load(
            (service.host, service.port),
            clients=clients,
            keep_alive=keep_alive,
            path=path,
        )
        self._loads.append((service, load))
        return load

    def kill_worker(
        self, service: Service, worker: int | None = None
    ) -> Fault:
        """
        Kill a worker, and wait until it is gone.

        Args:
            service: The service.
            worker: Its process id, by default the first one.
        """
        fault = self._send(service, worker, signal.SIGKILL)
        service.until(lambda: not running(fault.worker))
        return fault

    def block_worker(
        self, service: Service, seconds: float, worker: int | None = None
    ) -> Fault:
        """
        Block the event loop of a worker.

        Args:
            service: One that was started with plugins, not a program.
            seconds: How long it does not run, unless it is killed for that.
            worker: Its process id, by default the first one.
        """
        number = t.cast("signal.Signals", getattr(signal, BLOCK))
        service.block_file.write_text(str(float(seconds)))
        return self._send(service, worker, number)

    def stop_worker(
        self, service: Service, worker: int | None = None
    ) -> Fault:
        """
        Stop a worker with ``STOP``; it goes on with ``continue_worker()``.

        Args:
            service: The service.
            worker: Its process id, by default the first one.
        """
        fault = self._send(service, worker, signal.SIGSTOP)
        self._stopped.add(fault.worker)
        return fault

    def continue_worker(self, fault: Fault) -> None:
        """Let a worker go on that was stopped."""
        self._stopped.discard(fault.worker)
        with contextlib.suppress(ProcessLookupError):
            os.kill(fault.worker, signal.SIGCONT)

    def add_worker(self, service: Service, timeout: float = TIMEOUT) -> None:
        """Have a worker more with ``TTIN``, and wait until it is there."""
        before = set(service.workers())
        service.signal(signal.SIGTTIN)
        service.until(lambda: set(service.workers()) - before, timeout=timeout)

    def remove_worker(
        self, service: Service, timeout: float = TIMEOUT
    ) -> None:
        """Have a worker less with ``TTOU``, and wait until it is gone."""
        before = set(service.workers())
        service.signal(signal.SIGTTOU)
        service.until(lambda: before - set(service.workers()), timeout=timeout)

    def reload(self, service: Service, timeout: float = TIMEOUT) -> None:
        """Replace all workers with ``HUP``, and wait until that is done."""
        service.reload(timeout)

    def small_disk(self, size: int = 1 << 20) -> Path:
        """
        Mount a disk of some bytes, and return its folder.

        The test is skipped where that is not allowed: it takes root on Linux.
        """
        folder = self._folder / f"disk-{len(self._disks)}"
        folder.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if sys.platform != "linux" or os.geteuid():
            pytest.skip("a small disk can be mounted by root on Linux only")
        done = subprocess.run(  # noqa: S603 - our own folder
            ["mount", *options],  # noqa: S607 - wherever it is
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no disk can be mounted: {done.stderr.decode()}")
        self._disks.append(folder)
        return folder

    def fill_disk(self, folder: Path) -> None:
        """
        Write into a folder until its disk is full.

        Raises:
            ValueError: It is not one of ``small_disk()``.
        """
        if folder not in self._disks:
            raise ValueError(
                f"{folder} is not a small disk; only one that small_disk() "
                "has made is filled."
            )
        with (folder / "filling").open("ab", buffering=0) as file:
            size = 1 << 16
            while size:
                try:
                    file.write(b"\0" * size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def close(self) -> None:
        """Let stopped workers go on, stop the clients, give disks back."""
        for worker in self._stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGCONT)
        for folder in self._disks:
            subprocess.run(  # noqa: S603 - our own folder
                ["umount", "--lazy", str(folder)],  # noqa: S607
                check=True,
            )

    def _send(
        self, service: Service, worker: int | None, number: int
    ) -> Fault:
        """Send a worker a signal, and note what was in flight."""
        if worker is None:
            worker = (service.workers() or [service.pid])[0]
        in_flight = sum(
            load.counts.in_flight
            for loaded, load in self._loads
            if loaded is service
        )
        os.kill(worker, number)
        return Fault(worker, in_flight)


__all__ = ["BLOCK", "Chaos", "Fault"]
