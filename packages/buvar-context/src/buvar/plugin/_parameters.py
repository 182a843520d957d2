"""Fill the parameters of a plugin's ``prepare`` with components."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import types
import typing as t

from buvar import context
from buvar.components import ComponentLookupError

from ._errors import ParameterError
from ._resolve import Resolved


_EMPTY = inspect.Parameter.empty
_VARIADIC = (
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
)


def fill(
    plugin: Resolved, origin: types.FrameType
) -> tuple[list[t.Any], dict[str, t.Any]]:
    """
    Return the arguments to prepare a plugin with.

    Args:
        plugin: The plugin.
        origin: Where it was named: its classes may be local there.

    Raises:
        ParameterError: A parameter has no annotation or no component.
    """
    args: list[t.Any] = []
    kwargs: dict[str, t.Any] = {}
    for parameter in _signature(plugin.prepare).parameters.values():
        if parameter.kind in _VARIADIC:
            continue
        value = _value(plugin, parameter, origin)
        if value is _EMPTY:
            continue
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            args.append(value)
        else:
            kwargs[parameter.name] = value
    return args, kwargs


def _signature(func: t.Callable[..., t.Any]) -> inspect.Signature:
    if sys.version_info >= (3, 14):  # pragma: no cover - a newer Python
        from annotationlib import Format  # noqa: PLC0415

        return inspect.signature(func, annotation_format=Format.FORWARDREF)
    return inspect.signature(func)


def _value(
    plugin: Resolved, parameter: inspect.Parameter, origin: types.FrameType
) -> t.Any:
    if parameter.annotation is _EMPTY:
        if parameter.default is not _EMPTY:
            return _EMPTY
        raise ParameterError(
            plugin.name, parameter.name, "it has no annotation."
        )
    wanted = _evaluate(plugin, parameter, origin)
    missing: ComponentLookupError | None = None
    for kind in _alternatives(wanted):
        if kind is types.NoneType:
            return _EMPTY if parameter.default is not _EMPTY else None
        try:
            return context.get(kind)
        except ComponentLookupError as error:
            missing = error
    if parameter.default is not _EMPTY:
        return _EMPTY
    reason = str(missing).rpartition("\n")[0]
    raise ParameterError(plugin.name, parameter.name, reason) from missing


def _alternatives(wanted: t.Any) -> tuple[t.Any, ...]:
    """Take a union apart, ``None`` being its last resort."""
    if t.get_origin(wanted) in (t.Union, types.UnionType):
        members = t.get_args(wanted)
        return tuple(sorted(members, key=lambda kind: kind is types.NoneType))
    return (wanted,)


def _evaluate(
    plugin: Resolved, parameter: inspect.Parameter, origin: types.FrameType
) -> t.Any:
    """Turn an annotation that is still text into what it means."""
    wanted = parameter.annotation
    # What Python 3.14 could evaluate of it stands there under made-up names.
    values: dict[str, t.Any] = {}
    if isinstance(wanted, t.ForwardRef):
        values = getattr(wanted, "__extra_names__", None) or {}
        wanted = wanted.__forward_arg__
    if not isinstance(wanted, str):
        return wanted
    func = _innermost(plugin.prepare)
    known = {**_closure(func), **values}
    try:
        try:
            return eval(wanted, func.__globals__, known)  # noqa: S307
        except NameError:
            # A class that is local to the function which names the plugin.
            known = {**origin.f_locals, **known}
            return eval(wanted, func.__globals__, known)  # noqa: S307
    except Exception as error:
        for made_up, value in values.items():
            wanted = wanted.replace(made_up, _written(value))
        reason = (
            f"its annotation {wanted!r} cannot be evaluated, "
            f"{type(error).__name__}: {error}."
        )
        raise ParameterError(plugin.name, parameter.name, reason) from error


def _written(value: t.Any) -> str:
    """Return a type as it reads in an annotation."""
    if isinstance(value, type) and not t.get_args(value):
        return value.__qualname__
    return repr(value)


def _closure(func: types.FunctionType) -> dict[str, t.Any]:
    """Return the variables of enclosing functions that are bound by now."""
    cells = zip(func.__code__.co_freevars, func.__closure__ or (), strict=True)
    found: dict[str, t.Any] = {}
    for name, cell in cells:
        with contextlib.suppress(ValueError):
            found[name] = cell.cell_contents
    return found


def _innermost(func: t.Any) -> types.FunctionType:
    """Return the function that was written with the annotations."""
    while True:
        if isinstance(func, functools.partial):
            func = func.func
        elif inspect.ismethod(func):
            func = func.__func__
        elif hasattr(func, "__wrapped__"):
            func = func.__wrapped__
        elif not inspect.isfunction(func):
            func = type(func).__call__
        else:
            return func
