"""
Decide in which order objects are built, before any code is written.

Nested: what is built for a layer, and may have to wait, stands in a block with
all that only it needs, entered by one task at a time. Flat: first is found out
what is needed, then one after the other is built; for what is nested deeper
than Python allows.
"""

from __future__ import annotations

import typing as t

from buvar.di._plan.nodes import CALL
from buvar.di._plan.nodes import LAYER
from buvar.di._plan.nodes import STAGE
from buvar.di._plan.nodes import Build
from buvar.di._plan.nodes import Guard
from buvar.di._plan.nodes import Node
from buvar.di._plan.nodes import parts
from buvar.di._plan.plan import Plan
from buvar.di._registry.provider_kind import Kind

from .steps import AnyOf
from .steps import Claim
from .steps import Flag
from .steps import IfMissing
from .steps import IfWanted
from .steps import Make
from .steps import MakeNew
from .steps import NotKept
from .steps import Question
from .steps import Schedule
from .steps import Step
from .steps import UnlessKept


AWAITS: t.Final = (Kind.AWAIT, Kind.ASYNC_YIELD)
YIELDS: t.Final = (Kind.YIELD, Kind.ASYNC_YIELD)

#: Python nests 20 blocks, a level here takes one of them and two indents.
_DEEP = 12


def schedule(plan: Plan) -> Schedule:
    """Decide in which order a plan is carried out."""
    flags: tuple[Flag, ...] = ()
    maybe_assigned: tuple[Build, ...] = ()
    waits = any(
        build.adapter.kind in AWAITS or (build.kept and build.level == STAGE)
        for build in plan.order
    )
    if waits and _depth(plan.order) <= _DEEP:
        nested = _Scheduler(plan)
        steps = nested.nested()
        maybe_assigned = tuple(nested.maybe_assigned)
    elif waits or not all(
        storage.by_own_type for storage in plan.storage.values()
    ):
        flags, steps = _Scheduler(plan).flat()
    else:
        steps = tuple(map(Make, plan.order))
    questions = _questions(plan)
    levels = {question.guard.level for question in questions}
    levels.update(guard.level for guard in plan.collected)
    kept = {build.level for build in plan.storage}
    closing = {
        max(build.level, LAYER)
        for build in plan.order
        if build.adapter.kind in YIELDS
    }
    used = levels | kept | closing
    return Schedule(
        plan,
        questions,
        _absent(questions),
        LAYER in used,
        STAGE in used,
        STAGE in kept,
        flags,
        steps,
        maybe_assigned,
    )


def _questions(plan: Plan) -> tuple[Question, ...]:
    """List what the context is asked."""
    found: set[Guard] = set()
    questions: list[Question] = []
    for guard, expected in plan.guards.items():
        twin = None
        if expected and guard.name is None and guard.level != STAGE:
            other = LAYER if guard.level == CALL else CALL
            twin = guard._replace(level=other)
        questions.append(
            Question(
                guard,
                expected,
                twin if twin in found else None,
                guard in plan.rests_on,
            )
        )
        if expected:
            found.add(guard)
    return tuple(questions)


def _absent(questions: t.Iterable[Question]) -> dict[int, tuple[t.Any, ...]]:
    """List the types that must not be there without a name, by level."""
    absent: dict[int, list[t.Any]] = {}
    for question in questions:
        level, key, name = question.guard
        if not question.expected and name is None:
            absent.setdefault(level, []).append(key)
    return {level: tuple(keys) for level, keys in absent.items()}


class _Scheduler:
    """
    Go through a plan in the order of the code.

    Args:
        plan: The plan.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._assigned: set[Build] = set()
        #: Something is awaited in the steps so far: others may have run.
        self._awaited = False
        self.maybe_assigned: dict[Build, None] = {}

    # --- nested -----------------------------------------------------------

    def nested(self) -> tuple[Step, ...]:
        """Build each object where it is first needed."""
        needed = [part for node in self._plan.targets for part in parts(node)]
        return self._needed(needed, inside=False)

    def _needed(
        self, nodes: t.Iterable[Node], *, inside: bool
    ) -> tuple[Step, ...]:
        return tuple(
            step for node in nodes for step in self._need(node, inside=inside)
        )

    def _need(self, node: Node, *, inside: bool) -> tuple[Step, ...]:
        """
        Build a value, and what it needs, unless it is there.

        Args:
            node: Where the value comes from.
            inside: The steps are within others, which may not be taken.
        """
        if not isinstance(node, Build) or node in self._assigned:
            return ()
        if node in self.maybe_assigned:
            # Not sure to be reached, so what is built there is not known.
            assigned, self._assigned = self._assigned, set(self._assigned)
            steps = self._built(node, inside=True)
            self._assigned = assigned
            steps = (IfMissing(node, steps),)
        else:
            if inside:
                self.maybe_assigned[node] = None
            steps = self._built(node, inside=inside)
        self._assigned.add(node)
        return steps

    def _built(self, build: Build, *, inside: bool) -> tuple[Step, ...]:
        """Build an object, what it needs first."""
        if build.kept:
            return self._once(build, inside=inside)
        steps = self._needed(build.needs, inside=inside)
        return (*steps, self._make(build))

    def _make(self, build: Build) -> Step:
        self._awaited |= build.adapter.kind in AWAITS
        return Make(build)

    def _once(self, build: Build, *, inside: bool) -> tuple[Step, ...]:
        """Build an object for a layer: once, whoever asks meanwhile."""
        before: tuple[Step, ...] = ()
        if build.adapter.kind not in AWAITS:
            # Those are built once on their own.
            kept = (
                need
                for need in build.needs
                if isinstance(need, Build) and need.kept
            )
            before = self._needed(kept, inside=inside)
        waits, is_new = self._waits(build), self._is_new(build)
        if is_new and not waits:
            needed = self._needed(build.needs, inside=inside)
            return (MakeNew(build, (*before, *needed, self._make(build))),)
        assigned, self._assigned = self._assigned, set(self._assigned)
        if waits:
            once: Step = self._claim(build, before, is_new=is_new)
        else:
            once = self._unless_kept(build, before)
        self._assigned = assigned
        return (once,)

    def _unless_kept(
        self, build: Build, before: tuple[Step, ...] = ()
    ) -> Step:
        or_added = self._awaited and self._plan.storage[build].by_type
        steps = self._needed(build.needs, inside=True)
        steps = (*steps, self._make(build))
        return UnlessKept(build, before, or_added, steps)

    def _claim(
        self, build: Build, before: tuple[Step, ...], *, is_new: bool
    ) -> Step:
        self._awaited = True
        steps = self._needed(build.needs, inside=True)
        if build.adapter.kind in AWAITS or build.level == STAGE:
            last = self._make(build)
        else:
            # A call that had no need to wait may have built it meanwhile.
            last = self._unless_kept(build)
        return Claim(build, before, is_new, (*steps, last))

    def _is_new(self, build: Build) -> bool:
        """Tell whether nothing can have been built before."""
        key, plan = self._plan.storage[build].place, self._plan
        asked = (Guard(level, key, None) for level in (CALL, build.level))
        return not self._awaited and (
            key in plan.absent
            or any(plan.guards.get(guard) is False for guard in asked)
        )

    def _waits(self, build: Build) -> bool:
        """
        Tell whether others may run while something is built.

        Other threads may, where they share it: the layer of the stage.
        """
        if build.level == STAGE:
            return True
        todo: dict[Node, None] = {build: None}
        while todo:
            needed, _ = todo.popitem()
            if not isinstance(needed, Build):
                continue
            if needed.adapter.kind in AWAITS or (
                needed.kept and needed.level == STAGE
            ):
                return True
            todo.update(
                (need, None)
                for need in needed.needs
                if need not in self._assigned
            )
        return False

    # --- flat -------------------------------------------------------------

    def flat(self) -> tuple[tuple[Flag, ...], tuple[Step, ...]]:
        """Find out what is needed, from the top, and build it in order."""
        wanted, flags = _wanted(self._plan)
        # What an object needs has been built before.
        self._assigned.update(self._plan.order)
        steps: list[Step] = []
        for build in self._plan.order:
            flag = wanted[build]
            built = self._built(build, inside=flag is not None)
            steps += built if flag is None else (IfWanted(flag, built),)
        return flags, tuple(steps)


def _wanted(
    plan: Plan,
) -> tuple[dict[Build, int | None], tuple[Flag, ...]]:
    """
    Say what finds out which objects are needed.

    Returns:
        The number of the flag of each object, ``None`` if it is always
        needed, and all flags.
    """
    flags: list[Flag] = []
    wanted: dict[Build, int | None] = {}
    needs: dict[Node, dict[int | None, None]] = {
        part: {None: None} for node in plan.targets for part in parts(node)
    }
    for build in reversed(plan.order):
        reasons = needs[build]
        flag = None
        if None not in reasons:
            numbers = tuple(t.cast("t.Iterable[int]", reasons))
            flag = numbers[0]
            if len(numbers) > 1:
                flag = len(flags)
                flags.append(AnyOf(numbers))
        wanted[build] = missing = flag
        if build.kept:
            missing = len(flags)
            flags.append(NotKept(build, flag))
        for need in build.needs:
            needs.setdefault(need, {})[missing] = None
    return wanted, tuple(flags)


def _depth(builds: t.Iterable[Build]) -> int:
    """Count the objects in the longest chain."""
    depths: dict[Node, int] = {}
    for node in builds:
        inner = (depths.get(arg, 0) for arg in node.needs)
        depths[node] = 1 + max(inner, default=0)
    return max(depths.values(), default=0)
