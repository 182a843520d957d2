"""Log lines about workers, and the exit code that their failures lead to."""

from __future__ import annotations

from buvar.fork._errors import BootError
from buvar.fork._errors import WorkersFailedError
from buvar.fork._failure import boot_code

from . import commands as do
from .phases import Booting
from .phases import Finishing
from .signals import signal_name
from .state import Finished
from .state import Slot
from .state import Worker
from .turn import Turn


def ended(turn: Turn, worker: Worker, code: int) -> None:
    """Say why a worker ended, at length only once for failures alike."""
    failure, printed = worker.failure, turn.service.printed
    if failure is not None and not printed.knows(failure):
        printed.note(failure)
        turn.do(
            do.LogFailure(
                failure,
                "Worker %s (process %d) failed.",
                (worker.slot.label, worker.pid),
                {**facts(worker), "code": code},
            )
        )
        return
    turn.error(
        "Worker %s (process %d) ended: %s",
        worker.slot.label,
        worker.pid,
        _reason(worker, code),
        **facts(worker),
        code=code,
    )


def _reason(worker: Worker, code: int) -> str:
    if worker.failure is not None:
        return "it failed as before"
    if code < 0:
        return f"killed by {signal_name(-code)}"
    if isinstance(worker.outcome, Finished):
        return f"it exited with code {code}"
    return f"it exited with code {code}, in the middle of its stage"


def failed(turn: Turn, worker: Worker, code: int) -> None:
    """Note a failure that ends the service: the first decides its code."""
    failure = worker.failure
    if failure is None or not turn.service.printed.knows(failure):
        ended(turn, worker, code)
    if turn.service.error is None:
        turn.service.error = _error_of(worker, code)


def _error_of(worker: Worker, code: int) -> WorkersFailedError:
    slot = worker.slot.label
    if not worker.booted:
        failure = worker.failure
        known = boot_code(failure.code) if failure is not None else 3
        return BootError(f"Worker {slot} cannot boot", code=known)
    if worker.crashing:
        fault = "hung" if worker.overdue else "sent invalid messages"
        return WorkersFailedError(f"Worker {slot} {fault}", code=1)
    if code < 0:
        return WorkersFailedError(
            f"Worker {slot} was ended by {signal_name(-code)}",
            code=128 - code,
        )
    # Exit code 0 without a finished stage is still a failure.
    return WorkersFailedError(f"Worker {slot} failed", code=code or 1)


def hangs(turn: Turn, worker: Worker) -> None:
    """Say that the time of a worker that is to serve is up."""
    phase = worker.phase
    if isinstance(phase, Finishing) and phase.heartbeat_due > turn.now:
        does_not_end(turn, worker)
        return
    if isinstance(phase, Booting) and phase.boot_due <= turn.now:
        text = (
            "Worker %s (process %d) does not become ready: its plugins "
            "still prepare, or wait. It is killed."
        )
        turn.error(text, worker.slot.label, worker.pid, **facts(worker))
        return
    turn.error(
        "Worker %s (process %d) has been silent for %g s: its event "
        "loop is blocked. It is killed; where it hangs is on stderr.",
        worker.slot.label,
        worker.pid,
        worker.slot.options.worker_timeout,
        **facts(worker),
    )


def does_not_end(turn: Turn, worker: Worker) -> None:
    """Say that a worker needs too much time to end."""
    turn.error(
        "Worker %s (process %d) does not end in time. It is killed; where "
        "it is blocked is on stderr.",
        worker.slot.label,
        worker.pid,
        **facts(worker),
    )


def facts(worker: Worker) -> dict[str, object]:
    """Return what identifies a worker in a log."""
    return {**place(worker.slot), "worker_pid": worker.pid}


def place(slot: Slot) -> dict[str, object]:
    """Return what identifies the place of a worker in a log."""
    role = slot.options.role
    return {"slot": slot.number, **({"role": role} if role else {})}
