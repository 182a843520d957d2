"""
Write a schedule down as straight-line code.

The code is what one would write by hand: a coroutine function with a line for
each object. What others may be building at the same time stands in a block of
its own, entered by one task at a time. Nothing is decided here.
"""

from __future__ import annotations

import typing as t

from buvar.components.spi import CodeName
from buvar.di._plan.nodes import LEVELS
from buvar.di._plan.nodes import Build

from .expressions import value
from .lines import Code
from .names import Names
from .objects import make
from .objects import place
from .prologue import prologue
from .steps import AnyOf
from .steps import Claim
from .steps import IfMissing
from .steps import IfWanted
from .steps import Make
from .steps import MakeNew
from .steps import Schedule
from .steps import Step
from .steps import UnlessKept


#: The depth of lines in no block but that of the function.
_TOP: t.Final = 2


class Emitted(t.NamedTuple):
    """
    The code of a schedule, to be compiled.

    Attributes:
        source: Its text: a coroutine function ``nject``.
        values: The objects that names in it stand for.
        builds: What is built, by the number of the line.
    """

    source: str
    values: dict[str, t.Any]
    builds: t.Mapping[int, Build]


def emit(schedule: Schedule, target: t.Any, *, single: bool) -> Emitted:
    """
    Write the function that carries a schedule out.

    Args:
        schedule: What is to be done, in this order.
        target: What is asked for, for an error.
        single: Return the one target, not a list of all.
    """
    names, code = Names(), Code()
    writer = _Writer(names, code, schedule)
    writer.flags()
    writer.steps(schedule.steps, _TOP)
    values = ", ".join(value(names, node) for node in schedule.plan.targets)
    code.line(f"return {values if single else f'[{values}]'}", _TOP)
    head = [
        "async def nject(adapters, given):",
        "    context = current()",
        *prologue(names, schedule, target),
        *(
            f"    {names.variable(build)} = MISSING"
            for build in schedule.maybe_assigned
        ),
        "    try:",
    ]
    tail = [
        "    except Exception as error:",
        "        note(error)",
        "        raise",
        "",
    ]
    return Emitted(
        "\n".join((*head, *code.lines, *tail)),
        names.values,
        {len(head) + n: build for n, build in code.builds.items()},
    )


class _Writer:
    """Write steps, and those that they are made of."""

    def __init__(self, names: Names, code: Code, schedule: Schedule) -> None:
        self._names = names
        self._code = code
        self._schedule = schedule
        self._storage = schedule.plan.storage
        self._flags: list[str] = []

    def flags(self) -> None:
        """Write what finds out which objects are needed."""
        for flag in self._schedule.flags:
            if isinstance(flag, AnyOf):
                name = self._names.new("wanted")
                test = " or ".join(self._flags[part] for part in flag.flags)
            else:
                name = self._names.new("missing")
                kept = f"{LEVELS[flag.build.level]}_kept"
                test = f"{self._place(flag.build)} not in {kept}"
                if flag.wanted is not None:
                    test = f"{self._flags[flag.wanted]} and {test}"
            self._flags.append(name)
            self._code.line(f"{name} = {test}", _TOP)

    def steps(self, steps: t.Iterable[Step], depth: int) -> None:
        """Write some steps, one after the other."""
        for step in steps:
            if isinstance(step, Make):
                storage = self._storage.get(step.build)
                make(self._names, self._code, step.build, storage, depth)
            elif isinstance(step, MakeNew):
                self._names.variable(step.build)
                self.steps(step.steps, depth)
            elif isinstance(step, IfMissing):
                var = self._names.variable(step.build)
                self._code.line(f"if {var} is MISSING:", depth)
                self.steps(step.steps, depth + 1)
            elif isinstance(step, IfWanted):
                self._code.line(f"if {self._flags[step.flag]}:", depth)
                self.steps(step.steps, depth + 1)
            elif isinstance(step, UnlessKept):
                self._unless_kept(step, depth)
            else:
                self._claim(step, depth)

    def _place(self, build: Build) -> str:
        return place(self._names, self._storage[build])

    def _unless_kept(self, step: UnlessKept, depth: int) -> None:
        """Write steps that are taken unless the layer has the object."""
        layer = LEVELS[step.build.level]
        var, kept = self._names.variable(step.build), f"{layer}_kept"
        self.steps(step.before, depth)
        place, line = self._place(step.build), self._code.line
        line(f"if {place} in {kept}:", depth)
        line(f"{var} = {kept}[{place}]", depth + 1)
        if step.or_added:
            # It would have been taken in the first place.
            added = f"{layer}.{CodeName.ITEMS}"
            line(f"elif {place} in {added}:", depth)
            line(f"{var} = {added}[{place}]", depth + 1)
        line("else:", depth)
        self.steps(step.steps, depth + 1)

    def _claim(self, step: Claim, depth: int) -> None:
        """
        Write who builds what may wait: one call, others wait for it.

        A call claims it by its keywords, which no other call has: the dict
        takes one of them only, also where threads ask at the same time.
        """
        build, names, line = step.build, self._names, self._code.line
        var, kept = names.variable(build), f"{LEVELS[build.level]}_kept"
        self.steps(step.before, depth)
        inner = depth
        if not step.is_new:
            line(f"{var} = {kept}.get({self._place(build)}, MISSING)", depth)
            line(f"if {var} is MISSING:", depth)
            inner = depth + 1
        place = self._place(build)
        mark = names.constant(self._storage[build].building, "building")
        args = f"{kept}, {place}, {mark}, given, {names.constant(build.type)}"
        line(f"if {kept}.setdefault({mark}, given) is not given:", inner)
        line(f"{var} = await wait({args})", inner + 1)
        line(f"elif {place} in {kept}:", inner)
        # It has been built just before that.
        line(f"{var} = {kept}[{place}]", inner + 1)
        line(f"release({kept}, {mark}, given)", inner + 1)
        line("else:", inner)
        line(f"{var} = MISSING", inner + 1)
        # What the call does that has claimed it.
        line(f"if {var} is MISSING:", depth)
        line("try:", depth + 1)
        self.steps(step.steps, depth + 2)
        line("finally:", depth + 1)
        line(f"{kept}.pop({mark}, None)", depth + 2)
        line("if given:", depth + 2)
        line("wake(given)", depth + 3)
