"""
The rules of a service: what follows from what happens.

The only entrance is ``step``. It reads no clock and touches no process: what
it returns says what is to be done.
"""

from __future__ import annotations

import dataclasses
import math
import signal

from . import backoff
from . import commands as do
from . import ending
from . import events as happened
from . import reporting
from . import scaling
from .phases import Booting
from .phases import Finishing
from .phases import Ready
from .phases import Stopping
from .phases import Up
from .signals import ENDING
from .signals import FORWARDED
from .signals import TERMINAL
from .state import Failed
from .state import Finished
from .state import Service
from .state import Slot
from .state import Worker
from .turn import Turn


def step(
    service: Service, event: happened.Event, now: float
) -> list[do.Command]:
    """
    Take an event.

    Args:
        service: The state, which is changed.
        event: What happened.
        now: When, in seconds of a clock that only goes forward.

    Returns:
        What is to be done, in order. The answers to commands are events,
        which are to be taken before any other.
    """
    turn = Turn(service, now)
    _take(turn, event)
    if isinstance(event, happened.Tick):
        ending.expire(turn)
        ending.left(turn)
        ending.look_at_queue(turn)
    if service.up:
        _keep_up(turn)
    ending.advance(turn)
    return turn.commands


def _take(turn: Turn, event: happened.Event) -> None:
    match event:
        case happened.Tick():
            pass
        case happened.Signal(number):
            _signal(turn, number)
        case happened.TerminalClosed():
            if turn.service.up:
                turn.warning("The terminal was closed.")
                ending.leave(turn, signal.SIGTERM)
        case happened.StoodStill(seconds):
            ending.postpone(turn.service, seconds)
        case happened.QueueSeen(pending):
            ending.queue_seen(turn, pending=pending)
        case happened.AddressAsked():
            _address_asked(turn, event)
        case _:
            worker = turn.service.workers.get(event.key)
            if worker is not None:
                _of_worker(turn, worker, event)


def _of_worker(
    turn: Turn, worker: Worker, event: happened.WorkerEvent
) -> None:
    match event:
        case happened.Started(_, pid):
            worker.pid = pid
        case happened.StartFailed(_, reason):
            _start_failed(turn, worker, reason)
        case happened.Exited(_, code):
            _exited(turn, worker, code)
        case happened.Misbehaved(_, reason):
            _misbehaved(turn, worker, reason)
        case _:
            _heard(turn, worker)
            _told(turn, worker, event)


def _told(turn: Turn, worker: Worker, event: happened.Message) -> None:
    """Take what a worker has said."""
    match event:
        case happened.BecameReady():
            _became_ready(turn, worker)
        case happened.Heard(_, memory):
            most = worker.slot.options.max_memory
            if most is not None and memory > most:
                _recycle(turn, worker, f"it uses {memory} bytes of memory")
        case happened.RecycleAsked(_, reason):
            _recycle(turn, worker, reason)
        case happened.DelayAsked(_, seconds):
            worker.delay = max(worker.delay, seconds)
        case happened.BusyTold(_, seconds):
            worker.busy = seconds
            ending.left(turn)
        case happened.StageEnding():
            ending.finish(turn, worker)
        case happened.StageEnded(_, results, signalled):
            worker.outcome = Finished(results, signalled)
        case happened.StageFailed(_, failure):
            worker.outcome = Failed(failure)


# --- signals ---------------------------------------------------------------


def _signal(turn: Turn, number: signal.Signals) -> None:
    service = turn.service
    if number in ENDING:
        ending.end_by(turn, number)
    elif number in FORWARDED:
        for worker in service.workers.values():
            turn.send(worker, number)
    elif not service.up:
        pass  # too late to change the number of workers
    elif number == signal.SIGHUP:
        _reload(turn)
    elif number in TERMINAL:
        scaling.scale(turn, more=number == signal.SIGTTIN)


def _reload(turn: Turn) -> None:
    """Have all workers replaced that there are by now."""
    turn.info("Reloading.")
    turn.service.generation += 1
    for worker in turn.service.serving():
        worker.outdated = True


# --- the way up, and staying there -----------------------------------------


def _keep_up(turn: Turn) -> None:
    """Start and replace workers, and notice that all are ready, or done."""
    service = turn.service
    for slot in service.missing():
        if max(slot.due, service.start_due) <= turn.now:
            _start(turn, slot)
    if service.phase is Up.BOOTING:
        if service.complete():
            service.founders = service.next_key
            _become_running(turn)
            turn.do(do.Announce(len(service.workers), service.numbers()))
    else:
        _replace(turn)
    if all(slot.done for slot in service.slots):
        ending.stop_all(turn)


def _start(turn: Turn, slot: Slot, replaces: Worker | None = None) -> None:
    service = turn.service
    options = slot.options
    boot_timeout = options.boot_timeout
    phase = Booting(
        heartbeat_due=turn.now + options.worker_timeout,
        boot_due=math.inf if boot_timeout is None else turn.now + boot_timeout,
    )
    worker = Worker(
        key=service.next_key,
        slot=slot,
        generation=service.generation,
        phase=phase,
        replaces=replaces,
    )
    service.next_key += 1
    service.workers[worker.key] = worker
    turn.do(do.Start(worker.key, slot.number, worker.generation, options.role))


def _start_failed(turn: Turn, worker: Worker, reason: str) -> None:
    """Try again later, all slots together: they lack the same resource."""
    service = turn.service
    del service.workers[worker.key]
    if service.start_due <= turn.now:
        # Several that fail at the same time count once.
        service.start_streak += 1
        wait = service.options.delay(service.start_streak)
        service.start_due = turn.now + wait
    wait = service.start_due - turn.now
    if turn.now >= service.start_word_due:
        service.start_word_due = turn.now + 1.0
        turn.error(
            "Worker %s cannot be started: %s. Trying again in %.2f s.",
            worker.slot.label,
            reason,
            wait,
            **reporting.place(worker.slot),
            wait=wait,
        )


def _became_ready(turn: Turn, worker: Worker) -> None:
    phase = worker.phase
    if isinstance(phase, Booting):
        worker.phase = Ready(turn.now, turn.now, phase.heartbeat_due)
    elif isinstance(phase, Finishing) and not worker.booted:
        # It is ready only once its stage has ended with success.
        worker.phase = phase.ready()
    else:
        return
    turn.service.start_streak = 0
    if worker.replaces is not None:
        ending.retire(turn, worker.replaces)


def _heard(turn: Turn, worker: Worker) -> None:
    """Note a sign of life: the next one is due later."""
    due = turn.now + worker.slot.options.worker_timeout
    phase = worker.phase
    if isinstance(phase, Booting | Finishing):
        worker.phase = dataclasses.replace(phase, heartbeat_due=due)
    elif isinstance(phase, Ready):
        worker.phase = Ready(phase.ready_at, turn.now, due)


def _become_running(turn: Turn) -> None:
    turn.service.phase = Up.RUNNING
    service = turn.service
    turn.do(do.NotifyReady(len(service.workers), service.numbers()))


def _replace(turn: Turn) -> None:
    """Replace one worker after the other."""
    service = turn.service
    stale, replacing = service.stale(turn.now), service.replacing()
    if (stale or replacing) and service.phase is not Up.RELOADING:
        service.phase = Up.RELOADING
        turn.do(do.NotifyReloading())
    for worker in () if replacing else stale:
        if max(worker.replace_due, service.start_due) > turn.now:
            continue
        if worker.slot.exclusive:
            # Its successor is started once it is buried.
            ending.retire(turn, worker)
        else:
            _start(turn, worker.slot, worker)
        break
    if stale or replacing or service.phase is not Up.RELOADING:
        return
    if service.complete():
        number = len(service.workers)
        turn.info("%d workers are ready.", number, workers=number)
        _become_running(turn)


def _recycle(turn: Turn, worker: Worker, reason: str) -> None:
    if worker.recycle is None:
        worker.recycle = reason
        backoff.note_recycling(turn, worker)
        turn.info(
            "Worker %s is replaced: %s.",
            worker.slot.label,
            reason,
            **reporting.facts(worker),
            reason=reason,
        )


def _address_asked(turn: Turn, event: happened.AddressAsked) -> None:
    """
    Share what is bound, bind what the first workers ask for.

    Their successors get no new address: some workers would listen there
    while the others still listen elsewhere.
    """
    service = turn.service
    worker = service.workers.get(event.key)
    if worker is None or not worker.serves:
        reason = "this worker is to end, and gets no socket any more."
    elif event.known or event.key < service.founders:
        slot = worker.slot
        turn.do(do.Grant(event.request, slot.number, slot.options.role))
        return
    else:
        reason = (
            "the service does not listen there, and its addresses cannot "
            "change while it runs; restart it."
        )
    turn.do(do.Refuse(event.request, reason))


# --- the end of a worker ---------------------------------------------------


def _misbehaved(turn: Turn, worker: Worker, reason: str) -> None:
    turn.error(
        "Worker %s (process %d) sent an invalid message: %s. It is killed.",
        worker.slot.label,
        worker.pid,
        reason,
        **reporting.facts(worker),
        reason=reason,
    )
    if worker.serves:
        _heard(turn, worker)
        backoff.note_crash(turn, worker)
    ending.kill(turn, worker, crashing=worker.serves)


def _exited(turn: Turn, worker: Worker, code: int) -> None:
    service = turn.service
    del service.workers[worker.key]
    for other in service.workers.values():
        if other.replaces is worker:
            other.replaces = None
    if not service.up:
        ending.exited(turn, worker, code)
    elif worker.crashing:
        _crashed(turn, worker, code)
    elif worker.serves:
        _exited_early(turn, worker, code)
    elif worker.failure is not None or not isinstance(worker.phase, Stopping):
        reporting.ended(turn, worker, code)


def _exited_early(turn: Turn, worker: Worker, code: int) -> None:
    """React to the end of a worker that was to go on."""
    _heard(turn, worker)  # until now it was alive
    outcome = worker.outcome
    if not isinstance(outcome, Finished) or code:
        own_fault = not worker.booted or code >= 0
        backoff.note_crash(turn, worker, own_fault=own_fault)
        _crashed(turn, worker, code)
    elif outcome.signalled:
        turn.warning(
            "Worker %s was ended by a signal; it is replaced.",
            worker.slot.label,
            **reporting.facts(worker),
        )
        if not worker.stable:
            backoff.note_crash(turn, worker, own_fault=False)
    else:
        worker.slot.done = True
        worker.slot.results = outcome.results


def _crashed(turn: Turn, worker: Worker, code: int) -> None:
    """Start a worker again, later each time, or give the service up."""
    service = turn.service
    slot = worker.slot
    # What it reports, or waits for, will be the same the next time.
    hopeless = worker.failure is not None or worker.overdue
    if hopeless and not worker.booted and service.phase is Up.BOOTING:
        _give_up(turn, worker, code)
        return
    most = slot.options.max_failures
    if most and slot.failures >= most and not service.healthy():
        _give_up(turn, worker, code)
        return
    reporting.ended(turn, worker, code)
    old = worker.replaces
    if old is not None and old.outdated:
        turn.error("Reloading failed, the old workers go on.")
        for other in service.serving():
            other.outdated = False
    elif old is not None or not service.serving(slot):
        # One that was killed may have a successor by now.
        wait = max(0.0, slot.due - turn.now)
        turn.warning(
            "Worker %s is started again in %.2f s.",
            slot.label,
            wait,
            **reporting.facts(worker),
            wait=wait,
        )


def _give_up(turn: Turn, worker: Worker, code: int) -> None:
    reporting.failed(turn, worker, code)
    booting = [
        other
        for other in turn.service.serving()
        if isinstance(other.phase, Booting)
    ]
    ending.stop_all(turn)
    for other in booting:  # they serve nobody
        ending.hurry(turn, other, ending.GIVEN_UP)
