"""The supervisor's state machine, found by running its policy by chance."""

from __future__ import annotations

import collections
import functools
import random
import signal
import typing as t

import drawing

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

from buvar.fork._failure import Failure
from buvar.fork._options import Options
from buvar.fork._supervise import commands as do
from buvar.fork._supervise import events as happened
from buvar.fork._supervise.phases import Ended
from buvar.fork._supervise.phases import Up
from buvar.fork._supervise.policy import step
from buvar.fork._supervise.state import Service


#: How many services live, and what may happen to each of them.
LIVES: t.Final = 3000
EVENTS: t.Final = 40

#: What an event is called in the table.
WORDS: t.Final[dict[type, str]] = {
    happened.AddressAsked: "a socket is asked for",
    happened.BecameReady: "a worker is ready",
    happened.BusyTold: "workers are idle",
    happened.DelayAsked: "a delay is asked for",
    happened.Exited: "a worker has exited",
    happened.Heard: "a worker uses too much memory",
    happened.Misbehaved: "a worker sends an invalid message",
    happened.QueueSeen: "the queue was looked at",
    happened.RecycleAsked: "a worker asks to be replaced",
    happened.StageEnded: "a stage has ended",
    happened.StageEnding: "a stage begins to end",
    happened.StageFailed: "a stage has failed",
    happened.Started: "a worker has started",
    happened.StartFailed: "a worker cannot be started",
    happened.StoodStill: "the machine stood still",
    happened.TerminalClosed: "the terminal is closed",
    happened.Tick: "a deadline is over",
}
SIGNALS: t.Final = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM),
    *(signal.SIGTTIN, signal.SIGTTOU),
)

#: What happens to a service, as often as it stands here.
DEEDS: t.Final = (
    *("time", "time", "signal", "exit", "exit", "event", "event", "event"),
    *("ready", "ready", "ready", "ready"),
)
RARELY: t.Final = (True, *[False] * 6)

Steps: t.TypeAlias = dict[tuple[str, str], set[str]]


def word(event: happened.Event) -> str:
    if isinstance(event, happened.Signal):
        return event.number.name.removeprefix("SIG")
    return WORDS[type(event)]


def name(phase: object) -> str:
    """Return what a phase is called in a drawing."""
    if isinstance(phase, Up):
        return phase.name.capitalize()
    if getattr(phase, "forced", False):
        return "Forced"
    return type(phase).__name__


class Life:
    """One service without processes, to which things happen by chance."""

    def __init__(self, chance: random.Random, service: Steps, worker: Steps):
        self.chance = chance
        self.now = 1000.0
        self.service = Service(
            Options(
                forks=2,
                max_memory=100,
                max_failures=chance.choice([2, 7]),
                worker_timeout=5.0,
                boot_timeout=8.0,
                graceful_timeout=4.0,
            )
        )
        self.running: set[int] = set()
        self.of_service, self.of_worker = service, worker

    def take(self, event: happened.Event) -> None:
        events = collections.deque([event])
        while events:
            event = events.popleft()
            before = name(self.service.phase)
            phases = {
                k: name(w.phase) for k, w in self.service.workers.items()
            }
            commands = step(self.service, event, self.now)
            self._note(
                self.of_service, before, name(self.service.phase), event
            )
            for key, phase in phases.items():
                worker = self.service.workers.get(key)
                after = "gone" if worker is None else name(worker.phase)
                self._note(self.of_worker, phase, after, event)
            for command in commands:
                events.extend(self._carry_out(command))

    def _note(
        self, steps: Steps, before: str, after: str, event: happened.Event
    ) -> None:
        if before != after:
            steps[before, after].add(word(event))

    def _carry_out(self, command: do.Command) -> list[happened.Event]:
        match command:
            case do.Start(key, _, _):
                if self.chance.choice(RARELY):
                    return [happened.StartFailed(key, "no room")]
                self.running.add(key)
                return [happened.Started(key, key)]
            case do.LookAtQueue():
                return [happened.QueueSeen(self.chance.choice([True, False]))]
            case do.StopAccepting():
                if self.chance.choice(RARELY):
                    return [happened.QueueSeen(pending=False)]
        return []

    def happen(self) -> None:
        """Let something happen."""
        chance = self.chance
        keys = sorted(self.running)
        deed = chance.choice(DEEDS)
        if deed == "time" or not keys:
            self.now += chance.choice([0.1, 1.0, 2.5, 9.0])
            self.take(happened.Tick())
        elif deed == "signal":
            self.take(happened.Signal(chance.choice(SIGNALS)))
        elif deed == "ready":
            for key in keys:
                self.take(happened.BecameReady(key))
                self.take(happened.Heard(key))
        elif deed == "exit":
            key = chance.choice(keys)
            self.running.discard(key)
            code = chance.choice([0, 0, 1, -9])
            if code == 0:
                self.take(happened.StageEnded(key))
            self.take(happened.Exited(key, code))
        else:
            key = chance.choice(keys)
            event = chance.choice(
                [
                    happened.Heard(key, 101),
                    happened.RecycleAsked(key, "asked"),
                    happened.StageFailed(key, Failure(1, "failed")),
                    happened.StageEnding(key),
                    happened.StageEnded(key),
                    happened.Misbehaved(key, "nonsense"),
                    happened.DelayAsked(key, 5.0),
                    happened.BusyTold(key, 1.0),
                    happened.BusyTold(key, 0.0),
                    happened.TerminalClosed(),
                ]
            )
            self.take(event)


@functools.cache
def explore(seed: int = 18) -> tuple[Steps, Steps]:
    """Return the steps between phases, of services and of workers."""
    service: Steps = collections.defaultdict(set)
    worker: Steps = collections.defaultdict(set)
    chance = random.Random(seed)  # noqa: S311 - the same each time
    for _ in range(LIVES):
        life = Life(chance, service, worker)
        life.take(happened.Tick())
        for _ in range(EVENTS):
            if isinstance(life.service.phase, Ended):
                break
            life.happen()
    return service, worker


def rows(steps: Steps) -> t.Iterator[str]:
    yield from ("| from | to | when |", "|---|---|---|")
    for (before, after), words in sorted(steps.items()):
        yield f"| {before} | {after} | {', '.join(sorted(words))} |"


class Supervisor(Directive):
    """
    The steps of a ``service`` or of its ``worker``, drawn and in a table.

    The content has the boxes of a drawing, one for each phase.
    """

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        service, worker = explore()
        steps = {"service": service, "worker": worker}[self.arguments[0]]
        # A phase without a box, and a box without a phase, is an error.
        boxes, _ = drawing.parse(self.content)
        phases = {phase for step in steps for phase in step}
        if phases != set(boxes):
            msg = f"Boxes and phases differ: {phases ^ set(boxes)}"
            raise ValueError(msg)
        arrows = [f"{before} -> {after}" for before, after in sorted(steps)]
        svg = drawing.draw([*self.content, *arrows], self.arguments[0])
        parent = nodes.Element()
        content = StringList([*rows(steps)], source="supervisor")
        self.state.nested_parse(content, self.content_offset, parent)
        figure = f'<div class="picture">{svg}</div>'
        return [nodes.raw("", figure, format="html"), *parent.children]


def setup(app: Sphinx) -> dict[str, t.Any]:
    """Add the directive."""
    app.add_directive("supervisor", Supervisor)
    return {"parallel_read_safe": True}
