"""Type variables: which there are, and what they stand for."""

from __future__ import annotations

import types
import typing as t


#: What type variables stand for: types, tuples of them where one stands for
#: several (``*Ts``, ``**P``).
Bindings: t.TypeAlias = dict[t.Any, t.Any]


def parameters(tp: t.Any) -> tuple[t.Any, ...]:
    """Return the free type variables of a type."""
    found: tuple[t.Any, ...] = getattr(tp, "__parameters__", ())
    # A class may have a property of that name.
    return found if type(found) is tuple else ()


def is_open(tp: t.Any) -> bool:
    """Tell whether a type is one only once its variables stand for some."""
    return isinstance(tp, t.TypeVar) or bool(parameters(tp))


def opened(cls: t.Any) -> t.Any:
    """Give a bare generic class its own type variables as arguments."""
    free = tuple(
        t.Unpack[parameter]
        if isinstance(parameter, t.TypeVarTuple)
        else parameter
        for parameter in parameters(cls)
    )
    return cls[free] if free else cls


def is_several(tp: t.Any) -> bool:
    """Tell whether it is ``*Ts``, which stands for several types."""
    return t.get_origin(tp) is t.Unpack and isinstance(
        t.get_args(tp)[0], t.TypeVarTuple
    )


def arguments(alias: t.Any) -> Bindings:
    """Return what an alias says the variables of its class stand for."""
    variables = parameters(t.get_origin(alias))
    given = list(t.get_args(alias))
    found: Bindings = {}
    for number, variable in enumerate(variables):
        if isinstance(variable, t.TypeVarTuple):
            rest = len(variables) - number - 1
            end = len(given) - rest
            found[variable], given = tuple(given[:end]), given[end:]
        elif given:
            found[variable] = _hashable(given.pop(0))
    return {**defaults(variables, found), **found}


def _hashable(argument: t.Any) -> t.Any:
    return tuple(argument) if argument.__class__ is list else argument


def defaults(
    variables: t.Iterable[t.Any], bindings: Bindings | None = None
) -> Bindings:
    """
    Return what type variables stand for if nothing says it.

    Args:
        variables: The type variables; those without a default are left out.
        bindings: What others stand for: a default may mention them.
    """
    found = dict(bindings or {})
    for variable in variables:
        has_default = getattr(variable, "has_default", None)
        if variable in found or has_default is None or not has_default():
            continue
        default = variable.__default__
        if isinstance(variable, t.TypeVarTuple):
            # Written as "*tuple[int, str]".
            inner = t.get_args(default)
            packed = inner[0] if t.get_origin(default) is t.Unpack else default
            default = t.get_args(packed)
        elif isinstance(variable, t.TypeVar):
            default = substitute(default, found)
        found[variable] = _hashable(default)
    return found


def replaced(tp: t.Any, old: t.Any, new: t.Any) -> t.Any:
    """Put a class in the place of ``Self`` or of what stands for it."""
    if tp is old:
        return new
    args = t.get_args(tp)
    made = tuple(replaced(arg, old, new) for arg in args)
    if made == args:
        return tp
    if isinstance(tp, types.UnionType):
        return t.Union[made]  # noqa: UP007 - of a tuple
    return t.get_origin(tp)[made]


def dependent(alias: t.Any) -> tuple[t.Any, ...]:
    """
    Return the arguments of an alias, its own variables replaced.

    With ``class Box[T, U = list[T]]`` Python says of ``Box[int]`` that it is
    ``Box[int, list[T]]``.
    """
    args = t.get_args(alias)
    variables = parameters(t.get_origin(alias))
    if any(map(is_several, args)) or len(variables) != len(args):
        return args
    if not defaults(variables):
        return args
    bindings = dict(zip(variables, args, strict=True))
    return tuple(
        arg if arg is variable else substitute(arg, bindings)
        for variable, arg in zip(variables, args, strict=True)
    )


def substitute(tp: t.Any, bindings: Bindings) -> t.Any:
    """Put types in the place of type variables."""
    if not bindings:
        return tp
    if isinstance(tp, t.TypeVar):
        return bindings.get(tp, tp)
    free = parameters(tp)
    if not free or isinstance(tp, type):
        return tp
    items: list[t.Any] = []
    for variable in free:
        value = bindings.get(variable, variable)
        if not isinstance(variable, t.TypeVarTuple):
            is_list = (
                isinstance(variable, t.ParamSpec) and value.__class__ is tuple
            )
            items.append(list(value) if is_list else value)
        elif value is variable:
            items.append(t.Unpack[variable])
        else:
            items += value
    try:
        return tp[tuple(items)]
    except TypeError:
        # Python refuses an empty list of parameters further in.
        inner = tuple(_inner(arg, bindings) for arg in t.get_args(tp))
        return t.get_origin(tp)[inner]


def _inner(argument: t.Any, bindings: Bindings) -> t.Any:
    """Put types in the place of type variables, lists of them as well."""
    if isinstance(argument, t.ParamSpec):
        value = bindings.get(argument, argument)
        return list(value) if value.__class__ is tuple else value
    if t.get_origin(argument) is t.Concatenate:
        *first, last = t.get_args(argument)
        rest = _inner(last, bindings)
        if isinstance(rest, list):
            return [*(substitute(tp, bindings) for tp in first), *rest]
    return substitute(argument, bindings)
