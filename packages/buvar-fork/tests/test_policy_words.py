"""What the policy logs and answers, to the letter, and at the very moment."""

from __future__ import annotations

import logging
import signal

import pytest

from buvar import fork
from buvar.fork._failure import Failure
from buvar.fork._supervise import commands as do
from buvar.fork._supervise import events as happened


INFO, WARNING, ERROR = logging.INFO, logging.WARNING, logging.ERROR
TERM, HUP, KILL = signal.SIGTERM, signal.SIGHUP, signal.SIGKILL


@pytest.fixture
def service(new_service):
    """Be a service of two workers that have just become ready."""
    fake = new_service(backoff=0.5, worker_timeout=1000, graceful_timeout=20)
    fake.ready()
    return fake


def logged(service, since: int = 0) -> list[tuple[object, ...]]:
    """Return the lines of a log, each with its level and fields."""
    return [
        (command.level, command.message % command.args, dict(command.extra))
        for command in service.commands[since:]
        if isinstance(command, do.Log)
    ]


def worker(slot: int, pid: int, **more: object) -> dict[str, object]:
    """Return the fields of a line about a worker."""
    return {"slot": slot, "worker_pid": pid, **more}


def test_words_of_a_reload(service) -> None:
    """The log and the service manager are told, before anything is done."""
    commands = service.signal(HUP)
    reloading, start = do.NotifyReloading(), do.Start(3, 1, 1)
    assert commands.index(reloading) < commands.index(start)
    service.ready(3)
    service.exit(1)
    service.ready(4)
    service.exit(2)

    assert logged(service) == [
        (INFO, "Reloading.", {}),
        (INFO, "2 workers are ready.", {"workers": 2}),
    ]
    assert service.commands.count(reloading) == 1


def test_words_of_a_failed_reload(service) -> None:
    """It is said that the old workers go on, and not that one is started."""
    service.signal(HUP)
    since = len(service.commands)
    service.exit(3, 3)
    reason = "it exited with code 3, in the middle of its stage"

    assert logged(service, since) == [
        (
            ERROR,
            f"Worker 1 (process 103) ended: {reason}",
            worker(1, 103, code=3),
        ),
        (ERROR, "Reloading failed, the old workers go on.", {}),
        (INFO, "2 workers are ready.", {"workers": 2}),
    ]


def test_one_recycled_worker_is_a_reload_too(service) -> None:
    """The service manager hears of the last of them as of the first."""
    commands = service.take(happened.RecycleAsked(1, "it is old"))
    assert commands.count(do.NotifyReloading()) == 1
    again = service.take(happened.RecycleAsked(1, "it is older"))
    service.ready(3)
    service.exit(1)

    assert again == []
    assert logged(service) == [
        (
            INFO,
            "Worker 1 is replaced: it is old.",
            worker(1, 101, reason="it is old"),
        ),
        (INFO, "2 workers are ready.", {"workers": 2}),
    ]


def test_words_about_memory(new_service) -> None:
    """The log says how much it was."""
    service = new_service(max_memory=10)
    service.ready()
    service.take(happened.Heard(2, 11))
    reason = "it uses 11 bytes of memory"

    assert logged(service) == [
        (
            INFO,
            f"Worker 2 is replaced: {reason}.",
            worker(2, 102, reason=reason),
        )
    ]


def test_words_of_starts_that_fail(new_service) -> None:
    """It is said why, and when the next one is tried, once a second."""
    service = new_service(backoff=1.0, worker_timeout=1000)
    service.ready()
    service.start_fails = True
    service.signal(signal.SIGTTIN)
    # The second one is due a second later, the third one two seconds later.
    service.later(3.0)
    text = "Worker 3 cannot be started: no room. Trying again in %.2f s."

    assert logged(service) == [
        (ERROR, text % wait, {"slot": 3, "wait": wait})
        for wait in (1.0, 2.0, 4.0)
    ]


def test_starts_that_fail_are_said_once_a_second(new_service) -> None:
    """Those that are tried within a second are not."""
    service = new_service(backoff=0.3, worker_timeout=1000)
    service.ready()
    service.start_fails = True
    service.signal(signal.SIGTTIN)
    service.later(2.2)  # tried after 0.3, 0.9 and 2.1 seconds

    waits = [extra["wait"] for _, _, extra in logged(service)]
    assert waits == pytest.approx([0.3, 2.4])


def test_words_of_a_crash(service) -> None:
    """It is said how it ended, and when its successor is started."""
    service.exit(1, -KILL)
    assert logged(service) == [
        (
            ERROR,
            "Worker 1 (process 101) ended: killed by SIGKILL",
            worker(1, 101, code=-KILL),
        ),
        (
            WARNING,
            "Worker 1 is started again in 0.50 s.",
            worker(1, 101, wait=0.5),
        ),
    ]


def test_words_of_one_that_hung(service) -> None:
    """That it is started again is not said where it has a successor."""
    service.later(999)
    service.take(happened.Heard(2))
    service.later(2)
    since = len(service.commands)
    service.exit(1, -KILL)

    assert [line for _, line, _ in logged(service, since)] == [
        "Worker 1 (process 101) ended: killed by SIGKILL"
    ]


def test_words_of_a_crashed_successor(service) -> None:
    """One that was to replace a recycled worker is started again later."""
    service.take(happened.RecycleAsked(1, "it is old"))
    since = len(service.commands)
    service.exit(3, -KILL)
    assert logged(service, since)[1:] == [
        (
            WARNING,
            "Worker 1 is started again in 0.50 s.",
            worker(1, 103, wait=0.5),
        )
    ]


def test_a_slot_that_has_to_wait_delays_no_other(service) -> None:
    """While a successor has to wait, workers of other slots are replaced."""
    service.take(happened.RecycleAsked(1, "it is old"))
    service.exit(3, -KILL)
    commands = service.take(happened.RecycleAsked(2, "it is old, too"))

    assert do.Start(4, 2, 0) in commands


def test_a_wait_that_is_just_over(service) -> None:
    """At the moment when a slot may start again, it does."""
    service.exit(1, -KILL)
    service.later(0.5)
    service.ready(3)
    commands = service.take(happened.RecycleAsked(3, "it is old"))

    assert do.Start(4, 1, 0) in commands


def test_words_of_a_signal_from_elsewhere(service) -> None:
    """A healthy worker that somebody else has stopped comes back at once."""
    service.now += 10
    service.take(happened.StageEnded(1, (), signalled=True))
    commands = service.exit(1, 0)

    assert do.Start(3, 1, 0) in commands
    assert logged(service) == [
        (
            WARNING,
            "Worker 1 was ended by a signal; it is replaced.",
            worker(1, 101),
        )
    ]


def test_nonsense_is_a_crash(service) -> None:
    """A worker that is killed for it is replaced, and its slot has crashed."""
    service.take(happened.Misbehaved(1, "it is unknown"))
    service.exit(1, -KILL)
    text = "Worker 1 (process 101) sent an invalid message: it is unknown."

    assert service.service.slots[0].streak == 1
    assert logged(service) == [
        (
            ERROR,
            f"{text} It is killed.",
            worker(1, 101, reason="it is unknown"),
        ),
        (
            ERROR,
            "Worker 1 (process 101) ended: killed by SIGKILL",
            worker(1, 101, code=-KILL),
        ),
        (
            WARNING,
            "Worker 1 is started again in 0.50 s.",
            worker(1, 101, wait=0.5),
        ),
    ]


def test_nonsense_of_one_that_ends_is_no_crash(service) -> None:
    """An old worker that sends it on its way out costs its slot nothing."""
    service.signal(HUP)
    service.ready(3)
    service.take(happened.Misbehaved(1, "it is unknown"))
    service.exit(1, -KILL)

    assert service.service.slots[0].streak == 0


@pytest.mark.parametrize(
    ("event", "code", "lines"),
    [
        (None, 0, []),
        (None, 1, []),
        (
            happened.StageFailed(1, Failure(1, "no")),
            1,
            ["Worker 1 (process 101) failed."],
        ),
    ],
    ids=["well", "with a code", "with a failure"],
)
def test_words_of_an_old_worker(service, event, code: int, lines) -> None:
    """One that was replaced is spoken of only if its stage has failed."""
    service.signal(HUP)
    service.ready(3)
    if event is not None:
        service.take(event)
    commands = service.exit(1, code)

    assert [
        command.message % command.args
        for command in commands
        if isinstance(command, do.Log | do.LogFailure)
    ] == lines


def test_words_of_an_old_worker_that_was_killed(service) -> None:
    """One that did not end in time is spoken of, whatever it said."""
    service.signal(HUP)
    service.ready(3)
    service.later(22)
    since = len(service.commands)
    service.exit(1, -KILL)

    assert [line for _, line, _ in logged(service, since)] == [
        "Worker 1 (process 101) ended: killed by SIGKILL"
    ]


def test_giving_up_at_the_limit(new_service) -> None:
    """So many failures in a row are enough, one less is not."""
    service = new_service(forks=1, max_failures=3, worker_timeout=1000)
    for key in (1, 2):
        service.ready(key)
        service.exit(key, 1)
        service.later(1)
    service.ready(3)
    service.exit(3, 1)

    assert service.ended
    assert service.service.error.code == 1


def test_answers_about_addresses(service) -> None:
    """A worker gets its socket, or is told why it does not."""
    granted = service.take(happened.AddressAsked(2, "request", known=False))
    service.signal(HUP)
    late = service.take(happened.AddressAsked(3, "request", known=False))
    service.signal(TERM)
    service.later(0.1)
    ending = service.take(happened.AddressAsked(1, "request", known=True))

    assert granted == [do.Grant("request", 2, "")]
    assert late == [
        do.Refuse(
            "request",
            "the service does not listen there, and its addresses cannot "
            "change while it runs; restart it.",
        )
    ]
    assert ending == [
        do.Refuse(
            "request",
            "this worker is to end, and gets no socket any more.",
        )
    ]


def test_answers_with_roles(new_service) -> None:
    """The socket, and the news for the service manager, are of the roles."""
    service = new_service(fork.Role("web", "shop.web"), worker_timeout=1000)
    service.ready()
    counted = do.NotifyReady(2, (("web", 2),))
    assert service.commands.count(counted) == 1

    granted = service.take(happened.AddressAsked(1, "request", known=True))
    assert granted == [do.Grant("request", 1, "web")]


def test_generations_are_counted(service) -> None:
    """Each reload has workers of a generation of its own."""
    for generation in (1, 2, 3):
        assert do.Start(2 * generation + 1, 1, generation) in service.signal(
            HUP
        )
        for _ in range(2):
            service.ready()
            service.exit(min(service.running))


@pytest.mark.parametrize(
    ("timeout", "killed"), [(30, {1}), (None, set())], ids=str
)
def test_signs_of_life_while_booting(new_service, timeout, killed) -> None:
    """A worker that boots lives as long as it says so, and may still boot."""
    service = new_service(forks=1, worker_timeout=5, boot_timeout=timeout)
    for _ in range(7):
        service.take(happened.Heard(1))
        assert not service.killed
        service.later(4)
    service.take(happened.Heard(1))
    service.later(4)

    assert service.killed == killed
