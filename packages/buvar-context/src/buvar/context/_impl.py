"""The components of the running task, kept in one context variable."""

from __future__ import annotations

import contextvars
import functools
import typing as t

from buvar.components import Components
from buvar.components import Namespaces
from buvar.components._current import buvar_context
from buvar.components._types import MISSING


if t.TYPE_CHECKING:
    # Type checkers know it by themselves: nothing has to be installed.
    from typing_extensions import TypeForm


T = t.TypeVar("T")
D = t.TypeVar("D")
P = t.ParamSpec("P")

_current = buvar_context.get


def current_context() -> Components:
    """Return the stack of components that the running code sees."""
    return _current()


def add(
    item: T, namespace: t.Hashable | None = None, *, name: t.Hashable = None
) -> T:
    """Store a component in the current layer, see ``Components.add``."""
    return _current().add(item, namespace, name=name)


@t.overload
def get(namespace: type[T], *, name: t.Hashable = None) -> T: ...
@t.overload
def get(
    namespace: type[T], *, name: t.Hashable = None, default: D
) -> T | D: ...
@t.overload
def get(namespace: TypeForm[T], *, name: t.Hashable = None) -> T: ...
@t.overload
def get(
    namespace: TypeForm[T], *, name: t.Hashable = None, default: D
) -> T | D: ...
@t.overload
def get(
    namespace: t.Hashable, *, name: t.Hashable = None, default: t.Any = MISSING
) -> t.Any: ...
def get(
    namespace: t.Any, name: t.Hashable = None, default: t.Any = MISSING
) -> t.Any:
    """Return a component, see ``Components.get``."""
    # The hottest call there is: the usual case is written out, and only the
    # overloads say keyword-only, as binding such defaults costs a third more.
    if name is None:
        try:
            # It stands for a method of theirs, without a call.
            item = _current()._view[namespace]  # pyright: ignore[reportPrivateUsage]
        except KeyError:
            item = _current()._look(namespace)  # pyright: ignore[reportPrivateUsage]
        if item is not MISSING:
            return item
        if default is not MISSING:
            return default
    return _current().get(namespace, name=name, default=default)


@t.overload
def find(namespace: type[T]) -> dict[t.Hashable, T]: ...
@t.overload
def find(namespace: TypeForm[T]) -> dict[t.Hashable, T]: ...
@t.overload
def find(namespace: t.Hashable) -> dict[t.Hashable, t.Any]: ...
def find(namespace: t.Any) -> dict[t.Hashable, t.Any]:
    """Return all components of a namespace by name."""
    return _current().find(namespace)


def push(
    namespaces: Components | Namespaces | None = None,
    *stack: Components | Namespaces,
) -> Components:
    """
    Put a layer on the current context and return the new stack.

    It stays for the rest of the running task, or until ``pop()``; for a layer
    that ends with a block use ``child()``.

    Args:
        namespaces: What the new layer starts with.
        stack: More layers between it and the current context, top first.
    """
    components = _current().push(namespaces, *stack)
    buvar_context.set(components)
    return components


def pop() -> Components:
    """
    Take the top layer off the current context and return what is left.

    Raises:
        LastLayerError: There is only one layer.
    """
    components = _current().pop()
    buvar_context.set(components)
    return components


def run(func: t.Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """
    Call a function in a copy of the current context, on a layer of its own.

    What the function adds or pushes is not seen by the caller. A coroutine
    function gives its coroutine, which runs in the context that awaits it.
    """

    def call() -> T:
        push()
        return func(*args, **kwargs)

    return contextvars.copy_context().run(call)


def bind(func: t.Callable[P, T], /) -> t.Callable[P, T]:
    """
    Have a function see the context of now wherever it is called.

    ``asyncio.to_thread`` does that by itself, executors need it:
    ``loop.run_in_executor(pool, context.bind(work))``. Each call has a layer
    of its own.
    """
    context = contextvars.copy_context()

    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        # A context can be entered only once at a time, a copy always.
        return context.copy().run(run, func, *args, **kwargs)

    return functools.wraps(func)(bound)
