"""Write the head of the code: the layers, and what it asks them."""

from __future__ import annotations

import itertools
import typing as t

from buvar.components.spi import CodeName
from buvar.di._plan.collecting import EXACT
from buvar.di._plan.nodes import CALL
from buvar.di._plan.nodes import LEVELS
from buvar.di._plan.nodes import STAGE
from buvar.di._plan.nodes import Guard

from .names import Names
from .steps import Question
from .steps import Schedule


#: More types than this are not asked for one by one.
_MANY = 8
_OTHERWISE = (
    "return MISSING if adapters is None "
    "else await resolve_slow(adapters, given)"
)


class AbsenceMarker:
    """The key of what is known of a layer, see ``spi.sees``."""


def prologue(names: Names, schedule: Schedule, target: t.Any) -> list[str]:
    """
    Write the lines that come before anything is built.

    Args:
        names: The names of the code.
        schedule: Says what is asked, and which layers are used.
        target: What is asked for, for an error.
    """
    questions = [
        line
        for question in schedule.questions
        for line in _ask(names, schedule, question)
    ]
    questions += _collected(names, schedule)
    absent = _absent(names, schedule)
    return [*_layers(names, schedule, target), *absent, *questions]


def _layers(names: Names, schedule: Schedule, target: t.Any) -> list[str]:
    """Find the layers, and refuse what asks one that has ended."""
    asked = names.constant(target, "target")
    if schedule.layer or schedule.absent or not schedule.plan.order:
        # It keeps what is built, or has to keep nothing of some types.
        lines = [
            f"    layer = context.{CodeName.SCOPE} or context",
            f"    layer_kept = layer.{CodeName.KEPT}",
            "    if layer_kept is None:",
            f"        layer.{CodeName.REFUSE}({asked})",
        ]
    else:
        # Only what is called is needed, and what lies below is asked.
        lines = [
            f"    if context.{CodeName.CLOSERS} is ENDED:",
            f"        context.{CodeName.REFUSE}({asked})",
        ]
    if schedule.stage:
        lines.append(f"    stage = context.{CodeName.STAGE} or context")
    if schedule.stage_keeps:
        lines += [
            f"    stage_kept = stage.{CodeName.KEPT}",
            "    if stage_kept is None:",
            f"        stage.{CodeName.REFUSE}({asked})",
        ]
    return lines


def _layer(level: int) -> str:
    """Return the variable of the layer that is asked."""
    return "context" if level == CALL else LEVELS[level]


def _ask(names: Names, schedule: Schedule, question: Question) -> list[str]:
    """Write a question: another answer needs another plan."""
    guard = question.guard
    layer, key = _layer(guard.level), names.constant(guard.key)
    if not question.expected:
        if guard.name is None:
            # It is asked together with the others that are absent.
            return []
        look = _look(names, guard, layer, key)
        return [f"    if {look} is not MISSING:", f"        {_OTHERWISE}"]
    var = names.guard(guard)
    lines = _find(names, question, layer, key)
    test = f"{var} is MISSING"
    if question.read:
        # A condition has read it: another one may say otherwise.
        read = names.constant(schedule.plan.rests_on[guard], "read")
        test = f"{var} is not {read}()"
    return [*lines, f"    if {test}:", f"        {_OTHERWISE}"]


def _find(names: Names, question: Question, layer: str, key: str) -> list[str]:
    """Write how something that should be there is found."""
    guard = question.guard
    var = names.guard(guard)
    if guard.name is not None or guard.level == STAGE:
        return [f"    {var} = {_look(names, guard, layer, key)}"]
    # A call is spared, unless it was not asked for before (or is the
    # component None).
    lines = [
        f"    {var} = {layer}.{CodeName.VIEW}.get({key})",
        f"    if {var} is None:",
        f"        {var} = {layer}.{CodeName.LOOK}({key})",
    ]
    if question.twin is None:
        return lines
    return [
        "    if context is layer:",
        f"        {var} = {names.guard(question.twin)}",
        "    else:",
        *(f"    {line}" for line in lines),
    ]


def _look(names: Names, guard: Guard, layer: str, key: str) -> str:
    """Write the question to a layer for something."""
    if guard.name is EXACT:
        return f"exact({key}, {layer})"
    if guard.name is not None:
        name = names.constant(guard.name)
        return f"{layer}.{CodeName.PEEK_NAMED}({key}, {name})"
    return f"{layer}.{CodeName.LENT}({key})"


def _collected(names: Names, schedule: Schedule) -> list[str]:
    """Write how the components of collections are found."""
    lines: list[str] = []
    for guard, needed in schedule.plan.collected.items():
        var = names.guard(guard)
        find = names.constant(guard.key)
        lines.append(f"    {var} = {find}({_layer(guard.level)})")
        if needed is not None:
            test = f"not {var}" if needed else var
            lines += [f"    if {test}:", f"        {_OTHERWISE}"]
    return lines


def _absent(names: Names, schedule: Schedule) -> list[str]:
    """
    Ask for what is not there.

    What is not seen from the top is nowhere: only if something is there
    each layer is asked for what must not be in it.
    """
    absent = schedule.absent
    keys = tuple(dict.fromkeys(itertools.chain(*absent.values())))
    if not keys:
        return _no_layer_ended(names, schedule)
    fact = names.fresh(AbsenceMarker(), "fact")
    own = _any_in(names, keys, "items")
    kept = _any_in(names, keys, "layer_kept")
    see = f"below.{CodeName.SEES}({fact}, {names.fresh(keys, 'absent')})"
    lines = [
        f"    items = context.{CodeName.ITEMS}",
        f"    below = context.{CodeName.BELOW}",
        f"    if (items and ({own})) or (",
        f"        layer_kept and ({kept})",
        "    ) or (",
        "        below is not None",
        f"        and {fact} not in below.{CodeName.FACTS}",
        f"        and {see}",
        "    ):",
    ]
    if list(absent) != [CALL]:
        asked = [
            f"{'any_lent' if level == STAGE else 'any_present'}"
            f"({_layer(level)}, {names.fresh(some, 'absent')})"
            for level, some in absent.items()
        ]
        lines.append(f"        if {' or '.join(asked)}:")
        return [*lines, f"            {_OTHERWISE}"]
    return [*lines, f"        {_OTHERWISE}"]


def _no_layer_ended(names: Names, schedule: Schedule) -> list[str]:
    """
    Refuse to build over a layer that has ended.

    Where nothing has to be absent, as nothing of these types was ever added
    anywhere, no layer further down is asked for anything. That one of them
    has ended must be told all the same.
    """
    if not schedule.plan.order:
        return []
    fact = names.fresh(AbsenceMarker(), "fact")
    keys = names.fresh((schedule.plan.order[-1].type,), "absent")
    # What is asked for, and whether it is there, does not matter.
    return [
        f"    below = context.{CodeName.BELOW}",
        "    if below is not None:",
        f"        if {fact} not in below.{CodeName.FACTS}:",
        f"            below.{CodeName.SEES}({fact}, {keys})",
    ]


def _any_in(names: Names, keys: tuple[t.Any, ...], place: str) -> str:
    """Write the question whether any of several types is in a dict."""
    if len(keys) > _MANY:
        many = names.fresh(frozenset(keys), "absent")
        return f"not {many}.isdisjoint({place})"
    return " or ".join(f"{names.constant(key)} in {place}" for key in keys)
