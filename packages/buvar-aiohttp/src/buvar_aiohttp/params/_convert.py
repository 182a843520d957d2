"""Convert what a client sent with cattrs, and tell all that is wrong."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import functools
import types
import typing as t

import attrs
import cattrs
import cattrs.gen

from cattrs.errors import ClassValidationError
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.errors import IterableValidationError
from cattrs.errors import StructureHandlerNotFoundError

from buvar_aiohttp._validation import MOST

from ._scalars import FROM_BOTH
from ._scalars import FROM_JSON
from ._scalars import FROM_TEXT
from ._scalars import WrongValueError
from ._scalars import members
from ._scalars import one_of


Hook: t.TypeAlias = t.Callable[[t.Any, t.Any], t.Any]

#: Types of lists, and what makes one of the converted items.
_LISTS: t.Final[dict[t.Any, t.Callable[[list[t.Any]], t.Any]]] = {
    list: list,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Collection: list,
    collections.abc.Iterable: list,
    set: set,
    collections.abc.Set: frozenset,
    frozenset: frozenset,
}
_NONE: t.Final = type(None)
# Their constructors have no annotations.
_Note = t.cast("t.Any", cattrs.IterableValidationNote)
_Wrong = t.cast("t.Any", IterableValidationError)


class Converter(cattrs.Converter):
    """
    Converts strictly, and finds all mistakes.

    Args:
        text: Whether values arrive as text, as in a query.
        forbid: Whether keys that a class does not have are a mistake.
    """

    def __init__(self, *, text: bool, forbid: bool = False) -> None:
        super().__init__(detailed_validation=True, forbid_extra_keys=forbid)
        self._text = text
        self._forbid = forbid
        scalars = {**FROM_BOTH, **(FROM_TEXT if text else FROM_JSON)}
        choices = functools.cache(self._choices)
        for cls, convert in scalars.items():
            self.register_structure_hook(cls, _of(convert, choices))
        self.register_structure_hook(
            enum.Enum, lambda value, tp: choices(tp)(value, tp)
        )
        self.register_structure_hook_factory(_is_literal, self._choices)
        self.register_structure_hook_factory(is_class, self._class)
        self.register_structure_hook_factory(_is_list, self._list)
        self.register_structure_hook_factory(_is_tuple, self._tuple)
        self.register_structure_hook_factory(_is_mapping, self._mapping)
        self.register_structure_hook_factory(_is_union, self._union)

    def _choices(self, tp: t.Any) -> Hook:
        if _is_literal(tp):
            values = [*t.get_args(tp)]
            return one_of(values, values, text=self._text)
        return one_of(*members(tp), text=self._text)

    def _class(self, tp: t.Any) -> Hook:
        make: t.Any = cattrs.gen.make_dict_structure_fn
        structure = make(
            tp,
            self,
            _cattrs_forbid_extra_keys=self._forbid,
            **{
                name: cattrs.gen.override(struct_hook=self._hook_of(hint))
                for name, hint in _quoted_fields(tp)
            },
        )

        def convert(value: t.Any, tp: t.Any) -> t.Any:
            if not isinstance(value, dict):
                raise WrongValueError("expected an object")
            return structure(value, tp)

        return convert

    def _hook_of(self, tp: t.Any) -> Hook:
        return lambda value, _: self.structure(value, tp)

    def _list(self, tp: t.Any) -> Hook:
        (item,) = t.get_args(tp) or (t.Any,)
        return self._items(_LISTS[t.get_origin(tp) or tp], lambda _: item)

    def _tuple(self, tp: t.Any) -> Hook:
        items = t.get_args(tp) or (t.Any, ...)
        if items[-1:] == (...,):
            return self._items(tuple, lambda _: items[0])
        return self._items(tuple, items.__getitem__, len(items))

    def _items(
        self,
        make: t.Callable[[list[t.Any]], t.Any],
        type_of: t.Callable[[int], t.Any],
        length: int | None = None,
    ) -> Hook:
        def convert(value: t.Any, tp: t.Any) -> t.Any:
            if not isinstance(value, list):
                raise WrongValueError("expected a list")
            given = t.cast("t.Any", value)
            if length is not None and len(given) != length:
                msg = f"expected a list of {length} items"
                raise WrongValueError(msg)
            found: list[t.Any] = []
            errors: list[Exception] = []
            for index, item in enumerate(given):
                try:
                    found.append(self.structure(item, type_of(index)))
                except Exception as error:  # noqa: BLE001 - told or raised
                    note = _Note(f"At {index}", index, type_of(index))
                    error.__notes__ = [*_notes(error), note]
                    errors.append(error)
                    if _are_enough(errors):
                        break
            if errors:
                msg = "Items are wrong"
                raise _Wrong(msg, errors, tp)
            try:
                return make(found)
            except TypeError:
                raise WrongValueError("expected other items") from None

        return convert

    def _mapping(self, tp: t.Any) -> Hook:
        key, item = t.get_args(tp) or (t.Any, t.Any)

        def convert(value: t.Any, tp: t.Any) -> t.Any:
            if not isinstance(value, dict):
                raise WrongValueError("expected an object")
            found: dict[t.Any, t.Any] = {}
            errors: list[Exception] = []
            for name, value_of_key in t.cast(
                "dict[str, t.Any]", value
            ).items():
                try:
                    found[self.structure(name, key)] = self.structure(
                        value_of_key, item
                    )
                except Exception as error:  # noqa: BLE001 - told or raised
                    note = _Note(f"At {name}", name, item)
                    error.__notes__ = [*_notes(error), note]
                    errors.append(error)
                    if _are_enough(errors):
                        break
            if errors:
                msg = "Values are wrong"
                raise _Wrong(msg, errors, tp)
            return found

        return convert

    def _union(self, tp: t.Any) -> Hook:
        """Take the first type of a union that will do."""
        kinds = t.get_args(tp)
        # As text anything is a string: that comes last.
        kinds = tuple(sorted(kinds, key=lambda kind: kind is str))
        some = [kind for kind in kinds if kind is not _NONE]

        def convert(value: t.Any, _: t.Any) -> t.Any:
            if value is None and _NONE in kinds:
                return None
            if len(some) == 1:
                return self.structure(value, some[0])
            reasons: list[str] = []
            for kind in some:
                try:
                    return self.structure(value, kind)
                except WrongValueError as error:
                    reasons.append(str(error))
                except (ClassValidationError, IterableValidationError):
                    reasons.append(f"it is not a valid {_name(kind)}")
            raise WrongValueError("; or ".join(dict.fromkeys(reasons)))

        return convert


def _of(
    convert: t.Callable[[t.Any], t.Any], choices: t.Callable[[t.Any], Hook]
) -> Hook:
    def hook(value: t.Any, tp: t.Any) -> t.Any:
        # An enumeration may be an integer or a text as well.
        if _is_enum(tp):
            return choices(tp)(value, tp)
        return convert(value)

    return hook


def is_class(tp: t.Any) -> bool:
    """Tell whether a type is a class with fields."""
    tp = t.get_origin(tp) or tp
    return isinstance(tp, type) and (
        attrs.has(tp) or dataclasses.is_dataclass(tp)
    )


def _quoted_fields(tp: t.Any) -> t.Iterator[tuple[str, t.Any]]:
    """Yield fields whose types name a class in quotes, as ``list["Node"]``."""
    cls = t.get_origin(tp) or tp
    fields = attrs.fields(cls) if attrs.has(cls) else dataclasses.fields(cls)
    quoted = [field.name for field in fields if _has_quotes(field.type)]
    if quoted:
        hints = t.get_type_hints(cls, include_extras=True)
        yield from ((name, hints[name]) for name in quoted if name in hints)


def _has_quotes(tp: t.Any) -> bool:
    """Tell whether a part of a type is a name; cattrs knows whole ones."""
    return any(
        isinstance(part, (str, t.ForwardRef)) or _has_quotes(part)
        for part in t.get_args(tp)
        if t.get_origin(tp) is not t.Literal
    )


def _is_enum(tp: t.Any) -> bool:
    return isinstance(tp, type) and issubclass(tp, enum.Enum)


def _is_literal(tp: t.Any) -> bool:
    return t.get_origin(tp) is t.Literal


def _is_list(tp: t.Any) -> bool:
    return (t.get_origin(tp) or tp) in _LISTS


def _is_tuple(tp: t.Any) -> bool:
    return (t.get_origin(tp) or tp) is tuple


def _is_mapping(tp: t.Any) -> bool:
    return (t.get_origin(tp) or tp) in {
        dict,
        collections.abc.Mapping,
        collections.abc.MutableMapping,
    }


def _is_union(tp: t.Any) -> bool:
    return t.get_origin(tp) in {t.Union, types.UnionType}


def takes_list(tp: t.Any) -> bool:
    """Tell whether a type takes a list of values, optionally."""
    if t.get_origin(tp) is t.Annotated:
        return takes_list(t.get_args(tp)[0])
    if _is_union(tp):
        return any(map(takes_list, t.get_args(tp)))
    return _is_list(tp) or _is_tuple(tp)


def takes_none(tp: t.Any) -> bool:
    """Tell whether nothing will do as well."""
    return tp is None or (_is_union(tp) and _NONE in t.get_args(tp))


def _name(tp: t.Any) -> str:
    return getattr(tp, "__name__", None) or str(tp)


def _notes(error: Exception) -> list[t.Any]:
    return getattr(error, "__notes__", [])


def _are_enough(errors: list[Exception]) -> bool:
    """Tell whether that is more than a client is told."""
    return sum(map(_count, errors)) > MOST


def _count(error: Exception) -> int:
    if isinstance(error, ExceptionGroup):
        group = t.cast("ExceptionGroup[Exception]", error)
        return sum(map(_count, group.exceptions))
    return 1


def unsupported(
    converter: Converter, tp: t.Any, seen: set[t.Any] | None = None
) -> t.Any:
    """
    Return the type, or the one within it, that cannot be converted.

    Returns:
        The type; ``None`` if there is none.

    Raises:
        NameError: The annotation of a field cannot be evaluated.
    """
    seen = set() if seen is None else seen
    if tp is t.Any or tp is ... or tp in seen:
        return None
    seen.add(tp)
    if t.get_origin(tp) is t.Annotated:
        return unsupported(converter, t.get_args(tp)[0], seen)
    parts: t.Iterable[t.Any]
    if is_class(tp):
        hints = t.get_type_hints(t.get_origin(tp) or tp, include_extras=True)
        parts = hints.values()
    elif any(is_one(tp) for is_one in (_is_list, _is_tuple, _is_mapping)) or (
        _is_union(tp)
    ):
        parts = t.get_args(tp)
    elif isinstance(tp, t.TypeVar):
        return None
    else:
        return None if _is_known(converter, tp) else tp
    for part in parts:
        wrong = unsupported(converter, part, seen)
        if wrong is not None:
            return wrong
    return None


def _is_known(converter: Converter, tp: t.Any) -> bool:
    try:
        converter.structure(object(), tp)
    except StructureHandlerNotFoundError:
        return False
    except Exception:  # noqa: BLE001 - it is known, and was refused
        return True
    return True


def mistakes(error: Exception, name: str) -> t.Iterator[tuple[str, str]]:
    """
    Yield all that is wrong, as names with reasons.

    Args:
        error: What cattrs has raised.
        name: The name, or pointer, of what was converted.

    Raises:
        Exception: It is not a mistake of the client.
    """
    if isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(map(str, error.extra_fields)):
            yield f"{name}/{_escape(key)}", "is not known"
    elif isinstance(error, ClassValidationError):
        fields, others = error.group_exceptions()
        for inner, note in fields:
            where = f"{name}/{_escape(str(note.name))}"
            if isinstance(inner, KeyError) and inner.args == (note.name,):
                yield where, "is missing"
            else:
                yield from mistakes(inner, where)
        for inner in others:
            yield from mistakes(inner, name)
    elif isinstance(error, IterableValidationError):
        for inner, entry in error.group_exceptions()[0]:
            yield from mistakes(inner, f"{name}/{_escape(str(entry.index))}")
    elif isinstance(error, (ValueError, TypeError)):
        # Also what validators of the class itself say.
        yield name, str(error.args[0]) if error.args else "is wrong"
    else:
        raise error


def _escape(name: str) -> str:
    """Write a name as a part of a JSON pointer, RFC 6901."""
    return name.replace("~", "~0").replace("/", "~1")
