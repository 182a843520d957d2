"""Choose the member of a union that a value is meant for."""

from __future__ import annotations

import types
import typing as t

from cattrs import BaseValidationError
from cattrs import Converter

from ._errors import BadValueError
from ._fields import arguments
from ._fields import bare
from ._fields import fields
from ._fields import has_fields
from ._fields import origin
from ._merge import is_table
from ._secret import Secret
from ._text import Text
from ._text import parse_table


Structure: t.TypeAlias = t.Callable[[t.Any, t.Any], t.Any]
Member: t.TypeAlias = tuple[t.Any, Structure]


def is_union(tp: t.Any) -> bool:
    """Tell whether a type is a union, optional ones included."""
    return origin(tp) in (t.Union, types.UnionType)


def union_hook(tp: t.Any, converter: Converter) -> Structure:
    """
    Make a hook that tries the members of a union.

    A value that is of a member's very type is that. Otherwise the members
    are tried in their order, but plain text at last: it takes everything.
    """
    kinds = [bare(item) for item in arguments(tp)]
    optional = type(None) in kinds
    kinds = [item for item in kinds if item is not type(None)]
    kinds.sort(key=lambda kind: kind is str or kind is t.Any)
    members = [(kind, _late(kind, converter)) for kind in kinds]
    nothing = () if any(map(_is_text, kinds)) else ("", "null")
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


def _is_text(kind: t.Any) -> bool:
    """Tell whether an empty text is a value of a type, too."""
    if origin(kind) is Secret:
        return _is_text(next(iter(arguments(kind)), str))
    return bare(kind) in (str, bytes, t.Any)


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
        except Exception as error:  # noqa: BLE001 - the next may take it
            failures.append((kind, error))
    raise _closest(failures, value)


def _closest(
    failures: list[tuple[t.Any, Exception]], value: t.Any
) -> Exception:
    """Return the failure within what was meant, else one of all."""
    inside = [
        item for item in failures if isinstance(item[1], BaseValidationError)
    ]
    if inside:
        keys = _keys(value)
        return max(inside, key=lambda item: len(keys & _known(item[0])))[1]
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


def _keys(value: t.Any) -> set[t.Any]:
    if isinstance(value, Text):
        try:
            value = parse_table(value)
        except BadValueError:
            return set()
    return set(value) if is_table(value) else set()


def _known(tp: t.Any) -> set[str]:
    return {field.key for field in fields(tp)} if has_fields(tp) else set()
