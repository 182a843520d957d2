"""One spelling for types that are the same, however they are written."""

from __future__ import annotations

import typing as t

from buvar.di._errors import AnnotationError

from .generics import dependent


#: Aliases of these are the same in ``typing`` and outside of it.
PLAIN = frozenset({"builtins", "collections", "collections.abc"})


def unalias(annotation: t.Any) -> t.Any:
    """
    Look through ``type X = ...`` statements, ``X[T]`` included.

    Raises:
        AnnotationError: It names what is not defined.
    """
    origin = t.get_origin(annotation) or annotation
    while type(origin).__name__ == "TypeAliasType":
        try:
            value = origin.__value__
        except NameError as error:
            raise AnnotationError(repr(origin), str(error)) from error
        args = t.get_args(annotation)
        annotation = value[args] if args else value
        origin = t.get_origin(annotation) or annotation
    return annotation


def normal(annotation: t.Any) -> t.Any:
    """Spell ``typing.List[T]`` and ``list[T]`` the same, and name no alias."""
    if isinstance(annotation, type):
        return annotation
    annotation = unalias(annotation)
    origin = t.get_origin(annotation)
    if not isinstance(origin, type):
        return annotation
    args = tuple(map(_normal_argument, dependent(annotation)))
    if origin.__module__ in PLAIN:
        return origin[args] if args else origin  # type: ignore[index]
    return annotation if args == t.get_args(annotation) else origin[args]  # type: ignore[index]


def _normal_argument(arg: t.Any) -> t.Any:
    if arg.__class__ is list:
        return [_normal_argument(item) for item in arg]
    if arg.__class__ is tuple:
        return tuple(_normal_argument(item) for item in arg)
    # An alias that holds itself has no other name.
    return arg if _is_endless(arg, ()) else normal(arg)


def _is_endless(tp: t.Any, inside: tuple[t.Any, ...]) -> bool:
    if tp in inside:
        return True
    value = unalias(tp)
    if value is not tp:
        inside = (*inside, tp)
    return any(_is_endless(arg, inside) for arg in t.get_args(value))
