"""Roles, without a process: who is replaced when, and what is said."""

from __future__ import annotations

import logging
import signal

import pytest

from buvar import fork
from buvar.fork._failure import Failure
from buvar.fork._supervise import commands as do
from buvar.fork._supervise import events as happened
from buvar.fork._supervise.phases import Up


TERM, HUP, KILL = signal.SIGTERM, signal.SIGHUP, signal.SIGKILL


@pytest.fixture
def service(new_service):
    """Be a service with two workers, 1 and 2, and a clock, 3."""
    fake = new_service(
        fork.Role("web", "shop.web", forks=2),
        fork.Role("clock", "shop.clock", exclusive=True, worker_timeout=20),
        graceful_timeout=10,
    )
    fake.ready()
    fake.now += 10
    return fake


def test_each_role_has_its_workers(service) -> None:
    """Workers are started role by role, and the first line counts them."""
    assert service.roles == {1: "web", 2: "web", 3: "clock"}
    assert do.Announce(3, (("web", 2), ("clock", 1))) in service.commands


def test_reload_replaces_an_exclusive_role_last(service) -> None:
    """First the others, one by one; then it ends, then its successor comes."""
    service.signal(HUP)
    for old in (1, 2):
        new = max(service.of("web"))
        service.ready(new)
        assert service.sent(old) == [TERM]
        assert not service.sent(3)
        service.exit(old)
        service.later(0)
    assert service.sent(3) == [TERM]
    service.later(1)
    assert service.of("clock") == [3]
    service.exit(3)

    (new,) = service.of("clock")
    assert new != 3
    assert service.service.phase is Up.RELOADING
    service.ready(new)
    assert service.service.phase is Up.RUNNING
    assert service.lines()[-1] == "3 workers are ready."


def test_it_waits_for_those_that_wait(service) -> None:
    """Also while another one's successor waits for its back-off."""
    service.service.slots[0].due = service.now + 5
    service.signal(HUP)
    service.ready(max(service.of("web")))
    service.exit(2)
    service.later(1)

    assert not service.sent(3)
    assert service.service.due() > service.now
    service.later(5)
    service.ready(max(service.of("web")))
    service.exit(1)
    service.later(0)
    assert service.sent(3) == [TERM]


def test_a_failed_reload_leaves_it_alone(service) -> None:
    """Code with which others cannot boot does not reach it."""
    service.signal(HUP)
    service.take(happened.StageFailed(4, Failure(1, "broken")))
    service.exit(4, 1)
    service.later(5)

    assert service.of("clock") == [3]
    assert not service.sent(3)


@pytest.mark.parametrize("reason", ["silent", "recycled", "reloaded"])
def test_one_that_does_not_end(service, reason) -> None:
    """Its successor waits until it is killed, and until it is buried."""
    if reason == "reloaded":
        for key in (1, 2):
            service.exit(key)
        service.signal(HUP)
        for key in service.of("web"):
            service.ready(key)
    elif reason == "recycled":
        service.take(happened.RecycleAsked(3, "asked"))
        service.later(0)
    for _ in range(25):
        service.later(1)
        for key in service.of("web"):
            service.ready(key)
            service.take(happened.Heard(key))
        for key in set(service.of("web")) & {
            key for key in service.running if TERM in service.sent(key)
        }:
            service.exit(key)
    assert 3 in service.killed
    assert service.of("clock") == [3]

    service.exit(3, -KILL)
    service.later(1)
    assert len(service.of("clock")) == 1
    assert service.of("clock") != [3]


def test_a_crash(service) -> None:
    """It is started again after the back-off, and named in the log."""
    service.exit(3, -KILL)
    assert not service.of("clock")
    service.later(1)

    assert len(service.of("clock")) == 1
    lines = service.lines(logging.WARNING)
    assert lines[0].startswith("Worker clock 1 (process 103) ended: killed")
    assert lines[1].startswith("Worker clock 1 is started again in")
    (extra,) = {
        command.extra["role"]
        for command in service.commands
        if isinstance(command, do.Log) and "role" in command.extra
    }
    assert extra == "clock"


def test_more_and_less(service) -> None:
    """TTIN and TTOU change the first role that is not exclusive."""
    service.signal(signal.SIGTTIN)
    assert len(service.of("web")) == 3
    for _ in range(4):
        service.signal(signal.SIGTTOU)

    assert [key for key in (1, 2, 3, 4) if service.sent(key)] == [2, 4]
    assert do.DropSlot(3, "web") in service.commands


def test_nothing_but_exclusive_roles(new_service) -> None:
    """Then TTIN and TTOU change nothing, and say so."""
    service = new_service(fork.Role("clock", "shop.clock", exclusive=True))
    service.ready()
    service.signal(signal.SIGTTIN)
    service.signal(signal.SIGTTOU)

    assert service.of("clock") == [1]
    assert (
        service.lines(logging.WARNING)
        == ["All roles are exclusive: each keeps its one worker."] * 2
    )


def test_options_of_its_own(service) -> None:
    """A role has its own bounds, and the service's where it says nothing."""
    web, clock = service.service.options.roles
    assert (web.worker_timeout, clock.worker_timeout) == (60, 20)
    assert (web.graceful_timeout, clock.graceful_timeout) == (10, 10)
    service.later(9)
    assert not service.killed

    service.later(2)
    assert service.killed == {3}


def test_all_is_done_when_each_role_is(service) -> None:
    """The service ends once the workers of all roles are done."""
    for key in (1, 2, 3):
        service.take(happened.StageEnded(key, (service.roles[key],)))
        service.exit(key)

    assert service.ended
    assert service.service.results() == ["web", "web", "clock"]
