"""Run coroutines in the background, some at a time."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import typing as t

from buvar import context
from buvar.components import spi
from buvar.plugin._errors import PluginError
from buvar.plugin._tasks import discard
from buvar.plugin._teardown import Teardown


T = t.TypeVar("T")

_log = logging.getLogger("buvar.plugin.jobs")


class JobsClosedError(PluginError, RuntimeError):
    """A job was added after the jobs were ended."""

    exit_code = 1

    def __str__(self) -> str:
        """Say what happened and the cure."""
        return (
            "No job can be added any more, the stage is being torn down.\n"
            "Await the work instead, or add it before plugin.Cancel is set."
        )


class Jobs:
    """
    Runs coroutines in the background, at most ``limit`` at a time.

    A job runs on a layer of its own over the layer of the plugins, also where
    a request adds it: it may outlive the request, whose layer it does not
    see. What it needs of the request it is given as arguments. Other context
    variables are those of the code that adds it.

    A job that fails is logged. Jobs end when ``close()`` is called: they
    get ``timeout`` seconds, are then cancelled.

    Args:
        limit: How many run at the same time; more of them wait.
        timeout: Seconds that jobs get to end by themselves.
    """

    def __init__(self, limit: int = 20, timeout: float = 10.0) -> None:
        if limit < 1:
            msg = f"At least one job has to run at a time, not {limit}."
            raise ValueError(msg)
        self._limit = limit
        self._timeout = timeout
        self._turn = asyncio.Semaphore(limit)
        self._tasks: set[asyncio.Task[t.Any]] = set()
        self._closed = False

    def __len__(self) -> int:
        """Return how many jobs run or wait."""
        return len(self._tasks)

    def add(
        self, job: t.Coroutine[t.Any, t.Any, T], *, name: str | None = None
    ) -> asyncio.Task[T]:
        """
        Run a coroutine in the background and return its task.

        Args:
            job: The coroutine.
            name: The name of its task.

        Raises:
            JobsClosedError: The jobs have been ended.
            TypeError: It is not a coroutine.
        """
        if not inspect.iscoroutine(job):
            msg = f"A job is a coroutine, not {job!r}."
            raise TypeError(msg)
        if self._closed:
            discard(job)
            raise JobsClosedError
        task = _over_the_plugins().run(
            asyncio.get_running_loop().create_task,
            self._run(job),
            name=name or job.__qualname__,
        )
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._ended(task, job))
        return task

    async def _run(self, job: t.Coroutine[t.Any, t.Any, T]) -> T:
        async with self._turn, context.child():
            return await job

    def _ended(
        self,
        task: asyncio.Task[t.Any],
        job: t.Coroutine[t.Any, t.Any, t.Any],
    ) -> None:
        self._tasks.discard(task)
        discard(job)
        if not task.cancelled() and task.exception() is not None:
            _log.error(
                "The job %r failed.",
                task.get_name(),
                exc_info=task.exception(),
                extra={"job": task.get_name()},
            )

    async def join(self) -> None:
        """Wait until there are no jobs."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Take no more jobs and end those there are."""
        self._closed = True
        tasks = set(self._tasks)
        if not tasks:
            return
        try:
            _, tasks = await asyncio.wait(tasks, timeout=self._timeout)
        finally:
            for task in tasks:
                task.cancel()
        if tasks:
            _log.warning(
                "%d jobs were cancelled after %g seconds.",
                len(tasks),
                self._timeout,
            )
            await asyncio.wait(tasks, timeout=self._timeout)


def _over_the_plugins() -> contextvars.Context:
    """Return the context of now, but for the layers above the plugins'."""
    copy = contextvars.copy_context()
    layer = spi.stage_of(context.current_context())
    copy.run(context.buvar_context.set, layer)
    return copy


async def prepare(teardown: Teardown) -> None:
    """Add ``Jobs`` unless there are some, end them at teardown."""
    jobs = context.get(Jobs, default=None)
    if jobs is None:
        jobs = context.add(Jobs())
    teardown.add(jobs.close)
