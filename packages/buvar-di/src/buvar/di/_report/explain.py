"""Draw why a target cannot be resolved."""

from __future__ import annotations

import typing as t

from buvar.di._annotations.evaluate import EMPTY
from buvar.di._annotations.parse import Asked
from buvar.di._annotations.parse import show
from buvar.di._annotations.signature import Param
from buvar.di._errors import CycleError
from buvar.di._errors import ResolveError
from buvar.di._errors import ScopeError
from buvar.di._plan.failures import Attempt
from buvar.di._plan.failures import Failure
from buvar.di._plan.planner import Planner

from .hints import hints


_ERRORS = {"cycle": CycleError, "scope": ScopeError, "": ResolveError}
#: Of a drawing longer than this the middle is cut out.
_LONGEST = 60
_FIRST = 20


def explain(
    planner: Planner, target: t.Any, failure: Failure, head: str = ""
) -> ResolveError:
    """
    Make the error for a target that cannot be resolved.

    Args:
        planner: Knows what there is.
        target: What was asked for.
        failure: Why it is not to be had.
        head: What asks, by default the target itself.
    """
    first = f"{head}, which" if head else show(target)
    tree = [f"{first} cannot be resolved:", *_draw(failure)]
    way = _deepest(failure)
    path = [step.asked.keys[0] if step.asked.keys else None for step in way]
    if failure.kind == "cycle":
        path = list(_find(failure, "cycle").asked.keys)
    return _ERRORS[failure.kind](
        target,
        tree,
        (target, *path[1:]),
        hints(planner, failure, way[-1]),
    )


def unhashable(
    targets: t.Sequence[t.Any], error: TypeError
) -> ResolveError | TypeError:
    """Make the error for a target that is not a type, such as a list."""
    for target in targets:
        try:
            hash(target)
        except TypeError:
            line = f"{show(target)} is not a type: it cannot be hashed."
            hint = "ask for a type"
            if type(target) in (list, set):
                several = ", ".join(map(show, target))
                hint = f"several targets are arguments: di.nject({several})"
            return ResolveError(target, (line,), (), (hint,))
    # It is the class of a keyword that cannot be hashed.
    return error


def _draw(failure: Failure) -> t.Iterator[str]:
    """Draw what was tried, in no more lines than can be read."""
    lines = _lines(failure)
    cut, less = len(lines) - _LONGEST, 0
    for number, (depth, line) in enumerate(lines):
        if cut > 0 and _FIRST <= number < _FIRST + cut:
            if number == _FIRST:
                yield f"{'    ' * (depth - less)}... {cut} more lines ..."
                least = min(level for level, _ in lines[_FIRST + cut :])
                less = max(0, least - depth)
            continue
        text = line if isinstance(line, str) else _attempt(line)
        yield "    " * (depth - less) + text


def _lines(failure: Failure) -> list[tuple[int, str | Attempt]]:
    """List the lines of a drawing and how far they are indented."""
    lines: list[tuple[int, str | Attempt]] = []
    todo: list[tuple[int, Failure | Attempt]] = [(0, failure)]
    seen: set[int] = set()
    while todo:
        depth, item = todo.pop()
        if isinstance(item, Failure):
            if item.attempts and id(item) in seen:
                lines.append((depth, "as above"))
                continue
            seen.add(id(item))
            lines += [(depth, text) for text in _reason(item)]
            todo += [(depth, attempt) for attempt in reversed(item.attempts)]
            continue
        lines.append((depth, item))
        if item.reason:
            lines.append((depth + 1, item.reason))
        inner = item.failure
        if inner and (item.param is not None or inner.kind == "cycle"):
            todo.append((depth + 1, inner))
    return lines


def _reason(failure: Failure) -> t.Iterator[str]:
    if failure.kind == "cycle" and not failure.attempts:
        yield f"cycle: {' -> '.join(map(show, failure.asked.keys))}"
    elif failure.note:
        yield failure.note
    elif not failure.attempts:
        yield _nothing(failure.asked)


def _attempt(attempt: Attempt) -> str:
    adapter = attempt.adapter
    what = "" if attempt.param is None else needs(attempt.param)
    if attempt.condition:
        what = f", whose condition {attempt.condition}{what}"
    return f"- {adapter.name}{what}  [{adapter.where}]"


def needs(param: Param) -> str:
    """Say what is needed for a parameter."""
    if param.annotation is EMPTY:
        return f" needs {param.name}"
    return f" needs {param.name}: {show(param.annotation)}"


def _nothing(asked: Asked) -> str:
    if not asked.keys:
        return "it has no type to go by, and there is no keyword of that name"
    types = " or ".join(map(show, asked.keys))
    if asked.named is not None:
        return (
            f"no keyword and no component {types} named {asked.named.name!r}"
        )
    return f"no keyword, no component and no adapter for {types}"


def _deepest(failure: Failure) -> list[Failure]:
    """Find the longest way down to what is missing."""
    #: Of each failure how long the way below it is, and where it goes.
    below: dict[int, tuple[int, Failure | None]] = {}
    todo = [failure]
    while todo:
        inner = [
            attempt.failure for attempt in todo[-1].attempts if attempt.failure
        ]
        later = [cause for cause in inner if id(cause) not in below]
        if later:
            todo += later
            continue
        ways = [(below[id(cause)][0] + 1, cause) for cause in inner]
        longest = max(ways, key=lambda way: way[0], default=(0, None))
        below[id(todo.pop())] = longest
    found: list[Failure] = []
    step: Failure | None = failure
    while step is not None:
        found.append(step)
        step = below[id(step)][1]
    return found


def _find(failure: Failure, kind: str) -> Failure:
    """Find the innermost failure of a kind."""
    inner: Failure | None = failure
    while inner is not None:
        failure = inner
        failures = (
            attempt.failure for attempt in failure.attempts if attempt.failure
        )
        inner = next((cause for cause in failures if cause.kind == kind), None)
    return failure
