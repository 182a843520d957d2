"""Hooks for cattrs: strictness, text, secrets, unions."""

from __future__ import annotations

import enum
import pathlib
import types
import typing as t

from collections import abc

from cattrs import Converter

from buvar.config._errors import BadValueError
from buvar.config._errors import config_error
from buvar.config._merge import SEQUENCES
from buvar.config._merge import plain
from buvar.config._model.fields import has_fields
from buvar.config._model.registered import is_registered
from buvar.config._model.registered import registry
from buvar.config._model.secret import Secret
from buvar.config._model.types import bare
from buvar.config._model.types import origin

from .choices import to_enum
from .choices import to_literal
from .registered import registered_hook
from .scalars import SCALARS
from .text import Text
from .text import parse_list
from .text import parse_table
from .textual import is_textual
from .textual import made_by
from .textual import to_textual
from .unions import is_union
from .unions import union_hook


Structure: t.TypeAlias = t.Callable[[t.Any, t.Any], t.Any]
Predicate: t.TypeAlias = t.Callable[[t.Any], bool]
Factory: t.TypeAlias = t.Callable[[t.Any], Structure]


def register(converter: Converter) -> None:
    """Teach a converter all that is not a class with fields."""
    for tp, hook in SCALARS.items():
        converter.register_structure_hook(tp, _exactly(tp, hook))
    converter.register_structure_hook(enum.Enum, _member)
    guard = _Guard(converter)
    hooks: tuple[tuple[Predicate, Factory], ...] = (
        (guard.wants, guard.make),
        (is_union, lambda tp: union_hook(tp, converter)),
        (lambda tp: origin(tp) is t.Literal, lambda _: to_literal),
        (
            lambda tp: origin(tp) is Secret,
            lambda tp: _secret_hook(tp, converter),
        ),
        (lambda tp: tp is t.Any or tp is object, lambda _: to_any),
        (lambda tp: tp is type(None), lambda _: to_none),
        (lambda tp: origin(tp) in _ABSTRACT, lambda tp: _list(tp, converter)),
        (lambda tp: bare(tp) is not tp, lambda tp: _bare(tp, converter)),
    )
    for predicate, factory in hooks:
        converter.register_structure_hook_factory(predicate, factory)


def _bare(tp: t.Any, converter: Converter) -> Structure:
    """Structure what an alias or a new type stands for."""
    inner = bare(tp)
    hook: Structure = converter.get_structure_hook(inner)
    return lambda value, _: hook(value, inner)


#: What cattrs lets through as it is.
_ABSTRACT = (abc.Iterable, abc.Collection, abc.Reversible, abc.Container)


def _list(tp: t.Any, converter: Converter) -> Structure:
    """Make a list where any kind of collection is asked for."""
    inner: t.Any = types.GenericAlias(list, t.get_args(tp) or (t.Any,))
    hook: Structure = converter.get_structure_hook(inner)
    return lambda value, _: hook(value, inner)


def _exactly(base: type, hook: Structure) -> Structure:
    """Use a hook for its own type; subclasses are made of what it gives."""

    def structure(value: t.Any, tp: t.Any) -> t.Any:
        # The quick way for nearly all values.
        if type(value) is tp and (tp is not str or "\0" not in value):
            return value
        return _of_subclass(base, hook, value, tp)

    return structure


def _of_subclass(
    base: type, hook: Structure, value: t.Any, tp: t.Any
) -> t.Any:
    if tp is base:
        return hook(value, tp)
    if issubclass(tp, enum.Enum) or tp in registry:
        return _member(value, tp)
    if isinstance(value, tp):
        return value
    if base in (pathlib.Path, pathlib.PurePath):
        return hook(value, tp)
    if hasattr(tp, "parse"):
        return made_by(tp, tp.parse, value)
    return made_by(tp, tp, hook(value, base))


def _member(value: t.Any, tp: t.Any) -> t.Any:
    if registry and tp in registry:
        return registered_hook(tp)(value, tp)
    return to_enum(value, tp)


class _Guard:
    """Lets only arrays into lists and only tables into dicts."""

    def __init__(self, converter: Converter) -> None:
        self._converter = converter
        self._making: set[t.Any] = set()

    def wants(self, tp: t.Any) -> bool:
        """Tell whether a type is a container not being made already."""
        cls = origin(tp)
        return (
            isinstance(cls, type)
            and (issubclass(cls, _CONTAINERS))
            and not has_fields(tp)
            and not is_registered(tp)
            and tp not in self._making
        )

    def make(self, tp: t.Any) -> Structure:
        """Make the hook of cattrs and put a guard before it."""
        self._making.add(tp)
        try:
            inner = self._converter.get_structure_hook(tp, cache_result=False)
        finally:
            self._making.discard(tp)
        length = _length(tp)
        usual: type[t.Any]
        check: t.Callable[[t.Any], t.Any]
        if issubclass(origin(tp), abc.Mapping):
            usual, check = dict, _to_table
        else:
            usual, check = list, _to_sequence

        def structure(value: t.Any, tp: t.Any) -> t.Any:
            if type(value) is not usual:
                value = check(value)
            if length is not None and len(value) != length:
                msg = f"expected an array of {length} items"
                raise BadValueError(msg)
            return inner(value, tp)

        return structure


def _length(tp: t.Any) -> int | None:
    arguments = t.get_args(tp)
    fixed = origin(tp) is tuple and arguments and arguments[-1] is not ...
    return len(arguments) if fixed else None


_CALLABLE: t.Any = abc.Callable
_CONTAINERS = (abc.Mapping, abc.Sequence, abc.Set)


def _to_sequence(value: t.Any) -> t.Any:
    if isinstance(value, Text):
        return parse_list(value)
    if not isinstance(value, SEQUENCES):
        raise BadValueError("expected an array")
    return t.cast("t.Any", value)


def _to_table(value: t.Any) -> t.Any:
    if isinstance(value, Text):
        return parse_table(value)
    if not isinstance(value, abc.Mapping):
        raise BadValueError("expected a table")
    return t.cast("t.Any", value)


def untyped(value: Text, tp: t.Any) -> t.Any:
    """Make of text what a converter of such a field may expect."""
    cls = origin(tp)
    if isinstance(cls, type) and not issubclass(cls, str):
        if issubclass(cls, abc.Mapping):
            return parse_table(value)
        if issubclass(cls, abc.Sequence | abc.Set):
            return parse_list(value)
    return str(value)


def to_any(value: t.Any, _: t.Any = None) -> t.Any:
    """Take anything; arrays and tables are copied."""
    return str(value) if isinstance(value, Text) else plain(value)


def to_none(value: t.Any, _: t.Any = None) -> None:
    """Take nothing."""
    if value is not None and not (
        isinstance(value, Text) and value.lower() in ("", "null")
    ):
        raise BadValueError("expected nothing (null)")


def hidden(inner: Structure) -> Structure:
    """Keep the value out of what an error says."""

    def structure(value: t.Any, tp: t.Any) -> t.Any:
        try:
            return inner(value, tp)
        except BadValueError as error:
            raise BadValueError(error.expected, secret=True) from None
        except Exception:  # noqa: BLE001 - it could quote the value
            raise BadValueError(
                "expected another value", secret=True
            ) from None

    return structure


def _secret_hook(tp: t.Any, converter: Converter) -> Structure:
    inner_type = next(iter(t.get_args(tp)), t.Any)
    inner = hidden(converter.get_structure_hook(inner_type))

    def structure(value: t.Any, _: t.Any) -> t.Any:
        if isinstance(value, Secret):
            return t.cast("t.Any", value)
        return Secret(inner(value, inner_type))

    return structure


def instance_hook(tp: t.Any) -> Structure:
    """Take what text cannot say: an object that is put in by code."""
    cls = origin(tp)
    if cls is _CALLABLE:
        return _callable
    if not isinstance(cls, type):
        raise config_error(
            f"a field of the type {tp} cannot be loaded",
            cure="Say how with config.var(converter=...), or give it another "
            "type.",
        )
    if is_textual(cls):
        return to_textual
    expected = f"expected a {cls.__module__}.{cls.__qualname__} set by code"

    def structure(value: t.Any, _: t.Any) -> t.Any:
        if _is_instance(value, cls):
            return value
        raise BadValueError(expected)

    return structure


def _is_instance(value: t.Any, cls: t.Any) -> bool:
    try:
        return isinstance(value, cls)
    except TypeError:
        # A protocol that cannot be checked at run time.
        return not isinstance(value, str | int | float | list | dict)


def _callable(value: t.Any, _: t.Any) -> t.Any:
    if not callable(value):
        raise BadValueError("expected something callable, set by code")
    return value
