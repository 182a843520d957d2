"""The names that the annotations of an implementation may mean."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import sys
import types
import typing as t

from .classes import class_of


_INIT: t.Any = object.__init__
_NEW: t.Any = object.__new__

#: The names an annotation is looked up in, nearest first.
Scopes: t.TypeAlias = list[t.Mapping[str, t.Any]]


def function_of(implementation: t.Any) -> t.Any:
    """Return the function whose annotations count."""
    built = class_of(implementation)
    if built is not None:
        cls = t.get_origin(built) or built
        init: t.Any = getattr(cls, "__init__")  # noqa: B009
        new: t.Any = cls.__new__
        return new if init is _INIT and new is not _NEW else init
    if isinstance(implementation, functools.partial):
        return function_of(implementation.func)
    if isinstance(implementation, (types.FunctionType, types.MethodType)):
        return inspect.unwrap(implementation)
    if inspect.isbuiltin(implementation):
        return implementation
    if hasattr(implementation, "__wrapped__"):
        return inspect.unwrap(implementation)
    return type(implementation).__call__


def scopes_of(implementation: t.Any, frame: types.FrameType) -> Scopes:
    """Collect the names that an implementation's annotations may mean."""
    function = function_of(implementation)
    function = getattr(function, "__func__", function)
    # From Python 3.14 on annotations are a function of their own.
    closure = _Closure(function, getattr(function, "__annotate__", None))
    place: str = getattr(function, "__qualname__", "")
    mro = classes_of(implementation)
    local = _locals(place, frame)
    if mro and "<locals>" not in place:
        local = _locals(mro[0].__qualname__, frame)
    names: dict[str, t.Any] = getattr(function, "__globals__", {})
    # As the compiler would: the body of the class, what is local to a
    # function, the module.
    home = place.rpartition(".")[0]
    classes = [cls for cls in mro if cls.__qualname__ == home]
    classes = classes or _named(home, [*local, names])
    near = local if "<locals>" in place else []
    # A constructor may be that of a generic base.
    parameters: dict[str, t.Any] = {
        variable.__name__: variable
        for owner in (*classes, implementation, function)
        for variable in getattr(owner, "__type_params__", ())
    }
    scopes: Scopes = [closure, parameters]
    scopes += [*map(_nested, classes), *near, names]
    for cls in mro:
        module = sys.modules.get(cls.__module__)
        scopes.append({cls.__name__: cls})
        scopes += [vars(module)] if module else []
        scopes.append(_nested(cls))
    return scopes + local


def classes_of(implementation: t.Any) -> tuple[type, ...]:
    """Return the classes that a constructor or a method may be of."""
    owner = class_of(implementation)
    owner = t.get_origin(owner) or owner
    if owner is None and isinstance(implementation, types.MethodType):
        owner = implementation.__self__
        owner = owner if isinstance(owner, type) else type(owner)
    mro: tuple[type, ...] = getattr(owner, "__mro__", ())
    return mro[:-1]


def _named(home: str, scopes: Scopes) -> list[t.Any]:
    """Find the class that a function was written in."""
    first, *rest = home.rpartition("<locals>.")[2].split(".")
    found = next((scope[first] for scope in scopes if first in scope), None)
    for name in rest:
        found = getattr(found, name, None)
    return [found] if isinstance(found, type) else []


def _nested(cls: type) -> dict[str, t.Any]:
    """Return the classes written in a class."""
    return {
        name: member
        for name, member in vars(cls).items()
        if isinstance(member, type)
    }


class _Closure(collections.abc.Mapping[str, t.Any]):
    """
    The variables of enclosing functions, as they are at the moment.

    What is not bound yet may be later: the cells are kept, not copied.
    """

    def __init__(self, *functions: t.Any) -> None:
        self._cells: dict[str, types.CellType] = {}
        for function in functions:
            code = getattr(function, "__code__", None)
            names = getattr(code, "co_freevars", ())
            cells = getattr(function, "__closure__", None) or ()
            self._cells.update(zip(names, cells, strict=False))

    def __getitem__(self, name: str) -> t.Any:
        try:
            return self._cells[name].cell_contents
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> t.Iterator[str]:
        return (name for name in self._cells if name in self)

    def __len__(self) -> int:
        return len(tuple(self))


def _locals(place: str, frame: types.FrameType) -> Scopes:
    """Copy the locals of the registering frame and of the defining one."""
    found: Scopes = []
    while "<locals>" in place:
        place = place.rpartition(".<locals>")[0]
        outer: types.FrameType | None = frame
        while outer is not None:
            if outer.f_code.co_qualname == place:
                found.append(dict(outer.f_locals))
                break
            outer = outer.f_back
    return [*found, dict(frame.f_locals), frame.f_globals]
