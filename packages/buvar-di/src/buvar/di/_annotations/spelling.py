"""One spelling for types that are the same, however they are written."""

from __future__ import annotations

import contextlib
import typing as t

from buvar.di._errors import AnnotationError

from .generics import dependent


#: Aliases of these are the same in ``typing`` and outside of it.
PLAIN = frozenset({"builtins", "collections", "collections.abc"})
#: Names that ``typing`` has only once they were asked for.
_LATE: t.Final = ("AsyncContextManager", "ContextManager", "Match", "Pattern")
#: What ``typing`` has other names for, such as ``List``, with those.
_TYPING: t.Final[dict[t.Any, t.Any]] = {
    t.get_origin(alias): alias
    for alias in (*vars(t).values(), *(getattr(t, name) for name in _LATE))
    if isinstance(t.get_origin(alias), type)
    and t.get_origin(alias) is not t.Generic
    and not t.get_args(alias)
}
_ABSTRACT: t.Final = {
    cls: alias
    for cls, alias in _TYPING.items()
    if cls.__module__ != "builtins"
}
#: Each has its own name.
_NAMES: t.Final[dict[t.Any, t.Any]] = {}


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
    if origin.__module__ in PLAIN or origin in _TYPING:
        return origin[args] if args else origin  # type: ignore[index]
    return annotation if args == t.get_args(annotation) else origin[args]  # type: ignore[index]


def _normal_argument(arg: t.Any) -> t.Any:
    if arg.__class__ is list:
        return [_normal_argument(item) for item in arg]
    if arg.__class__ is tuple:
        return tuple(_normal_argument(item) for item in arg)
    if arg is None:
        # As typing has it, unlike the aliases of Python itself.
        return type(None)
    # An alias that holds itself has no other name.
    return arg if _is_endless(arg, ()) else normal(arg)


def _is_endless(tp: t.Any, inside: tuple[t.Any, ...]) -> bool:
    if tp in inside:
        return True
    value = unalias(tp)
    if value is not tp:
        inside = (*inside, tp)
    return any(_is_endless(arg, inside) for arg in t.get_args(value))


def spellings(key: t.Any) -> tuple[t.Any, ...]:
    """
    List other ways in which an alias may have been written.

    The context knows what was added by what was written there: with the names
    of ``typing`` everywhere, for all but built-in classes, or outermost only;
    and with ``None``, which ``typing`` makes its class.

    Args:
        key: A type as ``normal`` spells it.
    """
    if not isinstance(t.get_origin(key), type):
        return ()
    found: dict[t.Any, None] = {}
    # Not every alias takes what others do.
    with contextlib.suppress(TypeError):
        for names, inner in (
            (_TYPING, _TYPING),
            (_ABSTRACT, _ABSTRACT),
            (_TYPING, _NAMES),
            (_NAMES, _NAMES),
        ):
            found[_respelled(key, names, inner)] = None
    found.pop(key, None)
    return tuple(found)


def _respelled(
    tp: t.Any, names: t.Mapping[t.Any, t.Any], inner: t.Mapping[t.Any, t.Any]
) -> t.Any:
    if tp is type(None):
        return None
    if tp.__class__ is list:
        return [_respelled(item, inner, inner) for item in tp]
    origin, args = t.get_origin(tp), t.get_args(tp)
    if not isinstance(origin, type) or not args:
        return tp
    args = tuple(_respelled(arg, inner, inner) for arg in args)
    return names.get(origin, origin)[args]
