"""Why something cannot be resolved, or an adapter is not used."""

from __future__ import annotations

import typing as t

from buvar.di._annotations.parse import Asked
from buvar.di._annotations.signature import Param
from buvar.di._registry.adapter import Adapter
from buvar.di._registry.candidate import Candidate


class Attempt(t.NamedTuple):
    """An adapter that could not be used."""

    adapter: Adapter
    reason: str
    param: Param | None = None
    failure: Failure | None = None
    #: Its annotations cannot be evaluated.
    unread: bool = False
    #: Nothing says whether its condition is true.
    undecided: bool = False
    #: The condition that has the parameter, if it is not the adapter's.
    condition: str = ""


class Failure(t.NamedTuple):
    """Why a type could not be resolved."""

    asked: Asked
    attempts: tuple[Attempt, ...] = ()
    note: str = ""
    #: ``cycle``, ``scope`` or nothing.
    kind: str = ""
    #: The adapters in progress that it ran into.
    heads: frozenset[Adapter] = frozenset()


def cycle(
    path: t.Mapping[tuple[Adapter, t.Any], t.Any],
    key: t.Any,
    candidate: Candidate,
) -> Attempt:
    """
    Say that an adapter needs itself.

    Args:
        path: What is being planned, outermost first, and as what.
        key: What it is asked for as.
        candidate: The adapter, which is among those.
    """
    steps = list(path)
    way = [path[step] for step in steps[steps.index(candidate.identity) :]]
    failure = Failure(
        Asked((*way, key)),
        kind="cycle",
        heads=frozenset({candidate.adapter}),
    )
    return Attempt(candidate.adapter, "", None, failure)


def nothing(
    asked: Asked,
    attempts: t.Sequence[Attempt],
    heads: t.Callable[[], frozenset[Adapter]],
    too_short: str | None,
) -> Failure:
    """
    Say that there is nothing of a type.

    Args:
        asked: The type.
        attempts: What was tried.
        heads: Returns the adapters in progress.
        too_short: The layer that needs it, if the context has one that ends
            before.
    """
    failures = [attempt.failure for attempt in attempts if attempt.failure]
    met = frozenset(head for failure in failures for head in failure.heads)
    kinds = {failure.kind for failure in failures}
    kind = next((kind for kind in ("cycle", "scope") if kind in kinds), "")
    note = ""
    if too_short is not None:
        kind = "scope"
        note = (
            f"the one in the context ends before the {too_short} that needs it"
        )
    if met:
        met &= heads()
    return Failure(asked, tuple(attempts), note, kind, met)
