"""Choose the member of a union that a value is meant for."""

from __future__ import annotations

import types
import typing as t

import attrs

from cattrs import BaseValidationError
from cattrs import Converter

from buvar.config._errors import BadValueError
from buvar.config._merge import is_table
from buvar.config._model.fields import fields
from buvar.config._model.fields import has_fields
from buvar.config._model.secret import Secret
from buvar.config._model.types import arguments
from buvar.config._model.types import bare
from buvar.config._model.types import origin

from .tags import tag_of
from .text import Text
from .text import parse_table


Structure: t.TypeAlias = t.Callable[[t.Any, t.Any], t.Any]
Member: t.TypeAlias = tuple[t.Any, Structure]


def is_union(tp: t.Any) -> bool:
    """Tell whether a type is a union, optional ones included."""
    return origin(tp) in (t.Union, types.UnionType)


def classes_of(tp: t.Any) -> bool:
    """Tell whether a type is a class with fields, or a union with one."""
    if is_union(tp):
        return any(map(classes_of, arguments(tp)))
    return has_fields(tp)


@attrs.frozen(eq=False)
class Over:
    """
    A table for a field whose default is an object.

    Attributes:
        base: The default.
        given: The table.
    """

    base: t.Any
    given: t.Mapping[t.Any, t.Any]


def kinds_of(tp: t.Any) -> list[t.Any]:
    """Return what a union is made of, also of unions with a name."""
    found: list[t.Any] = []
    for item in arguments(tp):
        kind = bare(item)
        found += kinds_of(kind) if is_union(kind) else [kind]
    return found


def union_hook(tp: t.Any, converter: Converter) -> Structure:
    """
    Make a hook that tries the members of a union.

    A value that is of a member's very type is that. A table that says by a
    tag which class it is for is tried with that class only. Otherwise the
    members are tried in their order, but plain text at last: it takes
    everything.
    """
    kinds = kinds_of(tp)
    optional = type(None) in kinds
    kinds = [item for item in kinds if item is not type(None)]
    kinds.sort(key=lambda kind: kind is str or kind is t.Any)
    members = [(kind, _late(kind, converter)) for kind in kinds]
    nothing = () if any(map(_is_text, kinds)) else ("", "null")
    if len(members) == 1:
        return _one(*members[0], optional=optional, nothing=nothing)
    exact = {kind: hook for kind, hook in members if isinstance(kind, type)}
    tag = tag_of(kinds)

    def structure(value: t.Any, _: t.Any) -> t.Any:
        if optional and _is_nothing(value, nothing):
            return None
        kind = value.__class__
        if kind in exact:
            return exact[kind](value, kind)
        likely = members
        if tag is not None and (table := _table(value)) is not None:
            likely = tag.choose(members, table, value)
        if kind is Over:
            return _try_over(likely, value)
        return _try(likely, value)

    return structure


def _table(value: t.Any) -> t.Mapping[t.Any, t.Any] | None:
    """Return the table that a value is, if it is one."""
    if value.__class__ is Over:
        return value.given
    if isinstance(value, Text):
        try:
            return parse_table(value)
        except BadValueError:
            return None
    return value if is_table(value) else None


def _try_over(members: list[Member], value: Over) -> t.Any:
    """Try the class of the default first, unless others know more keys."""

    def rank(member: Member) -> tuple[int, bool]:
        kind = member[0]
        strange = len(value.given.keys() - _known(kind))
        return strange, type(value.base) is not origin(kind)

    return _try(
        sorted(members, key=rank),
        value,
        lambda kind: value if has_fields(kind) else dict(value.given),
    )


def _is_text(kind: t.Any) -> bool:
    """Tell whether an empty text is a value of a type, too."""
    if origin(kind) is Secret:
        return _is_text(next(iter(arguments(kind)), str))
    if origin(kind) is t.Literal:
        return "" in arguments(kind)
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


def _try(
    members: list[Member],
    value: t.Any,
    prepared: t.Callable[[t.Any], t.Any] | None = None,
) -> t.Any:
    failures: list[tuple[t.Any, Exception]] = []
    for kind, hook in members:
        try:
            return hook(prepared(kind) if prepared else value, kind)
        except Exception as error:  # noqa: BLE001 - the next may take it
            failures.append((kind, error))
    raise _closest(failures, value)


def _closest(
    failures: list[tuple[t.Any, Exception]], value: t.Any
) -> Exception:
    """Return the failure within what was meant, else one of all."""
    if len(failures) == 1:
        return failures[0][1]
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
    table = _table(value)
    return set() if table is None else set(table)


def _known(tp: t.Any) -> set[str]:
    return {field.key for field in fields(tp)} if has_fields(tp) else set()
