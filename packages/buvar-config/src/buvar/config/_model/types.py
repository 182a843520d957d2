"""Resolve annotations: aliases, variables, names yet to be defined."""

from __future__ import annotations

import sys
import typing as t

from buvar.config._errors import config_error


TypeVars: t.TypeAlias = dict[t.Any, t.Any]

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
    return substitute(value, _filled(alias.__type_params__, arguments))


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


def hints(cls: t.Any) -> dict[str, t.Any]:
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
            # A class that was made without types has `typing.Any`.
            cls,
            localns={"typing": t, **_running_names()},
            include_extras=True,
        )
    except Exception as error:  # noqa: BLE001 - annotations are programs
        raise _unresolved(cls, error) from None


def _unresolved(cls: t.Any, error: Exception) -> Exception:
    return config_error(
        f"the annotations of {cls.__qualname__} cannot be resolved: {error}",
        cure="Import the missing names in the module of the class.",
    )


#: The package that this file is below: what its functions call things.
_OURS: t.Final = __name__.partition("._")[0]


def _running_names() -> dict[str, t.Any]:
    names: dict[str, t.Any] = {}
    frame = sys._getframe(1)  # noqa: SLF001 - the only way to locals
    while frame is not None:
        package = frame.f_globals.get("__package__") or ""
        if package.partition("._")[0] != _OURS:
            names = {**frame.f_locals, **names}
        frame = t.cast("t.Any", frame.f_back)
    return names


def type_variables(tp: t.Any) -> TypeVars:
    """Map the variables of a class and its bases to what they stand for."""
    cls, given = origin(tp), arguments(tp)
    variables = _filled(getattr(cls, "__parameters__", ()), given)
    for base in getattr(cls, "__orig_bases__", ()):
        if t.get_origin(base) not in (None, t.Generic, t.Protocol):
            variables = {
                **type_variables(substitute(base, variables)),
                **variables,
            }
    return variables


def _filled(
    parameters: t.Sequence[t.Any], given: tuple[t.Any, ...]
) -> TypeVars:
    variables: TypeVars = {}
    for number, parameter in enumerate(parameters):
        variables[parameter] = (
            given[number]
            if number < len(given)
            else _unbound(parameter, variables)
        )
    return variables


def _unbound(parameter: t.Any, variables: TypeVars) -> t.Any:
    """Return what a parameter stands for that is not given."""
    # From Python 3.13 on, or of typing_extensions.
    has_default = getattr(parameter, "has_default", None)
    if has_default is not None and has_default():
        return substitute(parameter.__default__, variables)
    bound = getattr(parameter, "__bound__", None)
    constraints = getattr(parameter, "__constraints__", ())
    return bound or (t.Union[constraints] if constraints else t.Any)  # noqa: UP007 - of a tuple


def substitute(tp: t.Any, variables: TypeVars) -> t.Any:
    if isinstance(tp, t.TypeVar):
        return variables.get(tp, t.Any)
    parameters = getattr(tp, "__parameters__", ())
    if not parameters or not t.get_args(tp):
        return tp
    return tp[tuple(variables.get(item, t.Any) for item in parameters)]
