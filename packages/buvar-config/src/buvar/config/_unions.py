"""Choose the member of a union that a value is meant for."""

from __future__ import annotations

import types
import typing as t

from cattrs import Converter

from ._errors import BadValueError
from ._fields import fields
from ._fields import has_fields
from ._merge import is_table
from ._text import Text


Structure: t.TypeAlias = t.Callable[[t.Any, t.Any], t.Any]
Member: t.TypeAlias = tuple[t.Any, Structure]


def is_union(tp: t.Any) -> bool:
    """Tell whether a type is a union, optional ones included."""
    return t.get_origin(tp) in (t.Union, types.UnionType)


def union_hook(tp: t.Any, converter: Converter) -> Structure:
    """
    Make a hook that tries the members of a union.

    A value that is of a member's very type is that. Otherwise the members
    are tried in their order, but plain text at last: it takes everything.
    """
    arguments = t.get_args(tp)
    optional = type(None) in arguments
    kinds = [item for item in arguments if item is not type(None)]
    kinds.sort(key=lambda kind: kind is str or kind is t.Any)
    members = [(kind, _late(kind, converter)) for kind in kinds]
    nothing = ("", "null") if str not in kinds else ()
    if len(members) == 1:
        return _one(*members[0], optional=optional, nothing=nothing)
    exact = {kind: hook for kind, hook in members if isinstance(kind, type)}

    def structure(value: t.Any, _: t.Any) -> t.Any:
        if optional and _is_nothing(value, nothing):
            return None
        kind = value.__class__
        if kind in exact:
            return exact[kind](value, kind)
        return _try(members, value)

    return structure


def _late(kind: t.Any, converter: Converter) -> Structure:
    try:
        hook: Structure = converter.get_structure_hook(kind)
    except RecursionError:
        return converter.structure
    return hook


def _one(
    kind: t.Any,
    hook: Structure,
    *,
    optional: bool,
    nothing: tuple[str, ...],
) -> Structure:
    def structure(value: t.Any, _: t.Any) -> t.Any:
        if value is None and optional:
            return None
        if type(value) is Text and optional and _is_nothing(value, nothing):
            return None
        return hook(value, kind)

    return structure


def _is_nothing(value: t.Any, nothing: tuple[str, ...]) -> bool:
    return value is None or (
        isinstance(value, Text) and value.strip().lower() in nothing
    )


def _try(members: list[Member], value: t.Any) -> t.Any:
    failures: list[tuple[t.Any, Exception]] = []
    for kind, hook in members:
        try:
            return hook(value, kind)
        except RecursionError:
            raise
        except Exception as error:  # noqa: BLE001 - the next may take it
            failures.append((kind, error))
    raise _closest(failures, value)


def _closest(
    failures: list[tuple[t.Any, Exception]], value: t.Any
) -> Exception:
    """Return the failure of the class that was meant, else one of all."""
    if is_table(value):
        keys = set(value)
        classes = [item for item in failures if has_fields(item[0])]
        if classes:
            return max(
                classes,
                key=lambda item: len(
                    keys & {field.key for field in fields(item[0])}
                ),
            )[1]
    wanted = [
        error.expected.removeprefix("expected ")
        if isinstance(error, BadValueError)
        else "something else"
        for _, error in failures
    ]
    secret = any(
        isinstance(e, BadValueError) and e.secret for _, e in failures
    )
    return BadValueError(
        f"expected {' or '.join(dict.fromkeys(wanted))}", secret=secret
    )
