"""The way down: no newcomers, an orderly end, a forced one."""

from __future__ import annotations

import dataclasses
import math
import signal
import typing as t

from buvar.fork._sockets import HANDSHAKE
from buvar.fork._sockets import QUEUE
from buvar.fork._sockets import TICK

from . import backoff
from . import commands as do
from . import reporting
from .phases import Booting
from .phases import Closing
from .phases import Ended
from .phases import Ending
from .phases import Finishing
from .phases import Killed
from .phases import LastWords
from .phases import Leaving
from .phases import Ready
from .phases import Stopping
from .state import Finished
from .state import Service
from .state import Worker
from .turn import Turn


#: Seconds in which a worker that is killed may say where it is blocked.
LAST_WORDS: t.Final = 0.3
#: Seconds that workers get to end once they were told to drop everything:
#: with the last words a second signal ends a service within two seconds.
FORCED: t.Final = 1.3
#: Seconds that workers get to end when none of them can boot.
GIVEN_UP: t.Final = 3.0
#: Seconds until it is first said who is waited for; doubled each time.
PATIENCE: t.Final = 2.0

#: What workers are told to end with.
_STOP: t.Final = frozenset({signal.SIGINT, signal.SIGTERM})


# --- one worker ------------------------------------------------------------


def stop(turn: Turn, worker: Worker, number: int, seconds: float) -> None:
    """Ask a worker to end within some seconds."""
    if worker.serves:
        due = turn.now + seconds
        if isinstance(worker.phase, Finishing):
            # It has begun to end already.
            due = min(due, worker.phase.end_due)
        worker.phase = Stopping(worker.served, due)
        turn.send(worker, number)


def finish(turn: Turn, worker: Worker) -> None:
    """Note that the stage of a worker ends by itself: that has a bound."""
    phase = worker.phase
    end_due = turn.now + worker.slot.options.finish_timeout
    if isinstance(phase, Booting):
        worker.phase = Finishing(
            None, phase.heartbeat_due, end_due, phase.boot_due
        )
    elif isinstance(phase, Ready):
        worker.phase = Finishing(phase.served, phase.heartbeat_due, end_due)


def retire(turn: Turn, worker: Worker) -> None:
    """Ask a worker to end in good order, as others go on."""
    seconds = worker.slot.options.graceful_timeout
    stop(turn, worker, signal.SIGTERM, seconds)


def kill(turn: Turn, worker: Worker, *, crashing: bool = False) -> None:
    """End a worker at once; its end may be a crash of its own."""
    worker.phase = Killed(
        worker.served,
        crashing=worker.crashing or crashing,
        overdue=worker.overdue,
    )
    turn.send(worker, signal.SIGKILL)


def expire(turn: Turn) -> None:
    """Do what follows when the time of a worker is up."""
    for worker in turn.service.workers.values():
        if worker.phase.due > turn.now:
            continue
        if isinstance(worker.phase, LastWords):
            kill(turn, worker)
            continue
        if worker.serves:
            reporting.hangs(turn, worker)
            backoff.note_crash(turn, worker)
        else:
            reporting.does_not_end(turn, worker)
        worker.phase = LastWords(
            worker.served, turn.now + LAST_WORDS, crashing=worker.serves
        )
        turn.send(worker, signal.SIGQUIT)


def postpone(service: Service, seconds: float) -> None:
    """Give all workers more time: their supervisor stood still itself."""
    for worker in service.workers.values():
        phase = worker.phase
        if isinstance(phase, Booting):
            worker.phase = Booting(
                phase.heartbeat_due + seconds, phase.boot_due + seconds
            )
        elif isinstance(phase, Finishing):
            worker.phase = Finishing(
                phase.served,
                phase.heartbeat_due + seconds,
                phase.end_due + seconds,
                phase.boot_due + seconds,
            )
        elif isinstance(phase, Ready):
            worker.phase = dataclasses.replace(
                phase, heartbeat_due=phase.heartbeat_due + seconds
            )
        else:
            worker.phase = dataclasses.replace(phase, due=phase.due + seconds)


# --- all of them -----------------------------------------------------------


def end_by(turn: Turn, number: int) -> None:
    """Take a signal that ends the service: once, twice, three times."""
    phase = turn.service.phase
    if turn.service.up and number != signal.SIGQUIT:
        leave(turn, number)
    elif (
        isinstance(phase, Leaving)
        and not phase.until_idle
        and number != signal.SIGQUIT
    ):
        close(turn, number)
    elif isinstance(phase, Ending) and phase.forced:
        for worker in turn.service.workers.values():
            kill(turn, worker)
    else:
        force(turn)


def leave(turn: Turn, number: int) -> None:
    """Stop, once those that send connections here have noticed."""
    turn.do(do.NotifyStopping())
    turn.do(do.TellStopping())
    workers = turn.service.serving()
    delay = max((worker.delay for worker in workers), default=0.0)
    busy = max((worker.busy for worker in workers), default=0.0)
    if not delay and not busy:
        close(turn, number)
        return
    if delay:
        turn.info(
            "Stopping in %g s; connections are accepted until then.",
            delay,
            delay=delay,
        )
    else:
        turn.info("Stopping.")
    turn.service.phase = Leaving(
        number, turn.now + (delay or busy), until_idle=not delay
    )


def left(turn: Turn) -> None:
    """Stop once that time is over, or no worker needs more of it."""
    phase = turn.service.phase
    if not isinstance(phase, Leaving):
        return
    needed = any(
        worker.busy or not phase.until_idle
        for worker in turn.service.serving()
    )
    if phase.due <= turn.now or not needed:
        close(turn, phase.by)


def close(turn: Turn, number: int) -> None:
    """Stop in good order: connections that were accepted are served."""
    phase = turn.service.phase
    if not (isinstance(phase, Leaving) and phase.until_idle):
        turn.info("Stopping.")
    turn.do(do.StopAccepting())
    turn.service.phase = Closing(number, turn.now, turn.now + HANDSHAKE)


def look_at_queue(turn: Turn) -> None:
    """Ask for a look at the queue when it is time."""
    phase = turn.service.phase
    if isinstance(phase, Closing) and phase.due <= turn.now:
        turn.service.phase = dataclasses.replace(phase, due=math.inf)
        turn.do(do.LookAtQueue())


def queue_seen(turn: Turn, *, pending: bool) -> None:
    """Go on once the queue is empty, or was not emptied in time."""
    phase = turn.service.phase
    if not isinstance(phase, Closing):
        return
    in_time = turn.now < phase.began + QUEUE
    if pending and in_time and turn.service.serving():
        turn.service.phase = dataclasses.replace(phase, due=turn.now + TICK)
    else:
        stop_all(turn, phase.by)


def stop_all(turn: Turn, number: int = signal.SIGTERM) -> None:
    """Ask all workers to end."""
    if turn.service.up:
        turn.do(do.NotifyStopping())
        turn.do(do.TellStopping())
    turn.service.phase = Ending(number, turn.now, turn.now + PATIENCE)
    turn.do(do.CloseSockets())
    for worker in turn.service.workers.values():
        seconds = worker.slot.options.graceful_timeout
        stop(turn, worker, number, seconds)


def force(turn: Turn) -> None:
    """Have all workers drop what they do, and end soon."""
    phase = turn.service.phase
    by: int = signal.SIGTERM
    if isinstance(phase, Leaving | Closing | Ending):
        by = phase.by
    if turn.service.up:
        turn.do(do.NotifyStopping())
        turn.do(do.TellStopping())
    if not isinstance(phase, Ending):
        turn.do(do.CloseSockets())
    turn.service.phase = Ending(by, turn.now, math.inf, forced=True)
    for worker in turn.service.workers.values():
        stop(turn, worker, by, FORCED)
        # The other signal: two alike may arrive as one.
        for number in _STOP - {by}:
            turn.send(worker, number)
        hurry(turn, worker, FORCED)


def hurry(turn: Turn, worker: Worker, seconds: float) -> None:
    """Shorten the time in which a worker is to end."""
    phase = worker.phase
    if isinstance(phase, Stopping):
        due = min(phase.due, turn.now + seconds)
        worker.phase = Stopping(phase.served, due)


def advance(turn: Turn) -> None:
    """Log which workers are waited for, and notice when none is left."""
    phase = turn.service.phase
    if not isinstance(phase, Ending):
        return
    if not turn.service.workers:
        turn.service.phase = Ended()
    elif phase.due <= turn.now:
        _say_who(turn, phase)
        patience = 2 * (phase.due - phase.began)
        turn.service.phase = dataclasses.replace(
            phase, due=phase.began + patience
        )


def _say_who(turn: Turn, phase: Ending) -> None:
    workers = list(turn.service.workers.values())
    again = "Ctrl-C" if phase.by == signal.SIGINT else "signal"
    turn.warning(
        "Waiting for %s to end: %.0f s of %g s; a second %s ends %s at once.",
        ", ".join(
            f"worker {worker.slot.label} (process {worker.pid})"
            for worker in workers
        ),
        turn.now - phase.began,
        max(worker.slot.options.graceful_timeout for worker in workers),
        again,
        "them" if len(workers) > 1 else "it",
        worker_pids=[worker.pid for worker in workers],
    )


# --- exits on the way down -------------------------------------------------


def exited(turn: Turn, worker: Worker, code: int) -> None:
    """Take note of the end of a worker while the service ends."""
    if worker.crashing:
        # That was before, and it was replaced or given up by then.
        reporting.ended(turn, worker, code)
        return
    if isinstance(worker.outcome, Finished) and not code:
        worker.slot.results = worker.outcome.results
    if code and -code not in _STOP:
        reporting.failed(turn, worker, code)
    elif worker.failure is not None:
        # It asked to exit with code 0: it is said, and not held against it.
        reporting.ended(turn, worker, code)
