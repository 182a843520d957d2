"""Whatever happens in whatever order, a supervisor keeps its promises."""

from __future__ import annotations

import collections
import functools
import math
import signal

from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import stateful
from hypothesis import strategies as st

from buvar import fork
from buvar.fork._failure import Failure
from buvar.fork._supervise import events as happened


SIGNALS = [
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGUSR1,
]
#: Those that do not end a service.
HARMLESS = [SIGNALS[0], *SIGNALS[4:]]


class Life(stateful.RuleBasedStateMachine):
    """The life of a service, by chance."""

    def __init__(self, new_service, *roles: fork.Role) -> None:
        super().__init__()
        self.fake = new_service(
            *roles, worker_timeout=5.0, boot_timeout=8.0, graceful_timeout=4.0
        )

    def _key(self, data: st.DataObject) -> int | None:
        keys = sorted(self.fake.running)
        return data.draw(st.sampled_from(keys)) if keys else None

    @stateful.rule(number=st.sampled_from(HARMLESS * 5 + SIGNALS))
    def signal(self, number) -> None:
        self.fake.signal(number)

    @stateful.rule(seconds=st.sampled_from([0.01, 0.1, 1.0, 4.5, 40.0]))
    def time(self, seconds: float) -> None:
        self.fake.later(seconds)

    @stateful.rule(seconds=st.sampled_from([0.2, 3.0]))
    def standstill(self, seconds: float) -> None:
        self.fake.now += seconds
        self.fake.take(happened.StoodStill(seconds))

    @stateful.rule(fails=st.booleans())
    def room(self, *, fails: bool) -> None:
        self.fake.start_fails = fails

    @stateful.rule(pending=st.booleans())
    def queue(self, *, pending: bool) -> None:
        self.fake.pending = pending

    @stateful.rule()
    def all_ready(self) -> None:
        self.fake.ready()

    @stateful.rule(data=st.data(), kind=st.integers(0, 8))
    def message(self, data: st.DataObject, kind: int) -> None:
        key = self._key(data)
        if key is not None:
            self.fake.take(
                [
                    happened.BecameReady(key),
                    happened.Heard(key),
                    happened.RecycleAsked(key, "asked"),
                    happened.StageFailed(key, Failure(0, "failed")),
                    happened.Misbehaved(key, "nonsense"),
                    happened.DelayAsked(key, 1.0),
                    happened.BusyTold(key, 1.0),
                    happened.BusyTold(key, 0.0),
                    happened.StageEnding(key),
                ][kind]
            )

    @stateful.rule(data=st.data(), code=st.sampled_from([0, 1, 7, -9, -15]))
    def exit(self, data: st.DataObject, code: int) -> None:
        key = self._key(data)
        if key is not None:
            self.fake.exit(key, code)

    @stateful.invariant()
    def every_process_is_known(self) -> None:
        """No worker is forgotten before it is reaped, none is made up."""
        assert set(self.fake.running) == set(self.fake.service.workers)

    @stateful.invariant()
    def one_successor(self) -> None:
        """A slot has one worker that serves, and one that follows it."""
        service = self.fake.service
        for slot in service.slots:
            serving = service.serving(slot)
            followers = [w for w in serving if w.replaces is not None]
            assert len(followers) <= 1
            assert len(serving) - len(followers) <= 1
        assert sum(w.replaces is not None for w in service.serving()) <= 1

    @stateful.invariant()
    def some_worker_is_wanted(self) -> None:
        """A service that is up serves, or is about to."""
        service = self.fake.service
        if service.up:
            assert service.serving() or service.missing() or service.workers
        assert not (self.fake.ended and self.fake.running)

    @stateful.invariant()
    def never_too_fast(self) -> None:
        """No slot is filled before its back-off is over."""
        service = self.fake.service
        starts = collections.Counter(
            worker.slot.label for worker in service.serving()
        )
        for slot in service.slots:
            if slot.due > self.fake.now and slot.due:
                place = slot.label if slot.options.role else slot.number
                assert self.fake.starts[place][-1] < slot.due
        assert max(starts.values(), default=0) <= 2

    @stateful.invariant()
    def exclusive_roles_are_exclusive(self) -> None:
        """There are never two processes of an exclusive role."""
        assert len(self.fake.of("clock")) <= 1
        assert len(self.fake.of("mail")) <= 1

    def settle(self) -> None:
        """A service in which nothing goes wrong any more becomes complete."""
        fake, service = self.fake, self.fake.service
        fake.start_fails = False
        for _ in range(100):
            if not service.up or (
                service.complete()
                and not service.stale(math.inf)
                and not service.replacing()
            ):
                return
            for key in list(fake.running):
                if service.workers[key].serves:
                    fake.take(happened.BecameReady(key))
                elif service.up:
                    fake.exit(key, -9 if key in fake.killed else 0)
            fake.later(1.0)
        raise AssertionError(service.missing())

    def teardown(self) -> None:
        """A service that is told to end does, whatever it went through."""
        self.settle()
        fake = self.fake
        fake.signal(signal.SIGTERM)
        start = fake.now
        # The delay, the queue, the time to end, and the last words.
        while not fake.ended:
            fake.later(0.5)
            for key in fake.killed & set(fake.running):
                fake.exit(key, -9)
            assert fake.now - start <= 1.0 + 1.1 + 4.0 + 0.3 + 1.5


#: A machine that stands still for seconds makes no drawing slow.
CALM = [HealthCheck.too_slow]


def test_life(new_service) -> None:
    """No sequence of events leads to what must never be."""
    stateful.run_state_machine_as_test(
        functools.partial(Life, new_service),
        settings=settings(
            max_examples=150,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=CALM,
        ),
    )


def test_life_of_roles(new_service) -> None:
    """Whatever happens, there are never two of an exclusive role."""
    roles = (
        fork.Role("clock", "shop.clock", exclusive=True),
        fork.Role("web", "shop.web"),
        fork.Role("mail", "shop.mail", exclusive=True),
    )
    stateful.run_state_machine_as_test(
        functools.partial(Life, new_service, *roles),
        settings=settings(
            max_examples=100,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=CALM,
        ),
    )
