"""
The supervisor: a state machine driven by signals, pipes and deadlines.

It runs no event loop and no plugin, so there is nothing in it that a worker
could inherit, and nothing that a plugin could block.
"""

from __future__ import annotations

import logging
import os
import signal
import typing as t

from ._announce import announce
from ._events import FORWARDED
from ._events import Events
from ._listeners import Listeners
from ._notify import Notifier
from ._options import Options
from ._pool import Pool
from ._process import Process
from ._process import WorkerState
from ._process import now
from ._report import Report
from ._results import checked
from ._sockets import HANDSHAKE
from ._sockets import QUEUE
from ._sockets import TICK
from ._state import UP
from ._state import State


_log = logging.getLogger("buvar.fork")

#: Who wakes up that much too late stood still, and so did its workers.
_STANDSTILL: t.Final = 0.1
#: How long workers that were told twice to end may take, in seconds.
_HURRY: t.Final = 3.0


#: What workers are told to end with.
_STOP: t.Final = frozenset({signal.SIGINT, signal.SIGTERM})
_QUIT: t.Final = _STOP | {signal.SIGQUIT}


class Supervisor:
    """
    Keeps workers running until they are done, or told to end.

    Args:
        options: What the workers run, and their bounds.
        listeners: What they listen on.
    """

    def __init__(self, options: Options, listeners: Listeners) -> None:
        self.options = options
        self.state = State.BOOTING
        self.events = Events()
        self.pool = Pool(options, listeners, self.events)
        self._listeners = listeners
        self._notifier = Notifier()
        self._report = Report(options.worker_timeout)
        self._quit: int = signal.SIGTERM
        self._was_ready = False
        self._began = self._look = 0.0

    def run(self) -> list[t.Any]:
        """
        Run the workers.

        Returns:
            The results of their stages, worker by worker.

        Raises:
            WorkersFailedError: They failed.
            ResultError: A result cannot be handed over.
        """
        with self.events:
            try:
                while not self._advance():
                    self._wait()
            finally:
                self._kill_all()
                self.pool.close()
        if self._report.error is not None:
            raise self._report.error
        return checked(self.pool.slots.results())

    def _wait(self) -> None:
        """Wait for the next event, or until something is due."""
        due = min(self.pool.due(), self._notifier.due)
        if self.state in UP:
            due = min(due, self.pool.start_due())
        elif self.state is State.CLOSING:
            due = min(due, self._look)
        start = now()
        timeout = None if due == float("inf") else max(0.0, due - start)
        readable, signals = self.events.wait(timeout)
        for worker in readable:
            self.pool.read(worker)
        if now() - max(start, due) > _STANDSTILL:
            self.pool.postpone(now() - start)
        for number in signals:
            self._handle(number)
        # After any of them: so many may come that no room is left for one.
        if signals:
            for worker, code in self.pool.reap():
                self._ended(worker, code)
        for worker in self.pool.expire():
            self._report.late(worker)

    # --- signals ----------------------------------------------------------

    def _handle(self, number: signal.Signals) -> None:
        if number in _QUIT:
            self._quit_by(number)
        elif number in FORWARDED:
            self.pool.send(number)
        elif self.state not in UP:
            pass  # too late to change the number of workers
        elif number == signal.SIGHUP:
            _log.info("Reloading.")
            self.pool.reload()
        elif number == signal.SIGTTIN:
            self.pool.resize(+1)
        elif number == signal.SIGTTOU:
            self.pool.resize(-1)

    def _quit_by(self, number: signal.Signals) -> None:
        if self.state in UP and number != signal.SIGQUIT:
            self._quit = number
            self._close()
        elif self.state is State.HURRYING:
            for worker in self.pool.workers.values():
                worker.kill()
        else:
            self._stop(State.HURRYING)

    # --- the way up, and staying there ------------------------------------

    def _advance(self) -> bool:
        """Do what the state asks for, and tell whether all is done."""
        self._notifier.beat(now())
        if self.state in UP:
            self.pool.fill()
            self._replace()
            if all(slot.done for slot in self.pool.slots):
                self._stop(State.STOPPING)
        if self.state is State.CLOSING:
            self._watch_queue()
        stopping = self.state in (State.STOPPING, State.HURRYING)
        if stopping and not self.pool.workers:
            self.state = State.ENDED
        return self.state is State.ENDED

    def _replace(self) -> None:
        if not self._was_ready:
            if not self.pool.complete():
                return
            self._was_ready = True
            self._become_running()
        self.pool.replace()
        if self.pool.stale() or self.pool.replacing():
            if self.state is not State.RELOADING:
                self.state = State.RELOADING
                self._notifier.reloading()
        elif self.state is State.RELOADING and self.pool.complete():
            self._become_running()

    def _become_running(self) -> None:
        number = len(self.pool.workers)
        if self.state is State.RELOADING:
            _log.info(
                "%d workers are ready.", number, extra={"workers": number}
            )
        else:
            announce(number, self._listeners.for_slot(1))
        self.state = State.RUNNING
        self._notifier.ready(f"{number} workers")

    # --- what happens to workers ------------------------------------------

    def _ended(self, worker: Process, code: int) -> None:
        if self.state in UP:
            self._ended_early(worker, code)
            return
        slot = worker.slot
        if worker.hung:
            # That was before, and it had been replaced, or was given up.
            self._report.ended(worker, code)
            return
        if worker.results is not None and slot in self.pool.slots:
            self.pool.slots[slot].results = worker.results
        # One that the very signal has killed could not handle it yet.
        if code and -code not in _STOP:
            self._report.failed(worker, code)

    def _ended_early(self, worker: Process, code: int) -> None:
        """React to a worker's end while the service goes on."""
        if worker.slot not in self.pool.slots:
            return
        slot = self.pool.slots[worker.slot]
        if worker.serves and worker.finished and code == 0:
            if worker.signalled:
                self._report.signalled(worker)
                return
            slot.done = True
            slot.results = worker.results or []
        elif worker.state is WorkerState.STOPPING:
            if code and worker.failure is not None:
                self._report.ended(worker, code)
        elif code or worker.serves:
            self._crashed(worker, code)

    def _crashed(self, worker: Process, code: int) -> None:
        slot = self.pool.slots[worker.slot]
        booted = worker.ready_at is not None
        cannot = worker.failure is not None or worker.overdue
        if cannot and not booted and not self._was_ready:
            self._give_up(worker, code)
            return
        own_fault = not booted or code >= 0
        wait = slot.crashed(worker.age(), failed=own_fault)
        most = self.options.max_failures
        if most and slot.failures >= most and not self._stable():
            self._give_up(worker, code)
            return
        self._report.ended(worker, code)
        old = worker.replaces
        if old is not None and old.generation < self.pool.generation:
            _log.error("Reloading failed, the old workers go on.")
            self.pool.keep_old()
        elif old is not None or not self.pool.serving(worker.slot):
            # One that hung has a successor by now.
            self._report.restarts(worker, wait)

    def _stable(self) -> bool:
        """Tell whether a worker has been fine for long enough."""
        return any(
            worker.age() >= self.options.stable_after
            for worker in self.pool.serving()
        )

    # --- the way down -----------------------------------------------------

    def _give_up(self, worker: Process, code: int) -> None:
        self._report.failed(worker, code)
        self._stop(State.STOPPING)
        for other in self.pool.workers.values():
            if other.ready_at is None:  # it serves nobody
                other.deadline = min(other.deadline, now() + _HURRY)

    def _close(self) -> None:
        """Stop, the orderly way: nobody who was let in is turned away."""
        _log.info("Stopping.")
        self._notifier.stopping()
        self.state = State.CLOSING
        wait = HANDSHAKE if self._listeners.barred() else 0.0
        self._listeners.bar()
        self._began = now()
        self._look = now() + wait

    def _watch_queue(self) -> None:
        if now() < self._look:
            return
        if (
            self.pool.serving()
            and self._listeners.pending()
            and now() < self._began + QUEUE
        ):
            self._look = now() + TICK
        else:
            self._stop(State.STOPPING)

    def _stop(self, state: State) -> None:
        """Have all workers end."""
        self.state = state
        self._listeners.close()
        for worker in list(self.pool.workers.values()):
            if state is State.STOPPING:
                self.pool.stop(worker, self._quit)
                continue
            if worker.serves:
                worker.stop(self._quit, _HURRY)
            # Another one than before: two of a kind may arrive as one.
            for number in _STOP - {self._quit}:
                worker.send(number)
            worker.deadline = min(worker.deadline, now() + _HURRY)

    def _kill_all(self) -> None:
        """Leave no worker behind, whatever went wrong."""
        for worker in self.pool.workers.values():
            worker.kill()
            os.waitpid(worker.pid, 0)
            os.close(worker.receiver.fd)
