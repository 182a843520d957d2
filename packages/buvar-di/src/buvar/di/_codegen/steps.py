"""What the schedule of a plan is made of."""

from __future__ import annotations

import typing as t

from buvar.di._plan.nodes import Build
from buvar.di._plan.nodes import Guard
from buvar.di._plan.plan import Plan


class Make(t.NamedTuple):
    """Build an object here, and store it if it is kept."""

    build: Build


class IfMissing(t.NamedTuple):
    """Take steps only if they were not taken further up."""

    build: Build
    steps: tuple[Step, ...]


class MakeNew(t.NamedTuple):
    """
    Build what a layer is to keep, and cannot have yet.

    Attributes:
        build: What is to be built.
        steps: How it is built.
    """

    build: Build
    steps: tuple[Step, ...]


class UnlessKept(t.NamedTuple):
    """
    Take what the layer keeps; only otherwise take steps to build it.

    Attributes:
        build: What is to be built.
        before: Steps that are taken first, whether the layer has it or not:
            they build each once on their own.
        or_added: What was added meanwhile is as good.
        steps: How it is built.
    """

    build: Build
    before: tuple[Step, ...]
    or_added: bool
    steps: tuple[Step, ...]


class Claim(t.NamedTuple):
    """
    Have one call build what a layer keeps, and others wait for it.

    Attributes:
        build: What is to be built.
        before: Steps that are taken first, whoever builds it.
        is_new: Nothing can have been built before.
        steps: What the call does that builds it.
    """

    build: Build
    before: tuple[Step, ...]
    is_new: bool
    steps: tuple[Step, ...]


class AnyOf(t.NamedTuple):
    """
    A flag: is anything wanted that needs an object?

    Attributes:
        flags: Any of these, by their numbers.
    """

    flags: tuple[int, ...]


class NotKept(t.NamedTuple):
    """
    A flag: is an object to be built, as its layer has none?

    Attributes:
        build: The object.
        wanted: The number of the flag that says whether it is needed at all,
            ``None`` if it always is.
    """

    build: Build
    wanted: int | None


class IfWanted(t.NamedTuple):
    """
    Take steps only if a flag is true.

    Attributes:
        flag: Its number.
        steps: The steps.
    """

    flag: int
    steps: tuple[Step, ...]


Flag: t.TypeAlias = AnyOf | NotKept
Step: t.TypeAlias = Make | MakeNew | IfMissing | UnlessKept | Claim | IfWanted


class Question(t.NamedTuple):
    """
    A question to the context.

    Attributes:
        guard: What is asked for.
        expected: Whether it has to be there.
        twin: The same question to another layer, if that was asked before.
        read: A condition has read the answer, and may decide otherwise for
            another one.
    """

    guard: Guard
    expected: bool
    twin: Guard | None
    read: bool


class Schedule(t.NamedTuple):
    """
    In which order a plan is carried out.

    Attributes:
        plan: The plan.
        questions: What is asked first: another answer needs another plan.
        absent: The types that must not be there, by level.
        layer: The layer of the call, with a lifetime, is used.
        stage: The layer of the stage is used.
        stage_keeps: Something is kept in the stage.
        flags: What finds out which objects are needed: the number of a flag
            is its place.
        steps: How the objects are built.
        maybe_assigned: Objects that may or may not be built in a step: each
            is ``MISSING`` before.
    """

    plan: Plan
    questions: tuple[Question, ...]
    absent: t.Mapping[int, tuple[t.Any, ...]]
    layer: bool
    stage: bool
    stage_keeps: bool
    flags: tuple[Flag, ...]
    steps: tuple[Step, ...]
    maybe_assigned: tuple[Build, ...]
