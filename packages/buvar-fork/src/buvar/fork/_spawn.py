"""Fork a worker."""

from __future__ import annotations

import math
import os
import signal
import traceback
import typing as t

from ._child import Child
from ._events import FORWARDED
from ._events import HANDLED
from ._listeners import Listeners
from ._options import Options
from ._parent import Leash
from ._process import Process
from ._process import now
from ._streams import flush
from ._title import Title
from ._wire import Receiver
from ._wire import Sender
from ._worker import Worker


class Spawner:
    """
    Forks workers.

    Args:
        options: What they run.
        listeners: What they listen on.
        abandon: Called in the child to close what is only its parent's.
    """

    def __init__(
        self,
        options: Options,
        listeners: Listeners,
        abandon: t.Callable[[], None],
    ) -> None:
        self._options = options
        self._listeners = listeners
        self._abandon = abandon
        #: Nobody writes to it: it ends when the parent does.
        self._lifeline, self._life = os.pipe()
        self._leash = Leash()
        self._title = Title(options.title)
        self._title.show(f"supervisor of {options.forks}")

    def close(self) -> None:
        """Close the pipe that the workers watch."""
        os.close(self._lifeline)
        os.close(self._life)

    def spawn(
        self, slot: int, generation: int, replaces: Process | None
    ) -> Process:
        """
        Fork a worker and return what its parent needs to know.

        Raises:
            OSError: There are too many processes, or files.
        """
        sockets = self._listeners.for_slot(slot)
        # What is buffered here must not be printed by the child, too.
        flush()
        receive, send = os.pipe()
        # From here until the stage of the child handles them, signals wait.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED | FORWARDED)
        try:
            pid = os.fork()
            if pid == 0:
                self._run(slot, generation, (receive, send), sockets)
        except BaseException:
            os.close(receive)
            raise
        finally:
            os.close(send)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        boot_timeout = self._options.boot_timeout
        worker = Process(
            slot=slot,
            generation=generation,
            pid=pid,
            receiver=Receiver(receive),
            deadline=0.0,
            boot_deadline=math.inf
            if boot_timeout is None
            else now() + boot_timeout,
            replaces=replaces,
        )
        worker.heard(self._options.worker_timeout)
        return worker

    def _run(
        self,
        slot: int,
        generation: int,
        pipe: tuple[int, int],
        sockets: t.Any,
    ) -> t.NoReturn:
        """Be the worker; never returns, so that nothing is unwound twice."""
        code = 1
        try:
            os.close(pipe[0])
            os.close(self._life)
            self._abandon()
            sender = Sender(pipe[1])
            worker = Worker(
                slot,
                generation,
                max_requests=self._options.max_requests,
                sender=sender,
            )
            child = Child(
                self._options,
                worker,
                sender,
                sockets,
                self._lifeline,
                leash=self._leash,
                title=self._title,
            )
            code = child.run()
        except BaseException:  # noqa: BLE001 - there is nobody above
            traceback.print_exc()
        finally:
            flush()
            os._exit(code)
