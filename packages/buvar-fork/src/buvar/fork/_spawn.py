"""Fork a worker."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import threading
import traceback
import typing as t
import warnings

from ._child import WorkerMain
from ._ipc import Receiver
from ._ipc import Sender
from ._listeners import Listeners
from ._options import Options
from ._parent import ParentDeathSignal
from ._sharing import Broker
from ._sockets import Socket
from ._streams import flush
from ._supervise.signals import FORWARDED
from ._supervise.signals import HANDLED
from ._title import Title
from ._worker import Worker


_log = logging.getLogger("buvar.fork")


@dataclasses.dataclass(frozen=True, slots=True)
class Spawned:
    """
    A worker as a process.

    Attributes:
        pid: Its id.
        receiver: What it tells.
    """

    pid: int
    receiver: Receiver


class Spawner:
    """
    Forks workers.

    Args:
        options: What they run.
        listeners: What they listen on.
        broker: Where they ask for more to listen on.
        abandon: Called in the child to close what is only its parent's.
    """

    def __init__(
        self,
        options: Options,
        listeners: Listeners,
        broker: Broker,
        abandon: t.Callable[[], None],
    ) -> None:
        self._roles = {role.role: role for role in options.each_role()}
        self._listeners = listeners
        self._broker = broker
        self._abandon = abandon
        #: Nothing is written to it: it ends when the parent does.
        self._lifeline, self._life = os.pipe()
        #: Neither to this one: it ends when the service begins to stop.
        self._stopping, self._running = os.pipe()
        self._told = False
        self._parent_death = ParentDeathSignal()
        self._title = Title(options.title)
        forks = sum(role.forks for role in options.each_role())
        self._title.show(f"supervisor of {forks}")
        self._threads_named = False

    def tell_stopping(self) -> None:
        """Tell all workers that the service is going to stop."""
        if not self._told:
            self._told = True
            os.close(self._running)

    def close(self) -> None:
        """Close the pipes that the workers watch."""
        self.tell_stopping()
        os.close(self._stopping)
        os.close(self._lifeline)
        os.close(self._life)

    def spawn(
        self, key: int, slot: int, generation: int, role: str
    ) -> Spawned:
        """
        Fork a worker and return what its parent needs to know.

        Args:
            key: Identifies it.
            slot: The number of its place.
            generation: How many reloads there were.
            role: The name of its role.

        Raises:
            OSError: There are too many processes, or files.
            BindError: A socket of its own cannot be bound.
        """
        options = self._roles[role]
        sockets = self._listeners.for_slot(slot, role)
        self._name_threads()
        # What is buffered here must not be printed by the child, too.
        flush()
        receive, send = os.pipe()
        # From here until the stage of the child handles them, signals wait.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED | FORWARDED)
        try:
            pid = _fork()
            if pid == 0:
                identity = (key, slot, generation)
                self._run(options, identity, (receive, send), sockets)
        except BaseException:
            os.close(receive)
            raise
        finally:
            os.close(send)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return Spawned(pid, Receiver(receive))

    def _name_threads(self) -> None:
        """Say once which threads the workers do not have."""
        if self._threads_named or threading.active_count() == 1:
            return
        self._threads_named = True
        names = sorted(
            thread.name
            for thread in threading.enumerate()
            if thread is not threading.main_thread()
        )
        _log.warning(
            "Threads run while workers are forked: %s. The workers do not "
            "have them, and a lock that one of them holds is never released "
            "there; start them in 'prepare'.",
            ", ".join(names),
            extra={"threads": names},
        )

    def _run(
        self,
        options: Options,
        identity: tuple[int, int, int],
        pipe: tuple[int, int],
        sockets: t.Iterable[Socket],
    ) -> t.NoReturn:
        """Be the worker; never returns, so that nothing is unwound twice."""
        code = 1
        try:
            os.close(pipe[0])
            os.close(self._life)
            self.tell_stopping()
            self._abandon()
            sender = Sender(pipe[1])
            code = self._child(options, identity, sender, sockets).run()
        except BaseException:  # noqa: BLE001 - nothing above may see it
            traceback.print_exc()
        finally:
            flush()
            os._exit(code)

    def _child(
        self,
        options: Options,
        identity: tuple[int, int, int],
        sender: Sender,
        sockets: t.Iterable[Socket],
    ) -> WorkerMain:
        key, slot, generation = identity
        worker = Worker(
            slot,
            generation,
            role=options.role,
            max_requests=options.max_requests,
            jitter=options.max_requests_jitter,
            sender=sender,
            asker=self._broker.asker(key, options.forks),
            stopping=self._stopping,
            exclusive=options.exclusive,
        )
        return WorkerMain(
            options,
            worker,
            sender,
            sockets,
            self._lifeline,
            parent_death=self._parent_death,
            title=self._title,
        )


def _fork() -> int:
    """
    Fork, whatever the interpreter thinks of threads.

    Its warning comes when the child exists already: as an error, with
    ``-W error``, it would leave a child that nobody knows. The threads are
    named in the log instead.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
