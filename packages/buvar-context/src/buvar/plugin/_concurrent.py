"""
Prepare plugins at the same time, with the outcome of one after the other.

Each plugin has a task and context variables of its own; those it sets are set
where it was loaded from, too. What several of them did in the meantime is put
in order afterwards: as if each had been prepared
when it was first asked for, before anything that came later.
"""

from __future__ import annotations

import asyncio
import contextvars
import typing as t

from buvar.components.spi import raise_failures

from ._record import Added
from ._record import Group
from ._record import PluginLayer
from ._record import PluginRecord
from ._tasks import Tasks


Load: t.TypeAlias = t.Callable[[], t.Coroutine[t.Any, t.Any, None]]


async def together(loads: t.Sequence[Load]) -> None:
    """
    Await all at the same time; when one fails the others are cancelled.

    Raises:
        BaseException: What failed, if it is one thing.
        ExceptionGroup: Several failed.
    """
    loop = asyncio.get_running_loop()
    failures: dict[int, BaseException] = {}
    tasks: list[asyncio.Task[None]] = []

    async def attempt(number: int, load: Load) -> None:
        try:
            await load()
        except BaseException as error:  # noqa: BLE001 - raised below
            failures[number] = error
            cancel(tasks, but=asyncio.current_task())

    before = contextvars.copy_context()
    contexts = [before.copy() for _ in loads]
    tasks += [
        loop.create_task(attempt(number, load), context=contexts[number])
        for number, load in enumerate(loads)
    ]
    stopped: asyncio.CancelledError | None = None
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError as error:
            stopped = error
            cancel(tasks)
    _raise([failures[number] for number in sorted(failures)], stopped)
    for context in contexts:
        _take_over(context, before)


def _take_over(
    context: contextvars.Context, before: contextvars.Context
) -> None:
    """Set the variables that were set in a context meanwhile here too."""
    for variable, value in context.items():
        if before.get(variable, _take_over) is not value:
            variable.set(value)


def cancel(
    tasks: t.Iterable[asyncio.Task[t.Any]],
    but: asyncio.Task[t.Any] | None = None,
) -> None:
    """Cancel all tasks, maybe but one."""
    for task in tasks:
        if task is not but:
            task.cancel()


def _raise(
    failures: list[BaseException], stopped: asyncio.CancelledError | None
) -> None:
    several = {
        id(error): error
        for error in failures
        if not isinstance(error, asyncio.CancelledError)
    }
    if not several:
        # Nothing but a cancellation, from outside or by a plugin itself.
        cancelled = stopped or next(iter(failures), None)
        if cancelled is not None:
            raise cancelled
        return
    if len(several) == 1 and stopped is None:
        raise next(iter(several.values()))
    raise_failures("preparing plugins failed", list(several.values()), stopped)


def arrange(
    group: t.Iterable[PluginRecord],
    layer: PluginLayer,
    tasks: Tasks,
    records: dict[t.Hashable, PluginRecord],
) -> None:
    """
    Put what a group of plugins did in the order of one after the other.

    Args:
        group: The plugins, in the order they were asked for.
        layer: Where they added components.
        tasks: The tasks they gave.
        records: All plugins, in the order of their reports.
    """
    order: list[PluginRecord] = []
    added: list[Added] = []
    given: list[object] = []
    seen: set[int] = set()
    todo: list[t.Any] = [*reversed([*group])]
    while todo:
        event = todo.pop()
        if isinstance(event, PluginRecord):
            if id(event) not in seen:
                seen.add(id(event))
                order.append(event)
                todo += reversed(event.events)
        elif isinstance(event, Group):
            todo += reversed(event)
        elif isinstance(event, Added):
            added.append(event)
        else:
            given.append(event)
    layer.arrange(added)
    tasks.arrange(given)
    keys = {id(record): key for key, record in records.items()}
    for record in order:
        key = keys[id(record)]
        del records[key]
        records[key] = record
