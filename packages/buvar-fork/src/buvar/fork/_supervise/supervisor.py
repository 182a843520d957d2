"""The shell: waits, forks, buries, and carries out what the policy says."""

from __future__ import annotations

import collections
import contextlib
import logging
import os
import signal
import time
import typing as t

from buvar.fork._announce import announce
from buvar.fork._errors import ForkError
from buvar.fork._ipc import MessageError
from buvar.fork._listeners import Listeners
from buvar.fork._notify import Notifier
from buvar.fork._options import Options
from buvar.fork._preload import load_too
from buvar.fork._results import checked
from buvar.fork._sharing import Broker
from buvar.fork._sharing import Loaded
from buvar.fork._spawn import Spawned
from buvar.fork._spawn import Spawner

from . import commands as do
from . import events as happened
from . import reporting
from .inbox import Inbox
from .messages import event_of
from .phases import Ended
from .policy import step
from .state import Service


#: Workers are what somebody reads about, not files of this package.
_log = logging.getLogger("buvar.fork")

#: Waking up that much later than planned, in seconds, means that this
#: process stood still, and so did its workers.
_STANDSTILL: t.Final = 0.1

#: The clock of all deadlines: it does not run while the machine sleeps.
_now: t.Final = time.monotonic


class Supervisor:
    """
    Keeps workers running until they are done, or told to end.

    Args:
        options: What the workers run, and their bounds.
        listeners: What they listen on.
        inbox: What reports signals, entered by the caller.
    """

    def __init__(
        self, options: Options, listeners: Listeners, inbox: Inbox
    ) -> None:
        self.service = Service(options)
        self._inbox = inbox
        self._listeners = listeners
        self._notifier = Notifier()
        self._children: dict[int, Spawned] = {}
        self._broker = Broker()
        self._spawner = Spawner(
            options, listeners, self._broker, self._abandon
        )

    def _abandon(self) -> None:
        """Close, in a child, what it has of its siblings."""
        for child in self._children.values():
            os.close(child.receiver.fd)
        self._inbox.abandon()

    def run(self) -> list[t.Any]:
        """
        Run the workers.

        Returns:
            The results of their stages, worker by worker.

        Raises:
            WorkersFailedError: They failed.
            ResultError: A result cannot be handed over.
        """
        self._inbox.watch(self._broker.fd, self._broker)
        try:
            # The first turn takes the signals that came before the first
            # worker is started.
            while not isinstance(self.service.phase, Ended):
                self._turn()
        finally:
            self._kill_all()
            self._inbox.forget(self._broker.fd)
            self._broker.close()
            self._spawner.close()
        if self.service.error is not None:
            raise self.service.error
        return checked(self.service.results())

    # --- from what happens to events --------------------------------------

    def _turn(self) -> None:
        """Wait, and take what has happened."""
        self._notifier.heartbeat(_now())
        due = min(self.service.due(), self._notifier.due)
        start = _now()
        readable, signals = self._inbox.wait(max(0.0, due - start))
        # What workers have loaded counts before they are ready.
        if self._broker in readable:
            readable.remove(self._broker)
            self._asked()
        for key in readable:
            self._read(key, self._children[key])
        if _now() - max(start, due) > _STANDSTILL:
            self._take(happened.StoodStill(_now() - start))
        for number in signals:
            self._signalled(number)
        # After any of them: so many may come that no room is left for one.
        if signals:
            self._reap()
        self._take(happened.Tick())

    def _signalled(self, number: signal.Signals) -> None:
        terminal = self._inbox.terminal
        if number != signal.SIGHUP or not terminal.just_closed():
            self._take(happened.Signal(number))
        elif not terminal.ignored:
            self._take(happened.TerminalClosed())

    def _read(self, key: int, child: Spawned) -> None:
        """Take in what a worker has said."""
        receiver = child.receiver
        events: list[happened.Event] = []
        try:
            for kind, payload in receiver.receive():
                events.append(event_of(key, kind, payload))
        except MessageError as error:
            receiver.open = False
            events.append(happened.Misbehaved(key, error.reason))
        for event in events:
            self._take(event)
        if not receiver.open:
            self._inbox.forget(receiver.fd)

    def _asked(self) -> None:
        """Take in which sockets workers ask for, and what they loaded."""
        for request in self._broker.receive():
            if isinstance(request, Loaded):
                load_too(request.modules)
                continue
            known = self._listeners.shares(request.uri)
            self._take(happened.AddressAsked(request.key, request, known))

    def _reap(self) -> None:
        """Take in which workers have ended."""
        keys = {child.pid: key for key, child in self._children.items()}
        for pid, status in _ended(list(keys)):
            key = keys.get(pid)
            if key is None:
                continue  # an orphan that was given to process 1
            # From here on its id may be that of another process.
            child = self._children.pop(key)
            if child.receiver.open:
                self._read(key, child)
            if child.receiver.open:
                self._inbox.forget(child.receiver.fd)
            os.close(child.receiver.fd)
            code = os.waitstatus_to_exitcode(status)
            self._take(happened.Exited(key, code))

    # --- from commands to deeds -------------------------------------------

    def _take(self, event: happened.Event) -> None:
        """Have the policy decide, and do what it says."""
        events = collections.deque([event])
        while events:
            for command in step(self.service, events.popleft(), _now()):
                answer = self._carry_out(command)
                if answer is not None:
                    events.append(answer)

    def _carry_out(self, command: do.Command) -> happened.Event | None:  # noqa: C901 - a table
        match command:
            case do.Start():
                return self._start(command)
            case do.Send(key, number):
                self._send(key, number)
            case do.StopAccepting():
                self._listeners.stop_accepting()
                if not self._listeners.has_queue():
                    return happened.QueueSeen(pending=False)
            case do.LookAtQueue():
                return happened.QueueSeen(self._listeners.pending())
            case do.CloseSockets():
                self._listeners.close()
            case do.DropSlot(slot, role):
                self._listeners.drop_slot(slot, role)
            case do.Grant(request, slot, role):
                self._broker.grant(request, slot, role, self._listeners)
            case do.Refuse(request, reason):
                self._broker.refuse(request, reason)
            case do.LogFailure(failure, message, args, extra):
                failure.log(_log, message, args, extra)
            case do.Log(level, message, args, extra):
                _log.log(level, message, *args, extra=dict(extra))
            case _:
                self._tell(command)
        return None

    def _tell(self, command: do.Command) -> None:
        """Say how the service is to whom it concerns."""
        match command:
            case do.Announce(workers, roles):
                announce(workers, self._listeners.for_all(), roles)
            case do.TellStopping():
                self._spawner.tell_stopping()
            case do.NotifyReady(workers, roles):
                numbers = [f"{number} {role}" for role, number in roles]
                text = ", ".join(numbers) or f"{workers} workers"
                self._notifier.ready(text)
            case do.NotifyReloading():
                self._notifier.reloading()
            case _:
                self._notifier.stopping()

    def _start(self, command: do.Start) -> happened.Event:
        try:
            child = self._spawner.spawn(
                command.key, command.slot, command.generation, command.role
            )
        except (OSError, ForkError) as error:
            return happened.StartFailed(command.key, str(error))
        self._children[command.key] = child
        self._inbox.watch(child.receiver.fd, command.key)
        place = self.service.workers[command.key].slot
        _log.info(
            "Worker %s started, process %d.",
            place.label,
            child.pid,
            extra={**reporting.place(place), "worker_pid": child.pid},
        )
        return happened.Started(command.key, child.pid)

    def _send(self, key: int, number: int) -> None:
        """Send a signal, unless the worker was reaped."""
        child = self._children.get(key)
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, number)

    def _kill_all(self) -> None:
        """Leave no worker behind, whatever went wrong."""
        for key, child in self._children.items():
            self._send(key, signal.SIGKILL)
            os.waitpid(child.pid, 0)
            os.close(child.receiver.fd)


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
