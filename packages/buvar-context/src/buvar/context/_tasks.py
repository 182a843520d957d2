"""Give each task a layer of its own."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import typing as t

from buvar.components._current import buvar_context


Coro: t.TypeAlias = t.Coroutine[t.Any, t.Any, t.Any]


class LayerTaskFactory:
    """
    Creates tasks that see a layer of their own.

    A task that is given a context explicitly keeps it as it is: whoever
    passes one wants to share it.

    Attributes:
        inner: The factory that was set before.
    """

    def __init__(self, inner: t.Callable[..., t.Any] | None) -> None:
        self.inner = inner

    def __call__(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coro,
        *,
        context: contextvars.Context | None = None,
        **options: t.Any,
    ) -> asyncio.Future[t.Any]:
        """Create a task, see ``loop.set_task_factory``."""
        if context is not None:
            options["context"] = context
            return self._create(loop, coro, **options)
        # The task copies this copy once more, which costs next to nothing,
        # and the inner factory need not know of contexts.
        context = contextvars.copy_context()
        context.run(_push)
        return context.run(self._create, loop, coro, **options)

    def _create(
        self, loop: asyncio.AbstractEventLoop, coro: Coro, **options: t.Any
    ) -> asyncio.Future[t.Any]:
        if self.inner is None:
            return asyncio.Task(coro, loop=loop, **options)
        return t.cast(
            "asyncio.Future[t.Any]", self.inner(loop, coro, **options)
        )


def _push() -> None:
    buvar_context.set(buvar_context.get().push())


def set_task_factory(loop: asyncio.AbstractEventLoop | None = None) -> None:
    """
    Give each task created from now on a layer of its own.

    What a task adds is seen by the tasks it starts, not by its siblings. A
    factory that was set before, such as that of eager tasks, is kept inside.

    Args:
        loop: The event loop, by default the running one.
    """
    loop = loop or asyncio.get_running_loop()
    factory = loop.get_task_factory()
    if not isinstance(factory, LayerTaskFactory):
        loop.set_task_factory(
            t.cast("t.Any", LayerTaskFactory(t.cast("t.Any", factory)))
        )


@contextlib.contextmanager
def task_layers(
    loop: asyncio.AbstractEventLoop,
) -> t.Generator[None, None, None]:
    """Give each task a layer for the length of a block."""
    before = loop.get_task_factory()
    set_task_factory(loop)
    ours = loop.get_task_factory()
    try:
        yield
    finally:
        if ours is not before and loop.get_task_factory() is ours:
            loop.set_task_factory(before)
