"""End what plugins leave in an event loop: tasks, generators, threads."""

from __future__ import annotations

import asyncio
import logging
import time
import typing as t

from ._interrupts import TIDY
from ._stack import stack_of
from ._stage import Stage
from ._tasks import forget
from ._threads import describe


_log = logging.getLogger("buvar.plugin")

#: Seconds that what still runs after the stage gets to end, once cancelled.
_LEFT_OVER: t.Final = 5.0
#: The same after a second Ctrl-C.
_HURRIED: t.Final = 0.1
#: Seconds between two looks whether there was one.
_LOOK: t.Final = 0.05


async def wind_up(run: Stage) -> None:
    """
    End what plugins left running, and say what is waited for.

    Threads cannot be ended: they are waited for, unless the process is to end
    at a certain time.
    """
    await _end_tasks(run)
    loop = asyncio.get_running_loop()
    await _wait(run, loop.shutdown_asyncgens(), lambda: ["async generators"])
    threads = _threads_of(loop) or run.interrupts.left()
    ended = await _wait(
        run,
        loop.shutdown_default_executor(),
        lambda: [describe(thread) for thread in threads if thread.is_alive()],
    )
    if not ended:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        # The loop is not to wait for the same threads once more.
        loop.set_default_executor(ThreadPoolExecutor())


async def _end_tasks(run: Stage) -> None:
    left = asyncio.all_tasks() - {t.cast("t.Any", asyncio.current_task())}
    for task in left:
        task.cancel()
    run.waiting.things = lambda: [
        f"task {task.get_name()!r}, which a plugin left running"
        for task in left
        if not task.done()
    ]
    end = time.monotonic() + _LEFT_OVER
    while left and time.monotonic() < end:
        if run.interrupts.forced:
            end = min(end, time.monotonic() + _HURRIED)
        run.waiting.start()
        _, left = await asyncio.wait(left, timeout=_LOOK)
    for task in left:
        _log.error(
            "The task %r still runs after the stage and is abandoned, "
            "here:\n%s",
            task.get_name(),
            stack_of(task),
            extra={"task": task.get_name()},
        )
        forget(task)


def _threads_of(loop: asyncio.AbstractEventLoop) -> list[t.Any]:
    """Return the threads of the executor that a loop has made, if any."""
    executor: t.Any = getattr(loop, "_default_executor", None)
    return [*getattr(executor, "_threads", ())]


async def _wait(
    run: Stage,
    step: t.Coroutine[t.Any, t.Any, t.Any],
    things: t.Callable[[], t.Sequence[str]],
) -> bool:
    """Wait for a step, but leave in time to tidy up; tell if it ended."""
    run.waiting.things = things
    run.waiting.start()
    task = asyncio.ensure_future(step)
    while not task.done():
        left = run.interrupts.deadline - TIDY - time.monotonic()
        if left <= 0:
            forget(task)
            return False
        await asyncio.wait((task,), timeout=min(left, _LOOK * 10))
    task.result()
    return True
