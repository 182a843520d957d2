"""Run the tasks that plugins gave, and end them in bounded time."""

from __future__ import annotations

import asyncio
import inspect
import logging
import typing as t

from ._errors import AbandonedTaskError
from ._errors import TaskError
from ._failure import Where
from ._failure import mark
from ._listeners import Listeners
from ._record import PluginRecord
from ._stack import stack_of
from ._state import Wakeup
from ._work import Work


_log = logging.getLogger("buvar.plugin")


class StageTask:
    """
    One task of a plugin.

    Attributes:
        record: The plugin that gave it.
        awaitable: What it gave.
        name: How the task is called.
        future: It, once it runs.
        abandoned: Why it was given up, if it was.
    """

    __slots__ = ("abandoned", "awaitable", "future", "name", "record")

    def __init__(
        self, record: PluginRecord, awaitable: t.Awaitable[t.Any]
    ) -> None:
        self.record = record
        self.awaitable = awaitable
        self.name = f"{record.plugin.name}:{_name(awaitable)}"
        self.future: asyncio.Future[t.Any] | None = None
        self.abandoned: AbandonedTaskError | None = None

    def close(self) -> None:
        """Give up what never ran, a coroutine would warn otherwise."""
        if asyncio.isfuture(self.awaitable):
            self.awaitable.cancel()
        else:
            discard(self.awaitable)

    def where(self) -> Where:
        """Say where its exceptions come from."""
        # Its name may have braces, which are not fields.
        name = repr(self.name).replace("{", "{{").replace("}", "}}")
        return self.record.where(
            f"In task {name} of {{}}",
            f"the task {name} of the {{}} failed",
            phase="task",
            task=self.name,
        )

    def result(self) -> t.Any:
        """Return what it returned, or its exception."""
        if self.abandoned is not None or self.future is None:
            return self.abandoned
        if not self.future.cancelled():
            return self.future.exception() or self.future.result()
        try:
            return self.future.result()
        except asyncio.CancelledError as error:
            return error


def _name(awaitable: t.Any) -> str:
    if isinstance(awaitable, asyncio.Task):
        return str(awaitable.get_name())
    name = getattr(awaitable, "__qualname__", None)
    return str(name or type(awaitable).__qualname__)


def discard(awaitable: object) -> None:
    """Close a coroutine that will not run."""
    if inspect.iscoroutine(awaitable):
        awaitable.close()


async def _await(awaitable: t.Awaitable[t.Any]) -> t.Any:
    return await awaitable


class Tasks:
    """
    The tasks of a stage, in the order in which they were yielded.

    Args:
        bell: Rung when a task ends.
        failed: Called when one fails.
        listeners: Told of each that starts and ends.
    """

    def __init__(
        self, bell: Wakeup, failed: t.Callable[[], None], listeners: Listeners
    ) -> None:
        self._listeners = listeners
        self._bell = bell
        self._failed = failed
        self._given: list[StageTask] = []
        # Each awaitable is kept as long as its task: ids stay unique.
        self._ids: set[int] = set()
        self._pending: dict[asyncio.Future[t.Any], StageTask] = {}

    def add(self, record: PluginRecord, awaitable: object) -> None:
        """
        Take a task of a plugin.

        Raises:
            TaskError: It cannot be awaited, or was given before.
        """
        name = record.plugin.name
        if not inspect.isawaitable(awaitable):
            reason = "it cannot be awaited"
            if inspect.iscoroutinefunction(awaitable):
                reason = "it is a coroutine function that was not called"
            raise TaskError(name, awaitable, reason)
        if id(awaitable) in self._ids:
            raise TaskError(name, awaitable, "it was given before")
        task = StageTask(record, awaitable)
        self._given.append(task)
        self._ids.add(id(awaitable))
        record.tasks.append(task.name)
        record.events.append(task)
        if isinstance(awaitable, Work):
            record.work[task.name] = awaitable.counts

    def arrange(self, order: t.Sequence[object]) -> None:
        """Put some tasks in the order in which they should have come."""
        places = {id(task): n for n, task in enumerate(order)}
        mine = [given for given in self._given if id(given) in places]
        mine.sort(key=lambda task: places[id(task)])
        self._given = [
            mine.pop(0) if id(given) in places else given
            for given in self._given
        ]

    def drop(self, record: PluginRecord) -> None:
        """Forget the tasks of a plugin that failed."""
        self._close(lambda task: task.record is record)

    def start(self) -> None:
        """Run the tasks of plugins that are prepared, with their loaders."""
        for task in self._given:
            if task.future is None and task.record.is_prepared():
                self._start(task)

    def _start(self, task: StageTask) -> None:
        awaitable = task.awaitable
        if asyncio.isfuture(awaitable):
            task.future = awaitable
        else:
            if not inspect.iscoroutine(awaitable):
                awaitable = _await(awaitable)
            loop = asyncio.get_running_loop()
            task.future = loop.create_task(awaitable, name=task.name)
        self._pending[task.future] = task
        task.future.add_done_callback(self._ended)
        if self._listeners:
            self._tell_started(task)

    def _ended(self, future: asyncio.Future[t.Any]) -> None:
        task = self._pending.pop(future, None)
        if task is not None:
            error = None if future.cancelled() else future.exception()
            if error is not None:
                mark(error, task.where())
                self._failed()
            if self._listeners:
                self._tell_ended(task)
        self._bell.ring()

    def _tell_started(self, task: StageTask) -> None:
        from ._events import TaskStarted  # noqa: PLC0415 - for listeners

        name = task.record.plugin.name
        self._listeners.tell(TaskStarted(name, task.name))

    def _tell_ended(self, task: StageTask) -> None:
        from ._events import TaskEnded  # noqa: PLC0415 - for listeners

        future = task.future
        error: BaseException | None = task.abandoned
        if future is not None and future.done() and _failed(future):
            error = task.result()
        self._listeners.tell(
            TaskEnded(task.record.plugin.name, task.name, error)
        )

    def idle(self) -> bool:
        """Tell whether no task runs."""
        return not self._pending

    def running(self) -> list[str]:
        """Name the tasks that run, and their plugins."""
        return [
            f"task {task.name!r} of plugin {task.record.plugin.name!r}"
            for task in list(self._pending.values())
        ]

    def close(self) -> None:
        """Give up the tasks that never ran."""
        self._close(lambda _: True)

    def _close(self, which: t.Callable[[StageTask], bool]) -> None:
        kept: list[StageTask] = []
        for task in self._given:
            if task.future is None and which(task):
                task.close()
                self._ids.discard(id(task.awaitable))
            else:
                kept.append(task)
        self._given = kept

    def cancel(self) -> None:
        """Cancel the tasks that still run."""
        for future in list(self._pending):
            future.cancel()

    def abandon(self, seconds: float) -> None:
        """Give up the tasks that go on although they were cancelled."""
        for future, task in self._pending.items():
            error = AbandonedTaskError(
                task.record.plugin.name,
                task.name,
                seconds,
                stack_of(future),
            )
            task.abandoned = error
            mark(error, task.where())
            _log.error(
                "%s",
                error,
                extra={"plugin": error.plugin, "task": error.task},
            )
            forget(future)
            if self._listeners:
                self._tell_ended(task)
        self._pending.clear()

    def results(self) -> list[t.Any]:
        """Return results and exceptions in the order of the tasks."""
        return [task.result() for task in self._given]

    def failures(self) -> list[BaseException]:
        """Return the exceptions of the tasks that failed."""
        return [
            task.result()
            for task in self._given
            if task.abandoned is not None
            or (
                task.future is not None
                and not task.future.cancelled()
                and task.future.exception() is not None
            )
        ]


def _failed(future: asyncio.Future[t.Any]) -> bool:
    """Tell whether a task that is over did not return."""
    return future.cancelled() or future.exception() is not None


def forget(future: asyncio.Future[t.Any]) -> None:
    """Have asyncio not wait for a task that never ends."""
    if isinstance(future, asyncio.Task):
        task = t.cast("t.Any", future)
        # It is named already, asyncio need not complain once more.
        task._log_destroy_pending = False  # noqa: SLF001
        asyncio._unregister_task(task)  # noqa: SLF001
