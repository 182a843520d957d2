"""What is said about workers, and what their failures mean in the end."""

from __future__ import annotations

import logging
import signal

from ._errors import BootError
from ._errors import WorkersFailedError
from ._failure import Printed
from ._process import Process
from ._process import WorkerState
from ._process import now


_log = logging.getLogger("buvar.fork")


class Report:
    """
    Logs what happens to workers, and keeps what decides the exit code.

    Attributes:
        error: The first failure that ended it all, if any did.
    """

    def __init__(self, worker_timeout: float) -> None:
        self.error: WorkersFailedError | None = None
        self._printed = Printed()
        self._worker_timeout = worker_timeout

    def late(self, worker: Process) -> None:
        """Say that a worker hangs."""
        if worker.state is not WorkerState.HUNG:
            return
        if worker.overdue and worker.boot_deadline <= now():
            _log.error(
                "Worker %d (process %d) does not become ready: its plugins "
                "still prepare, or wait. It is killed.",
                worker.slot,
                worker.pid,
                extra=_facts(worker),
            )
        else:
            _log.error(
                "Worker %d (process %d) has been silent for %g s: its event "
                "loop is blocked. It is killed; where it hangs is on stderr.",
                worker.slot,
                worker.pid,
                self._worker_timeout,
                extra=_facts(worker),
            )

    def signalled(self, worker: Process) -> None:
        """Say that somebody else has ended a worker, in good order."""
        _log.warning(
            "Worker %d was ended by a signal; it is replaced.",
            worker.slot,
            extra=_facts(worker),
        )

    def ended(self, worker: Process, code: int) -> None:
        """Say why a worker ended, at length only once."""
        failure = worker.failure
        if failure is not None and not self._printed.knows(failure):
            self._printed.note(failure)
            failure.log(
                _log,
                "Worker %d (process %d) failed.",
                (worker.slot, worker.pid),
                {**_facts(worker), "code": code},
            )
            return
        if failure is not None:
            text = "it failed as before"
        elif code < 0:
            text = f"killed by {signal_name(-code)}"
        elif worker.results is None:
            text = f"it exited with code {code}, in the middle of its stage"
        else:
            text = f"it exited with code {code}"
        _log.error(
            "Worker %d (process %d) ended: %s",
            worker.slot,
            worker.pid,
            text,
            extra={**_facts(worker), "code": code},
        )

    def restarts(self, worker: Process, wait: float) -> None:
        """Say when a worker is started again."""
        _log.warning(
            "Worker %d is started again in %.2f s.",
            worker.slot,
            wait,
            extra={**_facts(worker), "wait": wait},
        )

    def failed(self, worker: Process, code: int) -> None:
        """Note a failure: the first one decides the exit code."""
        failure = worker.failure
        if failure is None or not self._printed.knows(failure):
            self.ended(worker, code)
        if self.error is None:
            self.error = _error_of(worker, code)


def signal_name(number: int) -> str:
    """Name a signal; those for real time have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _facts(worker: Process) -> dict[str, object]:
    return {"slot": worker.slot, "worker_pid": worker.pid}


def _error_of(worker: Process, code: int) -> WorkersFailedError:
    if worker.ready_at is None:
        return BootError(f"Worker {worker.slot} cannot boot")
    if code < 0:
        return WorkersFailedError(
            f"Worker {worker.slot} was ended by {signal_name(-code)}",
            code=128 - code,
        )
    # Who leaves without a word has not done what he is there for.
    return WorkersFailedError(f"Worker {worker.slot} failed", code=code or 1)
