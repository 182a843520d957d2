"""
Go on in the context of the task that began.

A generator may set a context variable before its ``yield`` and reset it
behind: that works in one context only. The layer it ends with may be ended by
another task, so the second half runs in the context of the first.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import types
import typing as t

from ._current import buvar_context
from ._impl import Components


Task: t.TypeAlias = "asyncio.Task[t.Any]"


def _quick() -> t.Callable[[], Task | None]:
    """Return what each request asks twice: C since Python 3.12 only."""
    if sys.version_info >= (3, 12):
        return asyncio.current_task
    tasks: t.Callable[[object], Task | None]
    tasks = vars(asyncio.tasks)["_current_tasks"].get
    loop = vars(asyncio.events)["_get_running_loop"]

    def current_task() -> Task | None:
        """Return the task that runs, see ``asyncio.current_task``."""
        return tasks(loop())

    return current_task


#: Raises ``RuntimeError`` where no event loop runs, or returns ``None``.
current_task: t.Final = _quick()


T = t.TypeVar("T")


def builder() -> Task | None:
    """Return the task that runs, to be noted before something is begun."""
    try:
        return current_task()
    except RuntimeError:
        # Driven by hand, in no event loop.
        return None


def foreign_context(task: Task | None) -> contextvars.Context | None:
    """Return the context of a task, ``None`` if it is that of now."""
    if task is None or task is builder():
        return None
    context = _context_of(task)
    if context is None:  # pragma: no cover - a task of another kind
        return None
    try:
        context.run(int)
    except RuntimeError:
        # Started eagerly within a step of that very task.
        return None
    return context


def _context_of(task: Task) -> contextvars.Context | None:
    get: t.Callable[[], contextvars.Context] | None = getattr(
        task, "get_context", None
    )
    if get is not None:
        return get()
    # Before Python 3.12 it is known to the garbage collector only; the first
    # is that of the task, others belong to its callbacks.
    found = (
        referent
        for referent in gc.get_referents(task)
        if isinstance(referent, contextvars.Context)
    )
    return next(found, None)


def run_in(
    context: contextvars.Context,
    layer: Components,
    function: t.Callable[..., T],
    *args: t.Any,
) -> T:
    """
    Call a function in another context, which sees a layer meanwhile.

    Args:
        context: The context; that of a task that may go on afterwards.
        layer: The layer that ends.
        function: What to call.
        args: Its arguments.
    """

    def call() -> T:
        token = buvar_context.set(layer)
        try:
            return function(*args)
        finally:
            buvar_context.reset(token)

    return context.run(call)


@types.coroutine
def await_in(
    context: contextvars.Context,
    layer: Components,
    coro: t.Coroutine[t.Any, t.Any, T],
) -> t.Generator[t.Any, t.Any, T]:
    """Await a coroutine in another context, see ``run_in``."""
    step: t.Callable[[t.Any], t.Any] = coro.send
    value: t.Any = None
    while True:
        try:
            awaited = run_in(context, layer, step, value)
        except StopIteration as end:
            return t.cast("T", end.value)
        try:
            value, step = (yield awaited), coro.send
        except BaseException as error:  # noqa: BLE001 - thrown in below
            value, step = error, coro.throw
