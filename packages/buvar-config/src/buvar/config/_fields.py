"""The fields of a class: their keys, their types, what is said of them."""

from __future__ import annotations

import dataclasses
import sys
import typing as t

import attrs

from ._errors import one
from ._secret import Secret
from ._vars import KEY
from ._vars import Extra


TypeVars: t.TypeAlias = dict[t.Any, t.Any]


@attrs.frozen(eq=False)
class Field:
    """
    A field, whichever library made it.

    The first attributes are those of ``attrs.Attribute`` that cattrs reads.
    """

    name: str
    alias: str
    type: t.Any
    default: t.Any
    kw_only: bool
    converter: t.Any
    key: str
    extra: Extra
    init: bool = True

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is attrs.NOTHING

    @property
    def secret(self) -> bool:
        """Whether the value must never be shown."""
        return self.extra.secret or holds_secret(self.type)

    def make_default(self) -> t.Any:
        """Return the default, ``NOTHING`` if only the class can make it."""
        if not isinstance(self.default, attrs.Factory):  # type: ignore[arg-type]
            return self.default
        if self.default.takes_self:
            return attrs.NOTHING
        return self.default.factory()


#: What says more of a type that counts alone here.
_AROUND = (t.Annotated, t.Final, t.ClassVar)
#: The types that ``type X = ...`` makes, from Python 3.12 on.
_ALIASES: t.Any = getattr(t, "TypeAliasType", ())


def bare(tp: t.Any) -> t.Any:
    """Return what an alias, a new type or an annotated type stands for."""
    inner = tp
    while inner is not None:
        tp, inner = inner, _inner(inner)
    return tp


def _inner(tp: t.Any) -> t.Any:
    cls = t.get_origin(tp) or tp
    if isinstance(tp, t.NewType):
        return tp.__supertype__
    if tp is t.LiteralString:
        return str
    if cls in _AROUND:
        return next(iter(t.get_args(tp)), None)
    if isinstance(cls, _ALIASES):  # pragma: no cover - from 3.12 on
        return _of_alias(cls, t.get_args(tp))
    return None


def _of_alias(
    alias: t.Any, arguments: tuple[t.Any, ...]
) -> t.Any:  # pragma: no cover - from 3.12 on
    value = alias.__value__
    # One that is made of itself, as JSON is, has no end.
    if _mentions(value, alias):
        return None
    given = zip(alias.__type_params__, arguments, strict=False)
    return _substitute(value, dict(given))


def _mentions(
    tp: t.Any, alias: t.Any
) -> bool:  # pragma: no cover - from 3.12 on
    if tp is alias or t.get_origin(tp) is alias:
        return True
    return any(_mentions(item, alias) for item in t.get_args(tp))


def origin(tp: t.Any) -> t.Any:
    """Return the class of a generic alias, else the type itself."""
    if isinstance(tp, type):
        # The quick way when something is loaded.
        return tp
    tp = bare(tp)
    return t.get_origin(tp) or tp


def arguments(tp: t.Any) -> tuple[t.Any, ...]:
    """Return what a generic alias or a union is made of."""
    return t.get_args(bare(tp))


def has_fields(tp: t.Any) -> bool:
    """Tell whether a type is a class of attrs or a dataclass."""
    cls = origin(tp)
    return isinstance(cls, type) and (
        attrs.has(cls) or dataclasses.is_dataclass(cls)
    )


def is_secret(tp: t.Any) -> bool:
    """Tell whether a type is, or contains, a ``Secret``."""
    return origin(tp) is Secret or any(map(is_secret, arguments(tp)))


def holds_secret(tp: t.Any, above: tuple[t.Any, ...] = ()) -> bool:
    """Tell whether a type is a secret, or one is somewhere in it."""
    if has_fields(tp):
        return tp not in above and any(
            field.extra.secret or holds_secret(field.type, (*above, tp))
            for field in fields(tp)
        )
    return origin(tp) is Secret or any(
        holds_secret(item, above) for item in arguments(tp)
    )


def fields(tp: t.Any) -> list[Field]:
    """
    Return the fields that the constructor of a class takes.

    Raises:
        ConfigError: The name of a type cannot be resolved.
    """
    cls = origin(tp)
    hints = _hints(cls)
    variables = _type_variables(tp)
    made = (
        _of_attrs(cls, hints) if attrs.has(cls) else _of_dataclass(cls, hints)
    )
    return [
        attrs.evolve(field, type=_substitute(field.type, variables))
        for field in made
    ]


def _of_attrs(cls: t.Any, hints: dict[str, t.Any]) -> t.Iterator[Field]:
    for attribute in attrs.fields(cls):
        if not attribute.init:
            continue
        extra = attribute.metadata.get(KEY, Extra())
        tp = hints.get(attribute.name, attribute.type)
        if tp is None or isinstance(tp, str):
            tp = _KINDS.get(extra.kind, t.Any)
        yield Field(
            attribute.name,
            attribute.alias or attribute.name,
            tp,
            attribute.default,
            bool(attribute.kw_only),
            attribute.converter,
            extra.name or attribute.alias or attribute.name,
            extra,
        )


_KINDS: dict[str | None, t.Any] = {"bool": bool, "list": list[t.Any]}


def _of_dataclass(cls: t.Any, hints: dict[str, t.Any]) -> t.Iterator[Field]:
    for field in dataclasses.fields(cls):
        if not field.init:
            continue
        default: t.Any = attrs.NOTHING
        if field.default is not dataclasses.MISSING:
            default = field.default
        elif field.default_factory is not dataclasses.MISSING:
            default = attrs.Factory(field.default_factory)
        extra = field.metadata.get(KEY, Extra())
        yield Field(
            field.name,
            field.name,
            hints.get(field.name, field.type),
            default,
            bool(field.kw_only),
            None,
            extra.name or field.name.lstrip("_") or field.name,
            extra,
        )


def _hints(cls: t.Any) -> dict[str, t.Any]:
    try:
        return t.get_type_hints(cls, include_extras=True)
    except NameError:
        pass
    except Exception as error:  # noqa: BLE001 - annotations are programs
        raise _unresolved(cls, error) from None
    # A class local to a function: its names are those of a running function,
    # as its types are asked for where it is used.
    try:
        return t.get_type_hints(
            cls, localns=_running_names(), include_extras=True
        )
    except Exception as error:  # noqa: BLE001 - annotations are programs
        raise _unresolved(cls, error) from None


def _unresolved(cls: t.Any, error: Exception) -> Exception:
    return one(
        f"the annotations of {cls.__qualname__} cannot be resolved: {error}",
        cure="Import the missing names in the module of the class.",
    )


def _running_names() -> dict[str, t.Any]:
    names: dict[str, t.Any] = {}
    frame = sys._getframe(1)  # noqa: SLF001 - the only way to locals
    while frame is not None:
        if frame.f_globals.get("__package__") != __package__:
            names = {**frame.f_locals, **names}
        frame = t.cast("t.Any", frame.f_back)
    return names


def _type_variables(tp: t.Any) -> TypeVars:
    """Map the variables of a class and its bases to what they stand for."""
    cls, given = origin(tp), arguments(tp)
    parameters = getattr(cls, "__parameters__", ())
    variables: TypeVars = {
        parameter: given[number]
        if number < len(given)
        else _unbound(parameter)
        for number, parameter in enumerate(parameters)
    }
    for base in getattr(cls, "__orig_bases__", ()):
        if t.get_origin(base) not in (None, t.Generic, t.Protocol):
            variables = {
                **_type_variables(_substitute(base, variables)),
                **variables,
            }
    return variables


def _unbound(parameter: t.Any) -> t.Any:
    bound = getattr(parameter, "__bound__", None)
    constraints = getattr(parameter, "__constraints__", ())
    return bound or (t.Union[constraints] if constraints else t.Any)  # noqa: UP007 - of a tuple


def _substitute(tp: t.Any, variables: TypeVars) -> t.Any:
    if isinstance(tp, t.TypeVar):
        return variables.get(tp, t.Any)
    parameters = getattr(tp, "__parameters__", ())
    if not parameters or not t.get_args(tp):
        return tp
    return tp[tuple(variables.get(item, t.Any) for item in parameters)]
