"""
Defaults that are objects.

Where a table is given for a field whose default is an object, what the table
leaves out is as in that object, not as in its class: a default is what the
tables of all sources lie over. The same object is never handed out twice if
it can change.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import typing as t

import attrs

from cattrs import AttributeValidationNote
from cattrs import BaseValidationError
from cattrs import ClassValidationError

from buvar.config._merge import is_table
from buvar.config._model.fields import Field
from buvar.config._model.fields import fields
from buvar.config._model.fields import has_fields
from buvar.config._model.fields import is_named_tuple
from buvar.config._model.types import origin

from .derived import UNKNOWN
from .derived import Derived
from .derived import is_derived
from .unions import Over
from .unions import classes_of


Structure: t.TypeAlias = t.Callable[[t.Any, t.Any], t.Any]

__all__ = [
    "Over",
    "Overlaid",
    "copy_shared",
    "is_overlaid",
    "overlaid",
    "shared_defaults",
]


#: Untyped, as cattrs says less of them than a strict checker wants.
_note: t.Any = AttributeValidationNote
_refusal: t.Any = ClassValidationError


class _Maker(t.Protocol):
    """A compiler of the functions of classes."""

    thorough: bool

    def generate_partial(self, tp: t.Any, collect: t.Any) -> Structure: ...


def is_overlaid(field: Field) -> bool:
    """Tell whether the default of a field may be an object to start from."""
    default = field.default
    if default is attrs.NOTHING or default is None or field.converter:
        return False
    # What a class makes of nothing it makes of a table anyway.
    plain = getattr(default, "factory", None) is origin(field.type)
    return not plain and classes_of(field.type)


def overlaid(field: Field, inner: Structure) -> Structure:
    """Put a table over the default of its field."""

    def structure(value: t.Any, tp: t.Any) -> t.Any:
        if is_table(value):
            base = field.make_default()
            if has_fields(type(base)):
                value = Over(base, value)
        return inner(value, tp)

    return structure


class Overlaid:
    """
    Makes objects of a class from another one and a table over it.

    Args:
        maker: What compiles functions.
        tp: The class.
        structure: Makes an object of a table alone.
    """

    def __init__(self, maker: _Maker, tp: t.Any, structure: Structure) -> None:
        self._maker = maker
        self._tp = tp
        self._structure = structure
        self._partials: dict[t.Any, Structure] = {}
        self._derived: dict[t.Any, Derived] = {}

    def make(self, value: Over) -> t.Any:
        """Make the object."""
        cls, base = origin(self._tp), value.base
        if base is UNKNOWN:
            # Only to say what is wrong in the table: nothing is made of it.
            return self._given(self._tp, fields(self._tp), value)
        if not isinstance(base, cls):
            return self._structure(dict(value.given), cls)
        tp = self._tp if base.__class__ is cls else base.__class__
        members = fields(tp)
        given = self._given(tp, members, value)
        lacking = [
            field
            for field in members
            if field.passing and field.required and field.alias not in given
        ]
        if lacking:
            raise _absent(tp, lacking)
        values = {
            field.alias: field.value_of(base)
            for field in members
            if field.alias not in given
            and not field.passing
            and not is_derived(field, base)
        }
        try:
            found = origin(tp)(**values, **given)
        except Exception as error:
            if not self._maker.thorough:
                raise
            msg = f"While structuring {origin(tp).__name__}"
            raise _refusal(msg, [error], tp) from None
        _keep_converted(found, members, values)
        return found

    def _given(
        self, tp: t.Any, members: list[Field], value: Over
    ) -> dict[str, t.Any]:
        """Structure what the table gives, by the names of parameters."""
        partial, base = self.collect(tp), value.base
        table = dict(value.given)
        if base is not UNKNOWN:
            for field in members:
                inner = table.get(field.key)
                if (
                    is_table(inner)
                    and classes_of(field.type)
                    and not is_derived(field, base)
                ):
                    below = field.value_of(base)
                    if has_fields(type(below)):
                        table[field.key] = Over(below, inner)
            table = self.derived(tp, members).put(table, base)
        try:
            found: dict[str, t.Any] = partial(table, dict)
        except BaseValidationError as error:
            # It is about the class, not about what collects for it.
            for item in (error, *error.exceptions):
                if getattr(item, "cl", None) is not None and not isinstance(
                    item, BaseValidationError
                ):
                    t.cast("t.Any", item).cl = tp
            error.cl = tp
            raise
        return found

    def collect(self, tp: t.Any) -> Structure:
        """Return what structures only what is given, by parameters."""
        partial = self._partials.get(tp)
        if partial is None:
            collect = type(origin(tp).__name__, (dict,), {})
            partial = self._maker.generate_partial(tp, collect)
            self._partials[tp] = partial
        return partial

    def derived(self, tp: t.Any, members: list[Field]) -> Derived:
        """Return what puts tables over defaults made of the object."""
        found = self._derived.get(tp)
        if found is None:
            collect = functools.partial(self.collect, tp)
            found = self._derived[tp] = Derived(tp, members, collect)
        return found


def _absent(tp: t.Any, lacking: list[Field]) -> Exception:
    """Say which parameters no object has kept."""
    errors: list[Exception] = []
    for field in lacking:
        error = KeyError(field.key)
        error.add_note(_note("missing", field.name, field.type))
        errors.append(error)
    refused: Exception = _refusal("parameters are missing", errors, tp)
    return refused


def _keep_converted(
    found: t.Any, members: list[Field], values: dict[str, t.Any]
) -> None:
    """Undo what converters made of values that were converted before."""
    for field in members:
        if field.converter and field.alias in values:
            object.__setattr__(found, field.name, values[field.alias])


#: What can change, of what a program writes as a default.
_CONTAINERS: t.Final = (list, dict, set, bytearray)


def shared_defaults(cls: t.Any, members: list[Field]) -> dict[str, t.Any]:
    """Return the defaults that all objects of a class would share."""
    return (
        {
            field.name: field.default
            for field in members
            if not field.passing and _can_change(field.default)
        }
        if not is_named_tuple(cls)
        else {}
    )


def _can_change(value: t.Any) -> bool:
    cls = value.__class__
    if isinstance(value, _CONTAINERS):
        return True
    if isinstance(value, tuple) and not hasattr(cls, "_fields"):
        return any(map(_can_change, t.cast("t.Any", value)))
    if dataclasses.is_dataclass(cls):
        return not t.cast("t.Any", cls).__dataclass_params__.frozen
    return attrs.has(cls) and cls.__setattr__ is not _FROZEN


@attrs.frozen
class _Frozen:
    pass


_FROZEN: t.Final = _Frozen.__setattr__


def copy_shared(owner: t.Any, shared: dict[str, t.Any]) -> None:
    """Give an object copies of the defaults of its class."""
    for name, default in shared.items():
        if getattr(owner, name) is default:
            try:
                own = copy.deepcopy(default)
            except Exception:  # noqa: BLE001, S112 - it cannot be copied
                continue
            object.__setattr__(owner, name, own)
