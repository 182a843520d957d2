"""Run a stage from sync code, in an event loop of its own."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
import types
import typing as t

from buvar.components import Components
from buvar.components import Namespaces
from buvar.context._closing import ENDING

from ._errors import OptionError
from ._resolve import Plugin
from ._resolve import calling_frame
from ._signals import Signals
from ._stack import stack_of
from ._stage import Stage
from ._tasks import forget


_log = logging.getLogger("buvar.plugin")

#: Seconds that what still runs after the stage gets to end, once cancelled.
_LEFT_OVER = 5.0

#: What shells report of a process that was interrupted from the keyboard.
_INTERRUPTED = 130


def stage(
    *plugins: Plugin,
    components: Components | Namespaces | None = None,
    loop: asyncio.AbstractEventLoop | None = None,
    loop_factory: t.Callable[[], asyncio.AbstractEventLoop] | None = None,
    signals: type[Signals] | None = Signals,
    cancel_timeout: float = 60.0,
    abandon_timeout: float | None = None,
    watchdog: float | None = 10.0,
    return_exceptions: bool = False,
    on_ready: t.Callable[[], t.Any] | None = None,
    _origin: types.FrameType | None = None,
) -> list[t.Any]:
    """
    Prepare plugins, run their tasks, and tear down.

    Args:
        plugins: Names, modules or functions; relative names start at the
            package of the calling module.
        components: Components that the plugins find in the context.
        loop: An event loop to run in, which is left open.
        loop_factory: Makes the event loop, e.g. ``uvloop.new_event_loop``.
        signals: A class of signal handlers, ``None`` handles no signals.
        cancel_timeout: Seconds tasks get to end by themselves.
        abandon_timeout: Seconds they get to end once they are cancelled; by
            default as many as above, at least 1 and at most 10.
        watchdog: Plugins still preparing after so many seconds are named in
            the log, ``None`` never does.
        return_exceptions: Return failures among the results: those of
            preparing first, those of stopping last.
        on_ready: Called once when all plugins are prepared and their tasks
            are started.

    Returns:
        What the tasks returned, in the order in which they were yielded. A
        task that had to be cancelled contributes its ``CancelledError``.

    Raises:
        ExceptionGroup: Something failed; notes name the plugin.
        OptionError: The options make no sense.
    """
    if loop is not None and loop_factory is not None:
        raise OptionError(
            "loop_factory", "there is a loop already", "Give one of them."
        )
    _check_no_loop_runs()
    run = Stage(
        *plugins,
        components=components,
        signals=signals,
        cancel_timeout=cancel_timeout,
        abandon_timeout=abandon_timeout,
        watchdog=watchdog,
        return_exceptions=return_exceptions,
        on_ready=on_ready,
        _origin=_origin or calling_frame(),
    )
    if loop is not None:
        return _drive(loop, run)
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        loop = runner.get_loop()
        try:
            return _drive(loop, run)
        finally:
            loop.run_until_complete(_sweep())


def _check_no_loop_runs() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise OptionError(
        "loop",
        "an event loop is running in this thread already",
        "Use 'async with plugin.Stage(...)' there.",
    )


def _drive(loop: asyncio.AbstractEventLoop, run: Stage) -> list[t.Any]:
    """Run a stage to its end, also when the loop is interrupted."""
    main = loop.create_task(run.run(), name="buvar.plugin.stage")
    interrupt: BaseException | None = None
    outcome: BaseException | None = None
    while not main.done():
        try:
            loop.run_until_complete(main)
        except BaseException as error:  # noqa: BLE001 - raised below
            if main.done():
                outcome = error
            else:
                # KeyboardInterrupt and SystemExit leave the loop at once.
                interrupt = interrupt or error
                main.cancel()
    if interrupt is not None:
        if isinstance(outcome, ENDING):  # pragma: no branch - a race
            # That is how the interrupt ended it: what matters failed beside.
            outcome = outcome.__cause__
        raise interrupt from outcome
    if outcome is not None:
        raise outcome
    return main.result()


async def _sweep() -> None:
    """Cancel what plugins left running, but do not wait for ever."""
    left = asyncio.all_tasks() - {t.cast("t.Any", asyncio.current_task())}
    if not left:
        return
    for task in left:
        task.cancel()
    _, hanging = await asyncio.wait(left, timeout=_LEFT_OVER)
    for task in hanging:
        _log.error(
            "The task %r still runs after the stage and is abandoned, "
            "here:\n%s",
            task.get_name(),
            stack_of(task),
            extra={"task": task.get_name()},
        )
        forget(task)


def exit_code(outcome: object) -> int:
    """
    Return what a process with that outcome should exit with.

    Args:
        outcome: What was raised, or what ``stage()`` returned.

    Returns:
        0 if all went well, 1 if the application failed, 2 if it was given
        something wrong. An exception may know better: its ``exit_code``.
    """
    if isinstance(outcome, BaseExceptionGroup):
        group = t.cast("BaseExceptionGroup[BaseException]", outcome)
        codes = {exit_code(error) for error in group.exceptions}
        return codes.pop() if len(codes) == 1 else 1
    if isinstance(outcome, BaseException):
        return _code_of(outcome)
    if isinstance(outcome, list):
        results = t.cast("list[object]", outcome)
        failed = [r for r in results if isinstance(r, BaseException)]
        return max(map(exit_code, failed), default=0)
    return 0


def _code_of(error: BaseException) -> int:
    if isinstance(error, asyncio.CancelledError):
        return 0
    if isinstance(error, KeyboardInterrupt):
        return _INTERRUPTED
    if isinstance(error, SystemExit):
        code = error.code
        return code if isinstance(code, int) else int(code is not None)
    code = getattr(error, "exit_code", 1)
    return code if isinstance(code, int) else 1


def run(*plugins: Plugin, **options: t.Any) -> int:
    """
    Run a stage and return an exit code: ``sys.exit(plugin.run("app"))``.

    A failure is printed to standard error with its traceback.

    Args:
        plugins: As for ``stage()``.
        options: As for ``stage()``.
    """
    try:
        origin = calling_frame()
        return exit_code(stage(*plugins, _origin=origin, **options))
    except BaseException as error:  # noqa: BLE001 - the caller exits
        code = exit_code(error)
        if not isinstance(error, SystemExit | KeyboardInterrupt):
            traceback.print_exception(error, file=sys.stderr)
        return code
