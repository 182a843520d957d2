"""
Compile a class to a function that structures it, with cattrs.

A class has a quick function, which stops at the first thing that is wrong
without saying what, and a thorough one, which is compiled and run only then.
Both are kept on the class and so end with it.
"""

from __future__ import annotations

import typing as t

import attrs

from cattrs import Converter
from cattrs import gen

from buvar.config._dotted_keys import ASSIGNMENT
from buvar.config._errors import BadValueError
from buvar.config._errors import ConfigError
from buvar.config._errors import config_error
from buvar.config._errors import reason_of
from buvar.config._merge import is_array
from buvar.config._merge import is_table
from buvar.config._model.fields import Field
from buvar.config._model.fields import fields
from buvar.config._model.fields import has_fields
from buvar.config._model.fields import is_named_tuple
from buvar.config._model.registered import is_registered
from buvar.config._model.registered import registry
from buvar.config._model.typed_dicts import is_misread
from buvar.config._model.typed_dicts import read_again
from buvar.config._model.types import origin

from .defaults import Over
from .defaults import Overlaid
from .defaults import copy_shared
from .defaults import is_overlaid
from .defaults import overlaid
from .defaults import shared_defaults
from .hooks import hidden
from .hooks import instance_hook
from .hooks import register
from .hooks import untyped
from .registered import registered_hook
from .text import Text
from .text import parse_list
from .text import parse_table


Structure: t.TypeAlias = t.Callable[[t.Any, t.Any], t.Any]

#: An empty table, which nobody changes.
_EMPTY: t.Final[dict[str, t.Any]] = {}

#: The attribute of a class that its compiled functions are kept in.
ATTRIBUTE: t.Final = "__buvar_config__"


def kept(tp: t.Any) -> dict[t.Any, t.Any]:
    """Return the dict on a class that keeps what was compiled of it."""
    cls = origin(tp)
    found: dict[t.Any, t.Any] | None = cls.__dict__.get(ATTRIBUTE)
    if found is None:
        found = {}
        setattr(cls, ATTRIBUTE, found)
    return found


def compiled(tp: t.Any, *, strict: bool, thorough: bool) -> Structure:
    """
    Return the function that makes an instance of plain data.

    Args:
        tp: The class, or a generic alias of one.
        strict: Whether unknown keys are refused.
        thorough: Whether all errors are collected.

    Raises:
        ConfigError: The class cannot be loaded at all.
    """
    cache = kept(tp)
    key = (tp, strict, thorough, registry.version)
    structure: Structure | None = cache.get(key)
    if structure is None:
        structure = cache[key] = _Maker(
            strict=strict, thorough=thorough
        ).converter.get_structure_hook(tp)
    return structure


#: Untyped, as cattrs says less of it than a strict checker wants.
_gen: t.Any = gen


class _Maker:
    """Makes the functions of one converter."""

    def __init__(self, *, strict: bool, thorough: bool) -> None:
        self.strict = strict
        self.thorough = thorough
        self.converter = Converter(
            detailed_validation=thorough,
            # For a TypedDict; classes are told below.
            forbid_extra_keys=strict,
            structure_fallback_factory=instance_hook,
        )
        register(self.converter)
        self.converter.register_structure_hook_factory(
            has_fields, self.make_class
        )
        self.converter.register_structure_hook_factory(
            is_registered, registered_hook
        )
        self.converter.register_structure_hook_factory(
            is_misread, self.make_typed_dict
        )
        self._dicts: dict[t.Any, t.Any] = {}
        self._making: set[t.Any] = set()

    def make_class(self, tp: t.Any) -> Structure:
        """Make the function of a class."""
        if tp in self._making:
            # Cattrs takes this as the sign of a cycle and binds late.
            raise RecursionError
        self._making.add(tp)
        try:
            return self._make_class(tp)
        finally:
            self._making.remove(tp)

    def make_typed_dict(self, tp: t.Any) -> Structure:
        """Make the function of a dict whose keys Python has misread."""
        if tp not in self._dicts:
            self._dicts[tp] = read_again(tp)
        found: Structure = self.converter.get_structure_hook(self._dicts[tp])
        return found

    def _make_class(self, tp: t.Any) -> Structure:
        cls = origin(tp)
        members = fields(tp)
        _check_keys(cls, members)
        structure = self._generate(members, cls)
        implied = [field.key for field in members if field.implied]
        shared = shared_defaults(cls, members)
        maker = Overlaid(self, tp, structure)
        derived = maker.derived(tp, members)

        def make(value: t.Any, _: t.Any) -> t.Any:
            if value.__class__ is dict:
                return structure(value, cls)
            if value.__class__ is Over:
                return maker.make(value)
            value = _table(value, cls, members)
            return value if isinstance(value, cls) else structure(value, cls)

        if not implied and not shared and not derived:
            return make

        def make_more(value: t.Any, _: t.Any) -> t.Any:
            if value.__class__ is dict and implied:
                value = {**dict.fromkeys(implied, _EMPTY), **value}
            if value.__class__ is dict and derived:
                value = derived.put(value)
            found = make(value, cls)
            if shared and found is not value:
                copy_shared(found, shared)
            return found

        return make_more

    def _generate(self, members: list[Field], cls: t.Any) -> Structure:
        overrides: dict[str, t.Any] = {
            field.name: gen.override(
                rename=field.key, struct_hook=self._special(field)
            )
            for field in members
        }
        structure: Structure = _gen.make_dict_structure_fn_from_attrs(
            t.cast("t.Any", members),
            cls,
            self.converter,
            # Its variables are replaced already; cattrs asks for all names.
            {item.__name__: t.Any for item in _parameters(cls)},
            _cattrs_forbid_extra_keys=self.strict,
            _cattrs_detailed_validation=self.thorough,
            _cattrs_use_linecache=False,
            **overrides,
        )
        return structure

    def generate_partial(self, tp: t.Any, collect: t.Any) -> Structure:
        """Make a function that collects only what is given for a class."""
        return self._generate(
            [
                attrs.evolve(field, default=None, kw_only=True)
                for field in fields(tp)
            ],
            collect,
        )

    def _special(self, field: Field) -> t.Any:
        """Return the function of a field, if its type alone won't do."""
        hook: Structure | None = None
        if field.converter is not None:
            hook = _converted(field, thorough=self.thorough)
        elif field.extra.kind == "bool" and origin(field.type) is t.Any:
            hook = self._as(bool)
        elif field.extra.kind == "list":
            hook = self._split(field.type)
        if field.hidden:
            hook = hidden(hook or self._late(field.type))
        if hook is None and is_overlaid(field):
            hook = overlaid(field, self._late(field.type))
        return hook

    def _split(self, tp: t.Any) -> Structure:
        inner = self._as(list[t.Any] if origin(tp) is t.Any else tp)

        def split(value: t.Any, _: t.Any) -> t.Any:
            if isinstance(value, str):
                value = parse_list(value)
            return inner(value, tp)

        return split

    def _as(self, tp: t.Any) -> Structure:
        """Structure values as another type than that of their field."""
        hook = self._late(tp)
        return lambda value, _: hook(value, tp)

    def _late(self, tp: t.Any) -> Structure:
        try:
            hook: Structure = self.converter.get_structure_hook(tp)
        except RecursionError:
            return self.converter.structure
        return hook


def _check_keys(cls: t.Any, members: list[Field]) -> None:
    """
    Refuse two fields of one key: a value would set both.

    Raises:
        ConfigError: They are named.
    """
    names: dict[str, str] = {}
    for field in members:
        other = names.setdefault(field.key, field.name)
        if other != field.name:
            raise config_error(
                f"the key {field.key!r} is claimed by the fields {other} and "
                f"{field.name} of {cls.__qualname__}",
                cure="Rename one of the two, e.g. with config.var(name=...).",
            )


def _parameters(cls: t.Any) -> tuple[t.Any, ...]:
    return getattr(cls, "__parameters__", ())


def _table(value: t.Any, cls: t.Any, members: list[Field]) -> t.Any:
    """Return the dict that a class can be made of, or its instance."""
    if type(value) is cls or isinstance(value, cls):
        return value
    if is_named_tuple(cls):
        return _named(value, members)
    if isinstance(value, Text):
        return dict(parse_table(value))
    if is_table(value):
        return dict(value)
    raise BadValueError("expected a table")


def _named(value: t.Any, members: list[Field]) -> dict[t.Any, t.Any]:
    """Return the items of a named tuple, which may come without names."""
    expected = f"expected a table, or an array of {len(members)} items"
    if isinstance(value, Text):
        text = value.lstrip()
        listed = not text.startswith("{") and not ASSIGNMENT.match(text)
        value = parse_list(value) if listed else parse_table(value)
    if is_table(value):
        return dict(value)
    if not is_array(value) or len(value) > len(members):
        raise BadValueError(expected)
    keys = [field.key for field in members]
    if any(field.required for field in members[len(value) :]):
        raise BadValueError(expected)
    return dict(zip(keys, value, strict=False))


def _converted(field: Field, *, thorough: bool) -> Structure:
    """
    Hand the raw value to the converter of the field.

    The class calls it. When errors are collected it is called here before,
    so that its failure is the field's and not that of the whole class.
    """
    converter = field.converter
    check = thorough and type(converter).__name__ != "Converter"

    def convert(value: t.Any, _: t.Any) -> t.Any:
        if isinstance(value, Text):
            value = untyped(value, field.type)
        if check:
            try:
                converter(value)
            except (BadValueError, ConfigError):
                raise
            except Exception as error:  # noqa: BLE001 - anybody's code
                name = getattr(converter, "__name__", "its converter")
                msg = f"expected what {name} takes"
                raise BadValueError(msg, reason_of(error)) from None
        return value

    return convert
