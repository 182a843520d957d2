"""Workers that fail: when they are started again, and when no more."""

from __future__ import annotations

import signal

import pytest

from buvar.fork import BootError
from buvar.fork._failure import Failure
from buvar.fork._supervise import events as happened


TERM, INT, QUIT = signal.SIGTERM, signal.SIGINT, signal.SIGQUIT
HUP, KILL = signal.SIGHUP, signal.SIGKILL


@pytest.fixture
def service(new_service):
    """Be a service of two workers that are ready for a long time."""
    fake = new_service()
    fake.ready()
    fake.now += 10
    return fake


def test_exits_with_zero_again_and_again(service) -> None:
    """They end the service with another code than 0."""
    service.exit(2)
    while not service.ended:
        for key in list(service.running):
            service.ready(key)
            failure = Failure(0, "SystemExit: 0")
            service.take(happened.StageFailed(key, failure))
            service.exit(key, 0)
        service.later(30)

    assert service.service.error.code == 1


def test_back_off(service) -> None:
    """The wait doubles with each crash in a row, up to a limit."""
    waits = []
    for _ in range(13):
        (key,) = [k for k, slot in service.running.items() if slot == 1]
        service.ready(key)
        service.exit(key, -KILL)
        crashed = service.now
        service.later(31)
        waits.append(service.starts[1][-1] - crashed)
        service.now = service.starts[1][-1]

    expected = [min(30.0, 0.05 * 2**n) for n in range(13)]
    assert waits == pytest.approx(expected)


def test_back_off_begins_anew(service) -> None:
    """A worker that was fine for a while pays for no earlier crash."""
    stable_after = service.service.options.stable_after
    for age, wait in [
        (0.0, 0.1),
        (stable_after - 0.1, 0.2),
        (stable_after, 0.05),
        (0.0, 0.1),
    ]:
        if not service.service.slots[0].streak:
            service.exit(1, 1)
            service.later(0.05)
        (key,) = [k for k, slot in service.running.items() if slot == 1]
        service.ready(key)
        service.take(happened.Heard(2))
        service.now += age
        service.exit(key, 1)
        assert service.service.slots[0].due == pytest.approx(
            service.now + wait
        )
        service.later(wait)


def test_failures_are_forgotten(new_service) -> None:
    """Crashes with long healthy times between them never end a service."""
    service = new_service(forks=1, max_failures=2, worker_timeout=1000)
    for key in range(1, 10):
        service.ready(key)
        service.now += 3.0
        service.exit(key, 1)
        service.later(1)

    assert service.running == {10: 1}


def test_a_healthy_worker_keeps_the_service(new_service) -> None:
    """One that fails again and again ends no service that is served."""
    service = new_service(max_failures=2, worker_timeout=1000)
    service.ready(1, 2)
    service.later(3)
    service.take(happened.Heard(1))
    for _ in range(5):
        (key,) = [k for k, slot in service.running.items() if slot == 2]
        service.ready(key)
        service.exit(key, 1)
        service.later(40)

    assert not service.ended
    assert service.sent(1) == []


def test_cannot_boot(new_service) -> None:
    """When the first workers cannot boot the service ends, with code 3."""
    service = new_service()
    service.take(happened.StageFailed(1, Failure(3, "no")))
    service.exit(1, 3)
    assert service.sent(2) == [TERM]
    service.exit(2)

    assert service.ended
    assert isinstance(service.service.error, BootError)


def test_giving_up_on_those_that_boot(new_service) -> None:
    """Whoever still boots when the service gives up gets little time."""
    service = new_service(graceful_timeout=60)
    service.take(happened.StageFailed(1, Failure(3, "no")))
    service.exit(1, 3)
    service.later(4)

    assert service.killed == {2}


def test_never_ready(new_service) -> None:
    """A worker that does not become ready ends a service that boots."""
    service = new_service(boot_timeout=5)
    service.ready(2)
    service.later(6)
    service.exit(1, -KILL)
    service.exit(2)

    assert isinstance(service.service.error, BootError)


def test_start_fails(service) -> None:
    """Without room for processes starts are tried again, calmly."""
    service.start_fails = True
    for _ in range(14):
        service.signal(signal.SIGTTIN)
    for _ in range(20):
        service.later(0.5)
        for key in (1, 2):
            service.take(happened.Heard(key))

    lines = [line for line in service.lines() if "cannot be started" in line]
    assert 1 < len(lines) <= 11
    assert service.running == {1: 1, 2: 2}
    for _ in range(14):
        service.signal(signal.SIGTTOU)
    service.start_fails = False
    service.later(31)
    assert service.running == {1: 1, 2: 2}


def test_the_wait_for_room_begins_anew(new_service) -> None:
    """A start that succeeds ends the row of those that failed."""
    service = new_service(worker_timeout=1000)
    service.ready()
    for _ in range(2):
        due = service.now
        service.start_fails = True
        service.signal(signal.SIGTTIN)
        for wait in (0.05, 0.1, 0.2, 0.4):
            due += wait
            assert service.service.start_due == pytest.approx(due)
            service.later(wait)
        service.start_fails = False
        service.later(1)
        service.ready()

    assert sorted(service.running.values()) == [1, 2, 3, 4]


def test_start_of_a_successor_fails(service) -> None:
    """A reload that has no room for a successor waits for it."""
    service.start_fails = True
    service.signal(HUP)
    assert service.running == {1: 1, 2: 2}
    service.start_fails = False
    service.later(1)

    assert sorted(service.running.values()) == [1, 1, 2]
