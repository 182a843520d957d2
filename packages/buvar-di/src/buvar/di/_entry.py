"""Functions that frameworks call, and the types that these bring along."""

from __future__ import annotations

import functools
import types
import typing as t

from buvar.components import spi

from ._current import buvar_adapters
from ._inject import inject
from ._registry.injected import injected_function


def expect(*types: t.Any) -> None:
    """
    Say that objects of some types will be in the context later.

    That is for what a layer gets when it is opened, such as the request that
    a web server handles. ``check`` takes these types and their bases as
    there, but not for what is kept in the stage: that outlives such a layer.

    Args:
        types: The types. The current registry remembers them.

    Example:
        >>> class Request: ...
        >>> expect(Request)
    """
    buvar_adapters.get().expect(types)


def add_entry_point(function: t.Any, /, *, positional: int = 0) -> bool:
    """
    Have ``check`` verify what a function under ``di.inject`` needs.

    The function is found behind bound methods, partials, objects with
    ``__call__`` and decorators that use ``functools.wraps``. The current
    registry holds it weakly.

    Args:
        function: What will be called, such as the handler of a route.
        positional: How many arguments its caller passes by position.

    Returns:
        Whether it is injected. Any other function is left alone.

    Raises:
        ValueError: The number of arguments is negative.
    """
    if positional < 0:
        msg = f"positional is a number of arguments, not {positional!r}"
        raise ValueError(msg)
    keywords: set[str] = set()
    while injected_function(function) is None:
        if isinstance(function, functools.partial):
            positional += len(function.args)
            keywords |= function.keywords.keys()
            function = function.func
        elif isinstance(function, types.MethodType):
            positional += 1
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif isinstance(function, (type, types.FunctionType)):
            return False
        else:
            cls = t.cast("t.Any", type(function))
            call = getattr(cls, "__call__", None)  # noqa: B004
            if not isinstance(call, types.FunctionType):
                return False
            positional += 1
            function = call
    buvar_adapters.get().enter(function, positional, frozenset(keywords))
    return True


def _inject_and_check(function: t.Any) -> t.Any:
    """Inject a function that a plugin hands over, and have it checked."""
    injected = inject(function)
    add_entry_point(injected)
    return injected


spi.set_injector(_inject_and_check)
