"""The kinds of implementations, and those that cannot be registered."""

from __future__ import annotations

import contextlib
import enum
import functools
import inspect
import types
import typing as t

from buvar.di._annotations.classes import class_of
from buvar.di._errors import RegisterError


Scope: t.TypeAlias = t.Literal["call", "layer", "stage"]
SCOPES: t.Final = ("call", "layer", "stage")


class Kind(enum.Enum):
    """How an implementation gives its object."""

    CLASS = "class"
    CALL = "call"
    AWAIT = "await"
    YIELD = "yield"
    ASYNC_YIELD = "async yield"


def check(implementation: t.Any, scope: str) -> None:
    """Refuse what can never work."""
    if scope not in SCOPES:
        msg = f"scope is one of {', '.join(SCOPES)}, not {scope!r}"
        raise ValueError(msg)
    if type(implementation) is classmethod:
        raise RegisterError(
            t.cast("object", implementation),
            "the class of the classmethod is not known here",
            "register it from outside of the class: di.register(Cls.method)",
        )
    if not callable(implementation):
        raise RegisterError(
            implementation,
            "it is not callable",
            "add an object with context.add(item)",
        )
    if isinstance(implementation, type):
        if getattr(implementation, "_is_protocol", False):
            reason = "it is a protocol"
        elif inspect.isabstract(implementation):
            missing = ", ".join(
                sorted(getattr(implementation, "__abstractmethods__", ()))
            )
            reason = f"it is abstract, {missing} is missing"
        else:
            return
        raise RegisterError(
            implementation,
            reason,
            "register what implements it, with provides= if it does not "
            "inherit from it",
        )


#: What contextlib makes of a generator function.
_HELPERS: t.Final = tuple(
    t.cast("t.Any", make)(lambda: None).__code__
    for make in (contextlib.contextmanager, contextlib.asynccontextmanager)
)


def plain(implementation: t.Any) -> t.Any:
    """Take off what hides the function that is to be called."""
    if isinstance(implementation, staticmethod):
        implementation = t.cast("t.Any", implementation).__func__
    if getattr(implementation, "__code__", None) not in _HELPERS:
        return implementation
    function = implementation.__wrapped__
    if isinstance(implementation, types.MethodType):
        return types.MethodType(function, implementation.__self__)
    return function


def kind_of(implementation: t.Any) -> Kind:
    """Find out how an implementation gives its object."""
    if isinstance(implementation, type):
        plain = (
            t.cast("object", implementation.__new__) is object.__new__
            and type(implementation).__call__ is type.__call__
        )
        return Kind.CLASS if plain else Kind.CALL
    if class_of(implementation) is not None:
        return Kind.CALL
    target = implementation
    if isinstance(target, functools.partial):
        target = t.cast("t.Any", target).func
    function = target
    if not isinstance(target, (types.FunctionType, types.MethodType)):
        cls = t.cast("t.Any", type(target))
        function = getattr(cls, "__call__", target)  # noqa: B004
    function = getattr(function, "__func__", function)
    # A wrapper may make an async function of another, so it is asked first.
    function = inspect.unwrap(function, stop=_waits_or_yields)
    if inspect.isasyncgenfunction(function):
        return Kind.ASYNC_YIELD
    if inspect.isgeneratorfunction(function):
        return Kind.YIELD
    if inspect.iscoroutinefunction(function):
        return Kind.AWAIT
    return Kind.CALL


def _waits_or_yields(function: t.Any) -> bool:
    return (
        inspect.iscoroutinefunction(function)
        or inspect.isgeneratorfunction(function)
        or inspect.isasyncgenfunction(function)
    )
