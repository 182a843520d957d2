"""How long connections are accepted once a service is told to stop."""

from __future__ import annotations

import signal

import pytest

from buvar.fork._supervise import commands as do
from buvar.fork._supervise import events as happened


TERM, INT, QUIT = signal.SIGTERM, signal.SIGINT, signal.SIGQUIT


@pytest.fixture
def service(new_service):
    """Be a service of two workers that are ready."""
    fake = new_service()
    fake.ready()
    return fake


# --- for a fixed time ------------------------------------------------------


def test_delay(service) -> None:
    """With a delay workers are told, and stopped the longest of it later."""
    service.take(happened.DelayAsked(1, 5.0))
    service.take(happened.DelayAsked(2, 3.0))
    commands = service.signal(TERM)
    assert do.TellStopping() in commands
    assert do.StopAccepting() not in commands

    service.later(4.9)
    assert do.StopAccepting() not in service.commands
    service.later(0.3)
    assert do.StopAccepting() in service.commands
    assert service.sent(1) == service.sent(2) == [TERM]


def test_delay_is_skipped(service) -> None:
    """A second signal skips the delay, a third one forces the end."""
    service.take(happened.DelayAsked(1, 5.0))
    service.signal(TERM)
    assert do.StopAccepting() in service.signal(TERM)
    service.later(0.1)
    assert service.sent(1) == [TERM]

    service.signal(TERM)
    assert service.sent(1) == [TERM, INT]


def test_delay_with_nobody_left(service) -> None:
    """Without a worker there is nothing to be delayed."""
    service.take(happened.DelayAsked(1, 5.0))
    service.signal(TERM)
    service.exit(1)
    assert not service.ended
    service.exit(2)
    service.later(0.1)
    service.later(0.1)
    assert service.ended


def test_quit_knows_no_delay(service) -> None:
    """QUIT ends workers at once, before the delay and within it."""
    service.take(happened.DelayAsked(1, 5.0))
    service.signal(TERM)
    service.signal(QUIT)
    assert service.sent(1) == [TERM, INT]


# --- while workers are busy ------------------------------------------------


@pytest.fixture
def busy(service):
    """Be a service whose workers accept for a second while they are busy."""
    service.take(happened.BusyTold(1, 1.0))
    service.take(happened.BusyTold(2, 1.0))
    return service


def test_busy_workers_go_on_to_accept(busy) -> None:
    """It stops as soon as the last worker is idle."""
    commands = busy.signal(TERM)
    assert do.TellStopping() in commands
    assert do.StopAccepting() not in commands

    busy.take(happened.BusyTold(2, 0.0))
    busy.later(0.5)
    assert do.StopAccepting() not in busy.commands
    assert do.StopAccepting() in busy.take(happened.BusyTold(1, 0.0))
    assert busy.lines()[-1] == "Stopping."
    busy.later(0.1)
    assert busy.sent(1) == busy.sent(2) == [TERM]


def test_busy_workers_have_a_bound(busy) -> None:
    """It stops after the longest time that was asked for."""
    busy.take(happened.BusyTold(2, 2.0))
    busy.signal(TERM)

    busy.later(1.9)
    assert do.StopAccepting() not in busy.commands
    # What is asked for now changes nothing.
    busy.take(happened.BusyTold(2, 60.0))
    busy.later(0.3)
    assert busy.commands.count(do.StopAccepting()) == 1
    assert busy.sent(1) == busy.sent(2) == [TERM]


@pytest.mark.parametrize("second", [TERM, INT, QUIT])
def test_busy_workers_are_forced(busy, second) -> None:
    """A second signal means what it means without a delay."""
    busy.signal(TERM)
    busy.signal(second)
    assert busy.sent(1) == busy.sent(2) == [TERM, INT]


def test_a_fixed_time_wins(busy) -> None:
    """Idle workers do not shorten a fixed time, which busy ones get too."""
    busy.take(happened.DelayAsked(1, 5.0))
    busy.signal(TERM)
    for key in (1, 2):
        busy.take(happened.BusyTold(key, 0.0))
    busy.later(4.9)
    assert do.StopAccepting() not in busy.commands
    busy.later(0.2)
    assert do.StopAccepting() in busy.commands


def test_busy_workers_are_gone(busy) -> None:
    """One that has crashed is not waited for."""
    busy.signal(TERM)
    busy.take(happened.BusyTold(2, 0.0))
    busy.exit(1, -signal.SIGKILL)
    busy.later(0.1)
    assert do.StopAccepting() in busy.commands
    busy.later(0.1)
    assert busy.sent(2) == [TERM]


def test_workers_that_leave_do_not_count(new_service) -> None:
    """A worker that a reload has stopped has no say in it."""
    service = new_service()
    service.ready()
    service.take(happened.BusyTold(1, 1.0))
    service.signal(signal.SIGHUP)
    service.ready()
    assert service.sent(1) == [TERM]
    assert do.StopAccepting() in service.signal(TERM)


# --- workers are told ------------------------------------------------------


@pytest.mark.parametrize("number", [TERM, INT, QUIT])
def test_workers_know_that_the_service_ends(service, number) -> None:
    """They are told before they are stopped, with a delay or without."""
    service.signal(number)
    service.later(0.1)
    told, stopped = do.TellStopping(), do.Send(1, service.sent(1)[0])
    found = service.commands
    assert found.index(told) < found.index(stopped)
    assert found.count(told) == 1


def test_workers_know_that_the_service_goes_on(service) -> None:
    """A worker that is replaced, or removed, is told nothing."""
    service.signal(signal.SIGHUP)
    service.ready()
    service.signal(signal.SIGTTOU)
    assert service.sent(1) == [TERM]
    assert do.TellStopping() not in service.commands
