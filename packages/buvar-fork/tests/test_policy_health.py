"""Whether a worker was healthy: how long it served, not how long it lived."""

from __future__ import annotations

import signal

import pytest

from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar.fork import BootError
from buvar.fork._failure import Failure
from buvar.fork._supervise import commands as do
from buvar.fork._supervise import events as happened


KILL = signal.SIGKILL
FAILURE = Failure(1, "no")
#: Seconds in which a worker that is silent counts as blocked.
TIMEOUT = 10.0
#: A machine that stands still for seconds makes no drawing slow.
CALM = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
#: Every way in which a worker fails by its own fault.
WAYS = ["boot", "stage", "exit", "message", "message, exit", "hang"]


def live(fake, key: int, way: str, *, served: float, slow: float) -> float:
    """
    Have a worker serve and fail, which may take a while.

    Returns:
        When it was known to have failed.
    """
    if way != "boot":
        fake.ready(key)
        fake.now += served
    failed = fake.now
    if way in {"boot", "stage"}:
        fake.take(happened.StageEnding(key))
        fake.now += slow
        fake.take(happened.Heard(key))
        failed = fake.now
        fake.take(happened.StageFailed(key, FAILURE))
        fake.exit(key, 1)
    elif way == "exit":
        fake.exit(key, 7)
    elif way == "message":
        fake.take(happened.Misbehaved(key, "it is unknown"))
        fake.later(slow)
        fake.exit(key, -KILL)
    elif way == "message, exit":
        fake.take(happened.Misbehaved(key, "it is unknown"))
        fake.exit(key, 0)
    else:
        fake.take(happened.Heard(key))
        failed += TIMEOUT
        fake.later(TIMEOUT + 0.5 + slow)
        assert key in fake.killed
        fake.exit(key, -KILL)
    return failed


@pytest.fixture
def service(new_service):
    """Be a service of one worker, which has been ready before."""
    fake = new_service(
        forks=1, max_failures=3, worker_timeout=TIMEOUT, boot_timeout=None
    )
    fake.ready()
    return fake


def current(fake) -> int:
    """Return the worker that serves, once its back-off is over."""
    fake.later(max(0.0, fake.service.slots[0].due - fake.now))
    (worker,) = fake.service.serving()
    return worker.key


@pytest.mark.parametrize("way", WAYS)
def test_fails_soon_and_ends_late(service, way: str) -> None:
    """It counts for max_failures, however long its end takes."""
    for failures in (1, 2, 3):
        live(service, current(service), way, served=0.5, slow=3.0)
        assert service.service.slots[0].failures == failures

    assert not service.service.up


@pytest.mark.parametrize("way", WAYS[1:])
def test_fails_late(service, way: str) -> None:
    """It was healthy: it pays for no failure before, and is not given up."""
    for _ in range(4):
        live(service, current(service), way, served=2.0, slow=0.0)
        assert service.service.slots[0].failures == 1
        assert service.service.slots[0].streak == 1

    assert service.service.up


@pytest.mark.parametrize("way", WAYS)
def test_each_failure_has_its_back_off(service, way: str) -> None:
    """The successor waits after each of them, twice as long each time."""
    for wait in (0.05, 0.1):
        key = current(service)
        failed = live(service, key, way, served=0.5, slow=0.0)
        assert service.service.slots[0].due == pytest.approx(failed + wait)
        current(service)
        assert service.starts[1][-1] >= failed + wait


@pytest.mark.parametrize(
    ("way", "text", "code"),
    [
        ("boot", "Worker 1 cannot boot", 3),
        ("stage", "Worker 1 failed", 1),
        ("exit", "Worker 1 failed", 7),
        ("message", "Worker 1 sent invalid messages", 1),
        ("hang", "Worker 1 hung", 1),
    ],
)
def test_what_ended_the_service(service, way: str, text, code: int) -> None:
    """Its error and exit code name the fault, not the signal that we sent."""
    while service.service.up:
        live(service, current(service), way, served=0.0, slow=0.0)

    assert str(service.service.error).startswith(text)
    assert service.service.error.code == code


def test_others_that_are_about_to_end(new_service) -> None:
    """A worker whose stage ends keeps no service that fails."""
    service = new_service(max_failures=2, worker_timeout=1000)
    service.ready()
    service.now += 5
    service.take(happened.Heard(2))
    service.take(happened.StageEnding(2))
    assert service.service.up
    service.exit(1, 7)
    service.later(0.05)
    # That one was healthy, its successor is not.
    live(service, 3, "exit", served=0.0, slow=0.0)

    assert not service.service.up


def test_others_that_are_silent(new_service) -> None:
    """A worker counts as healthy for as long as it was heard, no longer."""
    for heard, up in [(1.9, False), (2.0, True)]:
        service = new_service(max_failures=1, worker_timeout=1000)
        service.ready(1)
        service.now += heard
        service.take(happened.Heard(1))
        service.now += 100
        live(service, 2, "exit", served=0.0, slow=0.0)

        assert service.service.up is up


def test_teardown_of_what_could_not_boot(new_service) -> None:
    """It has the time to boot for its end, too, if it says that it lives."""
    service = new_service(worker_timeout=5.0, boot_timeout=8.0)
    service.ready(2)
    service.take(happened.StageEnding(1))
    for _ in range(7):
        service.now += 1
        service.take(happened.Heard(1))
        service.take(happened.Heard(2))
    service.take(happened.Tick())
    assert service.sent(1) == []
    service.later(1)
    assert service.sent(1) == [signal.SIGQUIT]
    text = "Worker 1 (process 101) does not end in time. It is killed; where"
    assert service.lines()[-1].startswith(text)
    service.later(1)
    service.exit(1, -KILL)

    assert isinstance(service.service.error, BootError)


def test_teardown_that_is_blocked(service) -> None:
    """A stage that ends has to say that it lives, as one that serves."""
    service.take(happened.StageEnding(1))
    service.now += TIMEOUT - 1
    service.take(happened.Heard(1))
    service.later(TIMEOUT - 1)
    assert service.sent(1) == []
    service.take(happened.StoodStill(2.0))
    service.later(2.5)
    assert service.sent(1) == []
    service.later(1)
    assert service.sent(1) == [signal.SIGQUIT, KILL]


def test_teardown_that_waits_for_ever(service) -> None:
    """It has graceful_timeout, as one that was asked to end, and no more."""
    service.take(happened.StageEnding(1))
    for _ in range(10):
        service.now += 5
        service.take(happened.Heard(1))
    service.take(happened.StoodStill(2.0))
    service.later(11.0)
    service.take(happened.Heard(1))
    service.take(happened.Tick())
    assert service.sent(1) == []
    service.later(1.0)
    assert service.sent(1) == [signal.SIGQUIT]
    text = "Worker 1 (process 101) does not end in time. It is killed; where"
    assert service.lines()[-1].startswith(text)
    service.later(0.5)
    assert service.sent(1) == [signal.SIGQUIT, KILL]
    service.exit(1, -KILL)

    # That is a crash of a worker that never said how its stage ended.
    assert not service.service.slots[0].done
    assert service.service.slots[0].failures == 1


def test_a_hurry_that_nobody_has(new_service) -> None:
    """A stage that ends by itself has some time, also with none to stop."""
    service = new_service(forks=1, graceful_timeout=0)
    service.ready()
    service.take(happened.StageEnding(1))
    service.later(2.9)
    assert service.sent(1) == []
    service.take(happened.StageEnded(1))
    service.exit(1)

    assert service.service.slots[0].done


@pytest.mark.parametrize("before", [True, False])
def test_no_more_time_for_an_end_that_began(new_service, before) -> None:
    """Neither READY nor a signal begins the time of an end anew."""
    service = new_service(forks=1, graceful_timeout=10.0, worker_timeout=100.0)
    service.signal(signal.SIGHUP)
    if before:
        service.ready()
    service.take(happened.StageEnding(1))
    service.later(6.0)
    if not before:
        service.ready()
    service.signal(signal.SIGTERM)
    service.later(0.5)
    assert service.sent(1) == [signal.SIGTERM]
    service.later(3.6)

    assert service.sent(1) == [signal.SIGTERM, signal.SIGQUIT]


def test_ends_before_it_is_ready(new_service) -> None:
    """A stage that ends well is ready at its end, and replaces the old one."""
    service = new_service()
    service.ready()
    service.signal(signal.SIGHUP)
    service.take(happened.StageEnding(3))
    assert service.sent(1) == []
    service.ready(3)
    service.ready(3)
    assert service.sent(1) == [signal.SIGTERM]
    service.take(happened.StageEnded(3))
    service.exit(3)

    assert service.service.slots[0].done


def test_told_to_end_while_it_ends(service) -> None:
    """A worker that was told to end owes the service nothing any more."""
    service.take(happened.StageEnding(1))
    service.signal(signal.SIGTERM)
    service.later(0.2)
    assert service.sent(1) == [signal.SIGTERM]
    service.take(happened.StageEnding(1))
    service.take(happened.StageEnded(1))
    service.exit(1)

    assert service.service.error is None


# --- others that ask for a successor ---------------------------------------


def test_ended_by_a_signal_again_and_again(service) -> None:
    """Whoever sends it: successors come later each time, and never fail."""
    waits = []
    for _ in range(9):
        key = current(service)
        service.ready(key)
        service.take(happened.StageEnded(key, (), signalled=True))
        ended = service.now
        service.exit(key, 0)
        waits.append(service.service.slots[0].due - ended)

    assert waits == pytest.approx([0.05 * 2**n for n in range(9)])
    assert service.service.up


def test_asks_to_be_replaced_again_and_again(service) -> None:
    """Only the first is replaced at once; one that served begins anew."""
    key = 1
    for served, wait in [
        (0.0, 0.0),
        (1.9, 0.05),
        (0.0, 0.1),
        (2.0, 0.2),
        (0.0, 0.0),
        (0.0, 0.05),
    ]:
        service.now += served
        asked = service.now
        service.take(happened.RecycleAsked(key, "it is too large"))
        notified = service.commands.count(do.NotifyReloading())
        service.later(wait)
        key += 1
        assert service.starts[1][-1] == pytest.approx(asked + wait)
        # The service manager is told when it happens.
        told = service.commands.count(do.NotifyReloading())
        assert told - notified == bool(wait)
        service.ready(key)
        service.exit(key - 1)

    assert service.service.up


def test_a_reload_waits_for_no_recycling(service) -> None:
    """Who reloads has mended it: a worker that waits is replaced at once."""
    for key in (1, 2, 3, 4, 5):
        service.take(happened.RecycleAsked(key, "it is too large"))
        service.later(0.5)
        service.ready(key + 1)
        service.exit(key)
    service.take(happened.RecycleAsked(6, "it is too large"))
    assert 7 not in service.running
    service.signal(signal.SIGHUP)

    assert 7 in service.running


# --- by chance -------------------------------------------------------------


@given(
    lives=st.lists(
        st.tuples(
            st.sampled_from(WAYS),
            st.sampled_from([0.0, 0.5, 1.9]),
            st.sampled_from([0.0, 3.0, 40.0]),
        ),
        min_size=16,
        max_size=16,
    ),
    forks=st.integers(1, 2),
)
@settings(deadline=None, suppress_health_check=CALM)
def test_no_service_fails_for_ever(new_service, lives, forks: int) -> None:
    """Workers that never serve for long end it, whatever goes wrong."""
    fake = new_service(
        forks=forks, max_failures=3, worker_timeout=TIMEOUT, boot_timeout=None
    )
    fake.ready()
    for way, served, slow in lives:
        while fake.service.up and not fake.service.serving():
            fake.later(max(0.0, fake.service.due() - fake.now))
        if not fake.service.up:
            return
        worker = fake.service.serving()[0]
        live(fake, worker.key, way, served=served, slow=slow)
        for key in fake.killed & set(fake.running):
            fake.exit(key, -KILL)
    raise AssertionError(fake.lines())
