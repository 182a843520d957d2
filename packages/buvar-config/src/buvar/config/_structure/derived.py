"""
Defaults that an object makes of itself: ``attrs.Factory(takes_self=True)``.

Where a table is given for such a field, what the table leaves out is as in
the object that the factory makes. The factory gets an object that has all
fields before it, as when the class itself calls it.
"""

from __future__ import annotations

import typing as t

import attrs

from buvar.config._merge import is_table
from buvar.config._model.fields import Field
from buvar.config._model.types import origin

from .unions import Over
from .unions import classes_of


#: Stands for a default that cannot be made, as another value is wrong.
UNKNOWN: t.Final = object()

Collect: t.TypeAlias = t.Callable[[t.Any, t.Any], t.Any]


class Derived:
    """
    Puts the tables of a class over the defaults it makes of itself.

    Args:
        tp: The class.
        members: Its fields.
        collect: Makes a function that structures what is given, as a dict.
    """

    def __init__(
        self,
        tp: t.Any,
        members: t.Sequence[Field],
        collect: t.Callable[[], Collect],
    ) -> None:
        self._cls = origin(tp)
        self._make_collect = collect
        self._collect: Collect | None = None
        self._fields = [
            field
            for field in members
            if getattr(field.default, "takes_self", False)
            and not field.converter
            and classes_of(field.type)
        ]

    def __bool__(self) -> bool:
        """Tell whether the class has any such default."""
        return bool(self._fields)

    def put(self, value: dict[t.Any, t.Any], base: t.Any = None) -> t.Any:
        """
        Put the tables in a dict over defaults.

        Args:
            value: What is given for the class.
            base: The object that has what is not given, ``None`` for the
                defaults of the class.
        """
        fields = {
            field.name: field
            for field in self._fields
            if is_table(value.get(field.key))
            and (base is None or is_derived(field, base))
        }
        if not fields:
            return value
        if self._collect is None:
            self._collect = self._make_collect()
        keys = {field.key for field in fields.values()}
        rest = {key: item for key, item in value.items() if key not in keys}
        value = dict(value)
        try:
            given = self._collect(rest, dict)
        except Exception:  # noqa: BLE001 - said when the class is made
            return _unknown(value, fields)
        owner = self._cls.__new__(self._cls)
        for attribute in attrs.fields(self._cls):
            try:
                made = _value(attribute, owner, given, base)
            except _MissingError:
                return _unknown(value, fields)
            except Exception:  # noqa: BLE001 - the class itself says it
                return value
            field = fields.pop(attribute.name, None)
            if field is not None:
                over = value[field.key] = Over(made, value[field.key])
                try:
                    made = self._collect({field.key: over}, dict)[field.alias]
                except Exception:  # noqa: BLE001 - said when it is made
                    return _unknown(value, fields)
            object.__setattr__(owner, attribute.name, made)
        return value


class _MissingError(Exception):
    """A field has no value."""


def _unknown(
    value: dict[t.Any, t.Any], fields: dict[str, Field]
) -> dict[t.Any, t.Any]:
    """Have tables complain of nothing that is missing in them."""
    for field in fields.values():
        value[field.key] = Over(UNKNOWN, value[field.key])
    return value


def _value(
    attribute: attrs.Attribute[t.Any],
    owner: t.Any,
    given: dict[str, t.Any],
    base: t.Any,
) -> t.Any:
    """Return the value of a field, as the class would set it."""
    alias, default = attribute.alias, t.cast("t.Any", attribute.default)
    if attribute.init and alias in given:
        value = given[alias]
    elif base is not None and not is_derived(attribute, base):
        return getattr(base, attribute.name)
    elif isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        of_self = default.takes_self
        value = default.factory(owner) if of_self else default.factory()
    else:
        value = default
    if value is attrs.NOTHING:
        raise _MissingError
    converter = t.cast("t.Any", attribute).converter
    if converter is None:
        return value
    more = [owner] if getattr(converter, "takes_self", False) else []
    if getattr(converter, "takes_field", False):
        more.append(attribute)
    return getattr(converter, "converter", converter)(value, *more)


def is_derived(field: Field | attrs.Attribute[t.Any], base: t.Any) -> bool:
    """Tell whether a value follows from others, and is made anew."""
    default: t.Any = field.default
    if not getattr(default, "takes_self", False):
        return False
    try:
        return bool(default.factory(base) == getattr(base, field.name))
    except Exception:  # noqa: BLE001 - anybody's factory
        return False
