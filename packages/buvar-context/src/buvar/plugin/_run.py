"""Run a stage from sync code, in an event loop of its own."""

from __future__ import annotations

import asyncio
import signal
import sys
import types
import typing as t

from buvar.components import Components
from buvar.components import Namespaces
from buvar.components.spi import ENDING

from ._errors import StageOptionError
from ._failure import failures
from ._interrupts import INTERRUPTED
from ._leftovers import wind_up
from ._resolve import Plugin
from ._resolve import calling_frame
from ._signals import Signals
from ._stage import Stage
from ._traceback import begin_here


if t.TYPE_CHECKING:
    from ._events import Listener


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
    exit_timeout: float | None = None,
    concurrent: bool | None = None,
    listeners: t.Iterable[Listener] = (),
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
        exit_timeout: Seconds after the first ``INT`` or ``TERM`` until the
            process is ended by force, with exit code 1; by default never.
            It names what still ran.
        concurrent: Prepare plugins that wait at the same time, or one after
            the other. By default the plugins named here come one after the
            other, those of one ``load()`` at the same time.
        listeners: Functions that are called with each event, as ``listen``
            adds them.

    Returns:
        What the tasks returned, in the order in which they were yielded. A
        task that had to be cancelled contributes its ``CancelledError``.

    Raises:
        ExceptionGroup: Something failed; notes name the plugin.
        StageOptionError: The options make no sense.
    """
    if loop is not None and loop_factory is not None:
        raise StageOptionError(
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
        exit_timeout=exit_timeout,
        concurrent=concurrent,
        listeners=listeners,
        _origin=_origin or calling_frame(),
    )
    try:
        if loop is not None:
            return _drive(loop, run)
        return _run_alone(run, loop_factory)
    except BaseException as error:  # noqa: BLE001 - raised again
        # Nothing failed between here and the plugin.
        raise begin_here(error)  # noqa: B904 - it is the same one


def _run_alone(
    run: Stage, loop_factory: t.Callable[[], asyncio.AbstractEventLoop] | None
) -> list[t.Any]:
    """Run a stage in an event loop of its own."""
    # Until all is done a second Ctrl-C is to end it.
    run.holds_signals = True
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        loop = runner.get_loop()
        try:
            return _drive(loop, run)
        finally:
            try:
                complete(loop, loop.create_task(wind_up(run)), run)
            finally:
                run.release()


def _check_no_loop_runs() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise StageOptionError(
        "loop",
        "an event loop is running in this thread already",
        "Use 'async with plugin.Stage(...)' there.",
    )


def _drive(loop: asyncio.AbstractEventLoop, run: Stage) -> list[t.Any]:
    """Run a stage to its end, also when the loop is interrupted."""
    main = loop.create_task(run.run(), name="buvar.plugin.stage")
    return t.cast("list[t.Any]", complete(loop, main, run))


def complete(
    loop: asyncio.AbstractEventLoop, task: asyncio.Task[t.Any], run: Stage
) -> t.Any:
    """Run the loop until a task is done, also when it is interrupted."""
    interrupt: BaseException | None = None
    outcome: BaseException | None = None
    while not task.done():
        try:
            loop.run_until_complete(task)
        except BaseException as error:  # noqa: BLE001 - raised below
            if task.done():
                outcome = error
            else:
                # KeyboardInterrupt and SystemExit leave the loop at once.
                interrupt = interrupt or error
                task.cancel()
                _note(loop, error, run)
    if interrupt is not None:
        if isinstance(outcome, ENDING):  # pragma: no branch - a race
            # That is how the interrupt ended it: what matters failed beside.
            outcome = outcome.__cause__
        raise interrupt from outcome
    if outcome is not None:
        raise outcome
    return task.result()


def _note(
    loop: asyncio.AbstractEventLoop, error: BaseException, run: Stage
) -> None:
    """Have a Ctrl-C count that Python itself has handled."""
    if isinstance(error, KeyboardInterrupt) and not run.signals.installed:
        loop.call_soon(run.interrupts.handled)
        run.interrupts.arrived(signal.SIGINT, handled=True)


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
        return INTERRUPTED
    if isinstance(error, SystemExit):
        code = error.code
        return code if isinstance(code, int) else int(code is not None)
    code = getattr(error, "exit_code", 1)
    return code if isinstance(code, int) else 1


def run(*plugins: Plugin, **options: t.Any) -> int:
    """
    Run a stage and return an exit code: ``sys.exit(plugin.run("app"))``.

    What failed is printed to standard error: its traceback from the first
    frame that you wrote, and what it means.

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
            text = "\n".join(failure.text() for failure in failures(error))
            sys.stderr.write(text)
        return code
