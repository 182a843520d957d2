"""Draw why a target cannot be resolved."""

from __future__ import annotations

import typing as t

from buvar.components._near import near_misses

from ._errors import CycleError
from ._errors import ResolveError
from ._errors import ScopeError
from ._nodes import Attempt
from ._nodes import Failure
from ._plan import Planner
from ._types import Asked
from ._types import show


_ERRORS = {"cycle": CycleError, "scope": ScopeError, "": ResolveError}
#: A drawing longer than this is cut.
_LONGEST = 60


def explain(planner: Planner, target: t.Any, failure: Failure) -> ResolveError:
    """Make the error for a target that cannot be resolved."""
    tree = [f"{show(target)} cannot be resolved:", *_draw(planner, failure)]
    if len(tree) > _LONGEST:
        cut = len(tree) - _LONGEST
        tree[_LONGEST:] = [f"... and {cut} more lines"]
    path = _path(failure)
    last = _last(failure)
    if failure.kind == "cycle":
        path = list(_find(failure, "cycle").asked.keys)
    return _ERRORS[failure.kind](
        target,
        tree,
        (target, *path[1:]),
        tuple(_hints(planner, failure, last)),
    )


def _draw(
    planner: Planner, failure: Failure, indent: str = ""
) -> t.Iterator[str]:
    if failure.kind == "cycle" and not failure.attempts:
        yield f"{indent}cycle: {' -> '.join(map(show, failure.asked.keys))}"
        return
    if failure.note:
        yield f"{indent}{failure.note}"
    if not failure.attempts and not failure.note:
        yield f"{indent}{_nothing(failure.asked)}"
    for attempt in failure.attempts:
        yield (
            f"{indent}- {attempt.adapter.name}{_needs(attempt)}  "
            f"[{attempt.adapter.where}]"
        )
        if attempt.reason:
            yield f"{indent}    {attempt.reason}"
        if attempt.failure is not None and (
            attempt.param is not None or attempt.failure.kind == "cycle"
        ):
            yield from _draw(planner, attempt.failure, indent + "    ")


def _needs(attempt: Attempt) -> str:
    if attempt.param is None:
        return ""
    param = attempt.param
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
    best: list[Failure] = []
    for attempt in failure.attempts:
        if attempt.failure is not None:
            way = _deepest(attempt.failure)
            if len(way) > len(best):
                best = way
    return [failure, *best]


def _path(failure: Failure) -> list[t.Any]:
    return [
        one.asked.keys[0] if one.asked.keys else None
        for one in _deepest(failure)
    ]


def _last(failure: Failure) -> Failure:
    return _deepest(failure)[-1]


def _find(failure: Failure, kind: str) -> Failure:
    """Find the innermost failure of a kind."""
    for attempt in failure.attempts:
        if attempt.failure is not None and attempt.failure.kind == kind:
            return _find(attempt.failure, kind)
    return failure


def _hints(
    planner: Planner, failure: Failure, last: Failure
) -> t.Iterator[str]:
    if failure.kind == "cycle":
        yield (
            "break the cycle: give one of these parameters a default, or ask "
            "for it with di.nject when it is used"
        )
        return
    if failure.kind == "scope":
        yield (
            "give what needs it the shorter lifetime, or what is needed the "
            "longer one: di.register(..., scope=...)"
        )
        return
    for adapter in planner.adapters.pending:
        yield f"{adapter.name} ({adapter.where}) is not used: " + _pending(
            adapter
        )
    for key in last.asked.keys:
        name = None if last.asked.named is None else last.asked.named.name
        yield from near_misses(planner.layers[0], key, name)
        yield from _other_arguments(planner, key)
    yield from _cure(last.asked)


def _pending(adapter: t.Any) -> str:
    try:
        return str(adapter.returns)
    except Exception as error:  # noqa: BLE001 - any reason will do
        return str(error)


def _other_arguments(planner: Planner, key: t.Any) -> t.Iterator[str]:
    origin = t.get_origin(key)
    if origin is None:
        return
    for adapter in planner.adapters.adapters:
        for one in adapter.keys:
            if t.get_origin(one) is origin and one != key:
                yield f"there is an adapter for {show(one)}: {adapter.name}"


def _cure(asked: Asked) -> t.Iterator[str]:
    if asked.optional and asked.keys:
        yield "Optional alone is no default: write '= None'"
    if not asked.keys:
        yield "annotate the parameter, or pass it by its name"
    elif asked.named is not None:
        yield f"add it: context.add(item, name={asked.named.name!r})"
    else:
        types = " or ".join(map(show, asked.keys))
        yield (
            f"register something that returns {types}, add one with "
            "context.add(item), or pass it as a keyword"
        )
