"""Find what type variables must be for a type to be the one asked for."""

from __future__ import annotations

import types
import typing as t

from .fits import fits
from .generics import Bindings
from .generics import is_several
from .generics import parameters


#: A type variable, and what it must not stand for.
Refusal: t.TypeAlias = tuple[t.Any, t.Any]


def unify(
    pattern: t.Any,
    target: t.Any,
    bindings: Bindings,
    refused: list[Refusal] | None = None,
) -> bool:
    """
    Find out what type variables have to be for two types to be equal.

    Args:
        pattern: The type with the variables.
        target: The type without.
        bindings: What they stand for, filled in.
        refused: Filled with what a bound or a constraint does not allow; with
            such a list all goes on as if it did.
    """
    if isinstance(pattern, (t.TypeVar, t.ParamSpec)):
        return _bind(pattern, target, bindings, refused)
    if isinstance(pattern, (tuple, list)):
        types = t.cast("t.Sequence[t.Any]", pattern)
        return _is_list(target) and _all(types, target, bindings, refused)
    if not parameters(pattern) or t.get_origin(pattern) is None:
        return bool(pattern == target)
    ours, theirs = t.get_args(pattern), t.get_args(target)
    if t.get_origin(pattern) is t.Concatenate:
        return _concatenated(ours, target, bindings, refused)
    if _kind(pattern) is t.Union:
        ours, theirs = _without_common(ours, theirs)
    return _kind(pattern) == _kind(target) and _all(
        ours, theirs, bindings, refused
    )


def _bind(
    variable: t.Any,
    target: t.Any,
    bindings: Bindings,
    refused: list[Refusal] | None,
) -> bool:
    """Have a type variable stand for what it fits."""
    if variable in bindings:
        return bool(bindings[variable] == target)
    if isinstance(variable, t.ParamSpec):
        target = tuple(target) if target.__class__ is list else target
    elif not fits(variable, target):
        if refused is None:
            return False
        refused.append((variable, target))
    bindings[variable] = target
    return True


def _is_list(target: t.Any) -> bool:
    return isinstance(target, (tuple, list))


def _without_common(
    ours: tuple[t.Any, ...], theirs: tuple[t.Any, ...]
) -> tuple[tuple[t.Any, ...], tuple[t.Any, ...]]:
    """Leave out what two unions share: their order means nothing."""
    both = [arg for arg in ours if arg in theirs]
    ours = tuple(arg for arg in ours if arg not in both)
    theirs = tuple(arg for arg in theirs if arg not in both)
    if len(ours) == 1 and len(theirs) > 1:
        theirs = (t.Union[theirs],)  # noqa: UP007 - of a tuple
    return ours, theirs


def _kind(tp: t.Any) -> t.Any:
    origin = t.get_origin(tp)
    return t.Union if origin is types.UnionType else origin


def _all(
    ours: t.Sequence[t.Any],
    theirs: t.Sequence[t.Any],
    bindings: Bindings,
    refused: list[Refusal] | None,
) -> bool:
    several = [n for n, arg in enumerate(ours) if is_several(arg)]
    if several:
        start = several[0]
        end = len(theirs) - (len(ours) - start - 1)
        if end < start:
            return False
        variable = t.get_args(ours[start])[0]
        taken = tuple(theirs[start:end])
        if bindings.setdefault(variable, taken) != taken:
            return False
        ours = (*ours[:start], *ours[start + 1 :])
        theirs = (*theirs[:start], *theirs[end:])
    return len(ours) == len(theirs) and all(
        unify(own, other, bindings, refused)
        for own, other in zip(ours, theirs, strict=True)
    )


def _concatenated(
    ours: tuple[t.Any, ...],
    target: t.Any,
    bindings: Bindings,
    refused: list[Refusal] | None,
) -> bool:
    """Compare ``Concatenate[int, P]`` with a list of parameters."""
    if not _is_list(target):
        return False
    *first, last = ours
    types: t.Sequence[t.Any] = target
    number = len(first)
    if len(types) < number or not _all(
        first, types[:number], bindings, refused
    ):
        return False
    return last is ... or unify(last, tuple(types[number:]), bindings, refused)
