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
    for parameter in signature(plugin.prepare).parameters.values():
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


def signature(func: t.Callable[..., t.Any]) -> inspect.Signature:
    """Return a signature, whose annotations may name what is not there."""
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
        raise _error(plugin, parameter, "it has no annotation.")
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
    raise _error(plugin, parameter, reason) from missing


#: What to do about a parameter that is not filled.
_GIVE: t.Final = (
    "Annotate it with the type of a component that is in the context by then, "
    "e.g. plugin.Loader, or give it a default."
)


def _error(
    plugin: Resolved,
    parameter: inspect.Parameter,
    reason: str,
    cure: str = _GIVE,
) -> ParameterError:
    code = _innermost(plugin.prepare).__code__
    return ParameterError(
        plugin.name,
        parameter.name,
        reason,
        cure,
        file=code.co_filename,
        line=code.co_firstlineno,
    )


def _alternatives(wanted: t.Any) -> tuple[t.Any, ...]:
    """Take a union apart, ``None`` being its last resort."""
    if t.get_origin(wanted) in (t.Union, types.UnionType):
        members = t.get_args(wanted)
        return tuple(sorted(members, key=lambda kind: kind is types.NoneType))
    return (wanted,)


def _evaluate(
    plugin: Resolved, parameter: inspect.Parameter, origin: types.FrameType
) -> t.Any:
    """Turn what is still text in an annotation into what it means."""
    func = _innermost(plugin.prepare)

    def evaluate(text: str, values: dict[str, t.Any]) -> t.Any:
        known = {**_closure(func), **values}
        with contextlib.suppress(NameError):
            return eval(text, func.__globals__, known)  # noqa: S307
        # A class that is local to the function which names the plugin.
        known = {**origin.f_locals, **known}
        return eval(text, func.__globals__, known)  # noqa: S307

    try:
        return _resolved(parameter.annotation, evaluate)
    except Exception as error:  # noqa: BLE001 - annotations are programs
        wanted = _text(parameter.annotation)
        said = f"{type(error).__name__}: {error}"
        reason = f"its annotation {wanted!r} cannot be evaluated, {said}."
        cure = _GIVE
        if isinstance(error, NameError):
            cure = (
                "Define or import the name where the plugin is defined, not "
                "only for type checkers (TYPE_CHECKING): it is looked up "
                "when the plugin is prepared."
            )
        raise _error(plugin, parameter, reason, cure) from (
            None if isinstance(error, NameError) else error
        )


def _resolved(tp: t.Any, evaluate: t.Callable[..., t.Any]) -> t.Any:
    """Evaluate a type, and what is still text within it."""
    if isinstance(tp, str):
        return _resolved(evaluate(tp, {}), evaluate)
    if isinstance(tp, t.ForwardRef):
        # What Python 3.14 could evaluate stands there under made-up names.
        values: dict[str, t.Any] = getattr(tp, "__extra_names__", None) or {}
        return _resolved(evaluate(tp.__forward_arg__, values), evaluate)
    cls = t.get_origin(tp)
    if cls is None or cls is t.Literal:
        return tp
    args = t.get_args(tp)
    if cls is t.Annotated:
        return _resolved(args[0], evaluate)
    made = tuple(
        _resolved(arg, evaluate) if isinstance(arg, _PARTS) else arg
        for arg in args
    )
    if any(part is not other for part, other in zip(made, args, strict=True)):
        is_union = cls in (t.Union, types.UnionType)
        return t.Union[made] if is_union else cls[made]  # noqa: UP007 - a tuple
    return tp


#: What an argument of a type may be that has text in it.
_PARTS: t.Final = (
    str,
    t.ForwardRef,
    types.GenericAlias,
    types.UnionType,
    type(t.List[int]),  # noqa: UP006 - the class of it
    type(t.Optional[int]),  # noqa: UP045 - the class of it
)


def _text(tp: t.Any) -> str:
    """Return an annotation as it was written, or much like that."""
    if isinstance(tp, str):
        return tp
    if isinstance(tp, t.ForwardRef):
        text = tp.__forward_arg__
        values: dict[str, t.Any] = getattr(tp, "__extra_names__", None) or {}
        for name, value in values.items():
            text = text.replace(name, _written(value))
        return text
    cls, args = t.get_origin(tp), ", ".join(map(_text, t.get_args(tp)))
    return _written(tp) if cls is None else f"{_written(cls)}[{args}]"


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
