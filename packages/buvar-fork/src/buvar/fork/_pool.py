"""The workers: started, listened to, replaced, stopped, buried."""

from __future__ import annotations

import logging
import os
import signal
import typing as t

from ._events import Events
from ._failure import Failure
from ._listeners import Listeners
from ._options import Options
from ._process import Process
from ._process import WorkerState
from ._process import now
from ._results import unpack
from ._slots import Slots
from ._spawn import Spawner
from ._wire import Kind
from ._wire import MessageError
from ._wire import parse_beat
from ._wire import parse_reason


_log = logging.getLogger("buvar.fork")


class Pool:
    """
    The workers of a supervisor.

    Args:
        options: What they run, and their bounds.
        listeners: What they listen on.
        events: What reports on them.
    """

    def __init__(
        self, options: Options, listeners: Listeners, events: Events
    ) -> None:
        self.options = options
        self.generation = 0
        self.slots = Slots(options)
        self.workers: dict[int, Process] = {}
        self._events = events
        self._listeners = listeners
        self._spawner = Spawner(options, listeners, self._abandon)

    def _abandon(self) -> None:
        """Close, in a child, what it has of its siblings."""
        for worker in self.workers.values():
            os.close(worker.receiver.fd)
        self._events.abandon()

    def close(self) -> None:
        """Release the pipes."""
        self._spawner.close()

    # --- how many there are -----------------------------------------------

    def serving(self, slot: int | None = None) -> list[Process]:
        """Return the workers that are there to stay, by age."""
        return [
            worker
            for worker in self.workers.values()
            if worker.serves and slot in (None, worker.slot)
        ]

    def complete(self) -> bool:
        """Tell whether each slot has a worker that serves, or is done."""
        return all(
            slot.done
            or any(
                worker.state is WorkerState.READY
                for worker in self.serving(slot.number)
            )
            for slot in self.slots
        )

    def fill(self) -> None:
        """Start the workers that are missing, when their time has come."""
        for slot in self.slots:
            if (
                not slot.done
                and slot.due <= now()
                and not self.serving(slot.number)
            ):
                self._start(slot.number)

    def resize(self, by: int) -> None:
        """Add or remove workers; one always stays."""
        if by > 0:
            self.slots.add()
        elif len(self.slots) > 1:
            slot = self.slots.remove()
            for worker in self.serving(slot.number):
                self.stop(worker)
            self._listeners.drop_slot(slot.number)

    def _start(self, slot: int, replaces: Process | None = None) -> None:
        try:
            worker = self._spawner.spawn(slot, self.generation, replaces)
        except OSError as error:
            wait = self.slots[slot].crashed(0.0)
            _log.error(
                "Worker %d cannot be started: %s. Trying again in %.1f s.",
                slot,
                error,
                wait,
                extra={"slot": slot, "wait": wait},
            )
            return
        self.workers[worker.pid] = worker
        self._events.watch(worker.receiver.fd, worker)
        _log.info(
            "Worker %d started, process %d.",
            slot,
            worker.pid,
            extra={"slot": slot, "worker_pid": worker.pid},
        )

    # --- replacing them, one after the other ------------------------------

    def reload(self) -> None:
        """Have all workers replaced that there are by now."""
        self.generation += 1

    def stale(self) -> list[Process]:
        """Return the workers to be replaced."""
        return [
            worker
            for worker in self.serving()
            if worker.replaces is None
            and (worker.stale or worker.generation < self.generation)
        ]

    def replacing(self) -> bool:
        """Tell whether a worker is on its way to replace another one."""
        return any(
            worker.replaces is not None for worker in self.workers.values()
        )

    def replace(self) -> None:
        """Start a successor of a stale worker, if none is on its way."""
        if self.replacing():
            return
        for worker in self.stale():
            if self.slots[worker.slot].due <= now():
                self._start(worker.slot, worker)
                return

    def keep_old(self) -> None:
        """Give up a reload: those that serve stay."""
        for worker in self.serving():
            worker.generation = self.generation

    # --- what they say ----------------------------------------------------

    def read(self, worker: Process, *, alive: bool = True) -> None:
        """Take in what a worker has said; nonsense ends it, nobody else."""
        try:
            for kind, payload in worker.receiver.receive():
                self._take(worker, kind, payload)
        except MessageError as error:
            worker.receiver.open = False
            if alive:
                worker.kill()
            _log.error(
                "Worker %d (process %d) sent nonsense: %s. It is killed.",
                worker.slot,
                worker.pid,
                error.reason,
                extra={
                    "slot": worker.slot,
                    "worker_pid": worker.pid,
                    "reason": error.reason,
                },
            )
        if not worker.receiver.open:
            self._events.forget(worker.receiver.fd)

    def _take(self, worker: Process, kind: Kind, payload: bytes) -> None:
        if kind is Kind.READY:
            worker.become_ready()
            old = worker.replaces
            if old is not None and old.serves:
                self.stop(old)
        elif kind is Kind.BEAT:
            self._weigh(worker, parse_beat(payload))
        elif kind is Kind.RECYCLE:
            self._recycle(worker, parse_reason(payload))
        elif kind is Kind.RESULTS:
            worker.signalled, worker.results = unpack(payload)
        else:
            worker.failure = Failure.unpack(payload)
        worker.heard(self.options.worker_timeout)

    def _weigh(self, worker: Process, memory: int) -> None:
        most = self.options.max_memory
        if most is not None and memory > most:
            self._recycle(worker, f"it uses {memory} bytes of memory")

    def _recycle(self, worker: Process, reason: str) -> None:
        if worker.stale is None:
            worker.stale = reason
            _log.info(
                "Worker %d is replaced: %s.",
                worker.slot,
                reason,
                extra={"slot": worker.slot, "reason": reason},
            )

    # --- stopping and burying them ----------------------------------------

    def stop(self, worker: Process, number: int = signal.SIGTERM) -> None:
        """Ask a worker to end."""
        worker.stop(number, self.options.graceful_timeout)

    def send(self, number: int) -> None:
        """Pass a signal on to all workers."""
        for worker in self.workers.values():
            worker.send(number)

    def expire(self) -> list[Process]:
        """Do what follows when a worker's time is up; return the late."""
        late = [
            worker
            for worker in self.workers.values()
            if worker.deadline <= now()
        ]
        for worker in late:
            if worker.serves:
                worker.hang()
            else:
                worker.kill()
        return late

    def postpone(self, seconds: float) -> None:
        """Give all workers more time: their parent stood still itself."""
        for worker in self.workers.values():
            worker.deadline += seconds
            worker.boot_deadline += seconds

    def due(self) -> float:
        """Tell when the time of a worker is up."""
        return min(
            (worker.deadline for worker in self.workers.values()),
            default=float("inf"),
        )

    def start_due(self) -> float:
        """Tell when a worker is to be started."""
        missing = [
            slot.due
            for slot in self.slots
            if not slot.done and not self.serving(slot.number)
        ]
        if not self.replacing():
            missing += [self.slots[old.slot].due for old in self.stale()]
        return min(missing, default=float("inf"))

    def reap(self) -> list[tuple[Process, int]]:
        """Return the workers that have ended, with their exit codes."""
        ended: list[tuple[Process, int]] = []
        for pid, status in _ended(list(self.workers)):
            worker = self.workers.get(pid)
            if worker is None:
                continue  # an orphan that was given to process 1
            if worker.receiver.open:
                self.read(worker, alive=False)
            if worker.receiver.open:
                self._events.forget(worker.receiver.fd)
            os.close(worker.receiver.fd)
            del self.workers[pid]
            for other in self.workers.values():
                if other.replaces is worker:
                    other.replaces = None
            ended.append((worker, os.waitstatus_to_exitcode(status)))
        return ended


def _ended(pids: list[int]) -> t.Iterator[tuple[int, int]]:
    """Yield the children that ended: as process 1, orphans, too."""
    if os.getpid() == 1:
        pids = [-1]
    for pid in pids:
        while True:
            try:
                found, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                break
            if found == 0:
                break
            yield found, status
