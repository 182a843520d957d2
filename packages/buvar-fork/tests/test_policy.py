"""Every row of the README's tables, without a process."""

from __future__ import annotations

import logging
import signal

import pytest

from buvar.fork._failure import Failure
from buvar.fork._supervise import commands as do
from buvar.fork._supervise import events as happened
from buvar.fork._supervise.phases import Up


TERM, INT, QUIT = signal.SIGTERM, signal.SIGINT, signal.SIGQUIT
HUP, KILL = signal.SIGHUP, signal.SIGKILL


@pytest.fixture
def service(new_service):
    """Be a service of two workers that are ready for a long time."""
    fake = new_service()
    fake.ready()
    fake.now += 10
    return fake


# --- signals ---------------------------------------------------------------


@pytest.mark.parametrize("number", [TERM, INT])
def test_orderly_end(service, number) -> None:
    """One signal: no newcomers, the queue, then the workers' end."""
    commands = service.signal(number)
    assert do.StopAccepting() in commands
    assert not service.sent(1)

    service.later(0.1)
    assert service.sent(1) == service.sent(2) == [number]
    service.exit(1)
    service.exit(2)
    assert service.ended
    assert service.service.error is None


def test_queue_is_emptied_first(service) -> None:
    """Workers are stopped once nobody waits, or after a second."""
    service.pending = True
    service.signal(TERM)
    service.later(0.5)
    assert not service.sent(1)

    service.later(1.0)
    assert service.sent(1) == [TERM]


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ([INT, INT], [INT, TERM]),
        ([TERM, INT], [TERM, INT]),
        ([QUIT], [TERM, INT]),
    ],
)
def test_second_signal(service, signals, expected) -> None:
    """A second signal, or QUIT, has all end within two seconds."""
    for number in signals:
        service.signal(number)
    start = service.now
    assert service.sent(1) == expected
    service.later(2.0)

    assert service.killed == {1, 2}
    assert service.now - start <= 2.0
    service.exit(1, -KILL)
    service.exit(2, -KILL)
    assert service.ended
    assert service.service.error.code == 128 + KILL


def test_third_signal(service) -> None:
    """A third one kills at once."""
    for _ in range(3):
        service.signal(TERM)

    assert service.killed == {1, 2}


def test_it_says_for_what_it_waits(service) -> None:
    """While workers do not end it is said which, less and less often."""
    service.signal(INT)
    service.later(50)

    lines = [line for line in service.lines() if "Waiting for" in line]
    assert len(lines) == 5
    assert "worker 1 (process 101), worker 2 (process 102)" in lines[0]
    assert "2 s of 60 s; a second Ctrl-C ends them at once." in lines[0]


def test_graceful_timeout(service) -> None:
    """A worker that does not end in time says where it is, and is killed."""
    service.signal(TERM)
    service.later(0.1)
    service.exit(2)
    service.later(60)
    assert service.sent(1) == [TERM, QUIT]
    assert "Worker 1 (process 101) does not end in time." in str(
        service.lines(logging.ERROR)
    )
    service.later(1)

    assert service.sent(1) == [TERM, QUIT, KILL]


def test_terminal_closed(service) -> None:
    """The end of the terminal is the end of the service, said once."""
    service.take(happened.TerminalClosed())
    service.take(happened.TerminalClosed())
    service.later(0.1)

    assert service.sent(1) == [TERM]
    assert service.lines(logging.WARNING) == ["The terminal was closed."]


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2])
def test_passed_on(service, number) -> None:
    """Some signals are only passed on."""
    service.signal(number)

    assert service.sent(1) == service.sent(2) == [number]


def test_one_more_one_less(service) -> None:
    """TTIN adds a worker, TTOU removes one, the last one stays."""
    service.signal(signal.SIGTTIN)
    assert service.running == {1: 1, 2: 2, 3: 3}
    for _ in range(5):
        service.signal(signal.SIGTTOU)

    assert [service.sent(key) for key in (1, 2, 3)] == [[], [TERM], [TERM]]


def test_too_late_for_changes(service) -> None:
    """A service that ends is neither reloaded nor resized."""
    service.signal(TERM)
    before = len(service.commands)
    for number in (HUP, signal.SIGTTIN, signal.SIGTTOU):
        service.signal(number)

    assert service.commands[before:] == []


def test_reload(service) -> None:
    """HUP replaces one worker after the other, when the next is ready."""
    service.signal(HUP)
    assert service.running == {1: 1, 2: 2, 3: 1}
    service.ready(3)
    assert service.sent(1) == [TERM]
    assert service.service.phase is Up.RELOADING
    service.exit(1)
    service.ready(4)
    service.exit(2)

    assert service.running == {3: 1, 4: 2}
    assert service.service.phase is Up.RUNNING
    assert service.commands[-1] == do.NotifyReady(2)


def test_failed_reload(service) -> None:
    """When a successor cannot boot all old workers go on."""
    service.signal(HUP)
    service.take(happened.StageFailed(3, Failure(3, "no")))
    service.exit(3, 3)

    service.later(30)
    assert service.running == {1: 1, 2: 2}
    assert "Reloading failed, the old workers go on." in service.lines()
    assert service.service.phase is Up.RUNNING


def test_hup_before_anything_was_started(new_service) -> None:
    """A HUP that came while modules were imported starts nothing twice."""
    service = new_service(first=happened.Signal(HUP))
    service.ready()

    assert service.service.phase is Up.RUNNING
    assert service.running == {1: 1, 2: 2}
    assert do.Start(1, 1, 1) in service.commands


# --- what workers do -------------------------------------------------------


def test_done(service) -> None:
    """A stage that ended with success, and said so, is not started again."""
    for key in (1, 2):
        service.take(happened.StageEnded(key, (key,)))
        service.exit(key)

    assert service.ended
    assert service.service.results() == [1, 2]


@pytest.mark.parametrize(
    "said",
    [
        [],
        [happened.StageFailed(1, Failure(0, "SystemExit: 0"))],
        [happened.StageEnded(1, (), signalled=True)],
    ],
    ids=["nothing", "failed with code 0", "ended by a signal"],
)
def test_not_done(service, said) -> None:
    """An exit with code 0 alone does not mean that the work is done."""
    for event in said:
        service.take(event)
    service.exit(1, 0)
    service.later(1)

    assert service.running == {2: 2, 3: 1}


def test_hangs(service) -> None:
    """A worker that is silent says where, is killed, and replaced at once."""
    service.later(45)
    service.take(happened.Heard(2))
    commands = service.later(6)

    assert service.sent(1) == [QUIT, KILL]
    assert do.Start(3, 1, 0) in commands
    assert "silent for 60 s" in str(service.lines(logging.ERROR))


def test_own_standstill(service) -> None:
    """A supervisor that stood still does not blame its workers."""
    service.now += 100
    service.take(happened.StoodStill(100))
    service.take(happened.Tick())

    assert service.sent(1) == []


def test_old_worker_that_does_not_end(service) -> None:
    """An old worker killed after a reload is no crash of its slot."""
    service.signal(HUP)
    service.ready(3)
    for _ in range(2):
        service.later(31)
        for key in (2, 3):
            service.take(happened.Heard(key))
    assert service.sent(1) == [TERM, QUIT, KILL]
    service.exit(1, -KILL)

    assert service.service.slots[0].streak == 0


def test_nonsense(service) -> None:
    """A worker that sends nonsense is killed and replaced, no other."""
    service.take(happened.Misbehaved(1, "it sent an unknown message"))
    assert service.killed == {1}
    service.exit(1, -KILL)
    service.later(1)

    assert service.running == {2: 2, 3: 1}


def test_nonsense_before_it_is_ready(new_service) -> None:
    """It is a crash like any other: the service goes on to boot."""
    service = new_service()
    service.take(happened.Misbehaved(1, "it sent an unknown message"))
    service.exit(1, -KILL)
    service.later(1)

    assert sorted(service.running.values()) == [1, 2]
    assert service.service.phase is Up.BOOTING


@pytest.mark.parametrize(("memory", "starts"), [(10, 0), (11, 1)])
def test_memory(new_service, memory: int, starts: int) -> None:
    """A worker above its limit is replaced, one at the limit is not."""
    service = new_service(max_memory=10)
    service.ready()
    service.take(happened.Heard(1, memory))

    assert len(service.running) == 2 + starts


# --- starts that fail ------------------------------------------------------


# --- addresses -------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "known", "granted"),
    [(1, False, True), (1, True, True), (3, True, True), (3, False, False)],
)
def test_addresses(service, key, known, granted) -> None:
    """The first workers may ask for addresses, successors share them."""
    service.signal(HUP)
    (command,) = service.take(happened.AddressAsked(key, "request", known))

    assert isinstance(command, do.Grant if granted else do.Refuse)


def test_address_of_a_worker_that_ends(service) -> None:
    """A worker that is to end gets no socket any more."""
    service.signal(QUIT)
    (command,) = service.take(happened.AddressAsked(1, "request", known=True))

    assert isinstance(command, do.Refuse)


def test_signs_of_life(new_service) -> None:
    """A worker that says often enough that it lives is left alone."""
    service = new_service(worker_timeout=5)
    service.ready(1, 2)
    for _ in range(5):
        service.later(4)
        service.take(happened.Heard(1))
        service.take(happened.Heard(2))

    assert service.sent(1) == service.sent(2) == []
