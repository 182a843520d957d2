"""Prepare plugins, run their tasks, stop, tear down: one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import types
import typing as t

from buvar.components import Components
from buvar.components import Namespaces
from buvar.components.spi import ENDING
from buvar.context import buvar_context
from buvar.context._tasks import task_layers

from ._ending import Ending
from ._errors import StateError
from ._events import Listener
from ._events import StateChanged
from ._failures import Failures
from ._failures import interrupted
from ._host import Interrupter
from ._interrupts import Interrupts
from ._listeners import Listeners
from ._loader import Loader
from ._loader import Loading
from ._options import check_options
from ._record import PluginLayer
from ._report import PluginReport
from ._resolve import Plugin
from ._resolve import calling_frame
from ._signals import Signals
from ._state import Cancel
from ._state import State
from ._state import Wakeup
from ._tasks import Tasks
from ._teardown import Teardown
from ._waiting import Waiting
from ._watchdog import Watchdog


#: Bounds of the time that cancelled tasks get, unless it is given.
_LEAST, _MOST = 1.0, 10.0


class Stage:
    """
    A run of plugins in a running event loop.

    Entering it prepares the plugins and starts their tasks, leaving it stops
    the tasks and tears down. In between ``await stage.wait()`` waits for
    what stops it.

    Args:
        plugins: Names, modules or functions, as ``plugin.Loader`` takes them.
        components: Components that the plugins find in the context.
        signals: A class of signal handlers, ``None`` handles no signals.
        cancel_timeout: Seconds tasks get to end by themselves.
        abandon_timeout: Seconds they get to end once they are cancelled; by
            default as many as above, at least 1 and at most 10.
        watchdog: Plugins still preparing after so many seconds are named in
            the log, ``None`` never does.
        return_exceptions: Return failures among the results.
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

    Example:
        >>> async def main():
        ...     async with Stage("my.plugin") as stage:
        ...         await stage.wait()
        ...     return stage.results
    """

    def __init__(
        self,
        *plugins: Plugin,
        components: Components | Namespaces | None = None,
        signals: type[Signals] | None = None,
        cancel_timeout: float = 60.0,
        abandon_timeout: float | None = None,
        watchdog: float | None = 10.0,
        return_exceptions: bool = False,
        on_ready: t.Callable[[], t.Any] | None = None,
        exit_timeout: float | None = None,
        concurrent: bool | None = None,
        listeners: t.Iterable[Listener] = (),
        _look: t.Callable[[], object] | None = None,
        _origin: types.FrameType | None = None,
    ) -> None:
        check_options(
            components=components,
            signals=signals,
            cancel_timeout=cancel_timeout,
            abandon_timeout=abandon_timeout,
            watchdog=watchdog,
            on_ready=on_ready,
            exit_timeout=exit_timeout,
        )
        self._plugins = plugins
        if abandon_timeout is None:
            abandon_timeout = max(_LEAST, min(cancel_timeout, _MOST))
        self._components = components
        self._signals = signals
        self._cancel_timeout = cancel_timeout
        self._abandon_timeout = abandon_timeout
        self._watchdog = watchdog
        self._return_exceptions = return_exceptions
        self._on_ready = on_ready
        self._origin = _origin or calling_frame()
        self._look = _look
        #: What a check calls once all plugins are prepared.
        self.checks: list[t.Callable[[], object]] = []
        self._state = State.NEW
        self._results: list[t.Any] = []
        self._bell = Wakeup()
        self._host = Interrupter()
        self._undo = contextlib.ExitStack()
        #: Whether signals are handled beyond the end, until ``release()``.
        self.holds_signals = False
        #: The event loop it runs in, once it does.
        self.loop: asyncio.AbstractEventLoop | None = None
        #: The layer that all plugins share, and what lies below it.
        self.layer = PluginLayer(self._below())
        #: Set it to stop the stage.
        self.cancel = Cancel(self._bell)
        #: What is done when the stage ends.
        self.teardown = Teardown(self.layer)
        #: What is called with each event, see ``plugin.listen``.
        self.listeners = Listeners(self.layer)
        for listener in listeners:
            self.listeners.add(listener)
        self._tasks = Tasks(self._bell, self.cancel.set, self.listeners)
        self._failures = Failures(self._tasks)
        self._ending = Ending(self._tasks, self._bell)
        self._loading = Loading(
            self.layer,
            self._tasks,
            lambda: self._state,
            self.listeners,
            concurrent=concurrent is not False,
        )
        #: Loads more plugins.
        self.loader = Loader(self._loading)
        self._concurrent = bool(concurrent)
        #: Says what the end waits for.
        self.waiting = Waiting(self._waits_for, self._cure)
        #: Ends the process on a second Ctrl-C.
        self.interrupts = Interrupts(self.stop, self.waiting, exit_timeout)
        # The last one, as it may be stopped from here on.
        #: What handles signals, if any are.
        self.signals = (signals or Signals)(self.stop)
        self.signals.interrupts = self.interrupts
        self._add_own(self.layer.pop())

    def _below(self) -> Components:
        """Return the stack up to and with the layer of the stage."""
        stack = buvar_context.get()
        components = self._components
        if isinstance(components, Components):
            for layer in reversed(components.stack):
                stack = stack.push(layer)
        elif components is not None:
            stack = stack.push(components)
        return stack.push()

    def _add_own(self, layer: Components) -> None:
        layer.add(self)
        layer.add(self.cancel)
        layer.add(self.teardown)
        layer.add(self.loader)
        layer.add(self.signals)

    # --- what it knows ----------------------------------------------------

    @property
    def state(self) -> State:
        """The state of the stage."""
        return self._state

    @property
    def checking(self) -> bool:
        """Whether the plugins are only prepared to be looked at."""
        return self._look is not None

    @property
    def results(self) -> list[t.Any]:
        """
        What the tasks returned, in the order in which they were yielded.

        A task that failed or was cancelled contributes its exception. Empty
        before the stage has ended.
        """
        return self._results

    def report(self) -> list[PluginReport]:
        """Return what became of each plugin, in the order of loading."""
        return [record.report() for record in self._loading.records.values()]

    # --- the whole run, or its begin and end ------------------------------

    async def run(self) -> list[t.Any]:
        """
        Run until all tasks end, one fails, or the stage is stopped.

        Returns:
            The results of the tasks.

        Raises:
            ExceptionGroup: Something failed, see ``return_exceptions``.
        """
        await self._begin()
        if self._state is State.RUNNING:
            error: BaseException | None = None
            try:
                await self.wait()
            except BaseException as stopped:  # noqa: BLE001 - raised below
                error = stopped
            await self._end(error)
        self._failures.reraise(returned=self._return_exceptions)
        return self._results

    async def __aenter__(self) -> t.Self:
        """Prepare the plugins and start their tasks."""
        await self._begin()
        if self._state is State.ENDED:
            self._failures.reraise(returned=False)
            raise StateError(
                "It was stopped by a signal",
                State.PREPARING.value,
                "Use 'await stage.run()' to take that for a normal end.",
            )
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: types.TracebackType | None,
    ) -> None:
        """Stop the tasks and tear down."""
        self._host.enter()
        await self._end(error)
        if error is None or self._failures.all() != [error]:
            self._failures.reraise(returned=self._return_exceptions)

    async def wait(self) -> None:
        """Wait until all tasks ended, one failed, or it is to stop."""
        await self._bell.until(
            lambda: self.cancel.is_set() or self._tasks.idle()
        )

    def stop(self) -> None:
        """
        Stop the stage; called again, hurry.

        The second call cancels what still runs, the third one abandons it.
        What is being prepared is cancelled at once, it serves nobody yet.
        """
        self._ending.stops += 1
        self.cancel.set()
        self.waiting.start()
        if self._state is State.PREPARING or (
            self._state is State.TEARDOWN
            and self._ending.stops >= Ending.CANCEL
        ):
            self._host.interrupt()

    def _enter(self, state: State) -> None:
        self._state = state
        if self.listeners:
            self.listeners.tell(StateChanged(state))

    # --- the steps --------------------------------------------------------

    async def _begin(self) -> None:
        if self._state is not State.NEW:
            raise StateError(
                "It was to be entered",
                self._state.value,
                "A stage runs once, make a new one.",
            )
        self._host.enter()
        self._enter(State.PREPARING)
        try:
            await self._prepare()
        except BaseException as error:  # noqa: BLE001 - raised at the end
            stopped = await self._host.settle()
            if stopped and isinstance(error, asyncio.CancelledError):
                await self._end(None)
            else:
                self._failures.early.append(error)
                await self._end(error)
        else:
            if self.state is State.PREPARING:
                await self._host.settle()
                await self._end(None)

    async def _prepare(self) -> None:
        self.loop = loop = asyncio.get_running_loop()
        self._undo.callback(self._leave, buvar_context.set(self.layer))
        self._undo.callback(self.listeners.end)
        self._undo.enter_context(task_layers(loop))
        if self._signals is not None:
            self.signals.install(loop)
        origin = self._origin
        del self._origin
        if self._ending.stops:
            return
        records = self._loading.records
        with Watchdog(lambda: list(records.values()), self._watchdog):
            await self._loading.load(
                self._plugins, origin, concurrent=self._concurrent
            )
        if self._look is not None:
            for look in (*self.checks, self._look):
                try:
                    look()
                except Exception as error:  # noqa: BLE001 - raised at the end
                    self._failures.early.append(error)
        elif not self._ending.stops:
            self._enter(State.RUNNING)
            self._tasks.start()
            if self._on_ready is not None:
                self._on_ready()

    async def _end(self, error: BaseException | None) -> None:
        """Stop the tasks, tear down, and leave no trace."""
        failures = self._failures
        if error is not None and not failures.early:
            failures.late.append(error)
        if isinstance(error, ENDING):
            self._ending.hurry()
        self._enter(State.STOPPING)
        self.cancel.set()
        self.waiting.start()
        failures.late += await self._ending.end(
            self._cancel_timeout, self._abandon_timeout
        )
        self._enter(State.TEARDOWN)
        failed = await self.layer.close(failures.cause())
        if await self._host.settle():
            failed = [interrupted(failure) for failure in failed]
        failures.late += failed
        self._enter(State.ENDED)
        self._results = failures.results(all_of_them=self._return_exceptions)
        self._undo.close()
        if not self.holds_signals:
            self.release()

    def release(self) -> None:
        """Handle signals no more, and say no more what is waited for."""
        self.waiting.stop()
        if self.signals.installed:
            self.signals.restore()
        self.interrupts.end()

    def _waits_for(self) -> list[str]:
        """Name what the end waits for."""
        if self._state is State.PREPARING:
            return [
                f"plugin {record.plugin.name!r} to be prepared"
                for record in list(self._loading.records.values())
                if record.running is not None and not record.waits
            ]
        if self._state is State.STOPPING:
            return self._tasks.running()
        if self._state is State.TEARDOWN:
            return [self.teardown.running or "teardown"]
        return []

    def _cure(self) -> str:
        """Say how to end it sooner, if the stage handles signals."""
        if not self.signals.installed:
            return ""
        stops = self._ending.stops
        ends = self._state is State.ENDED or stops >= Ending.CANCEL
        return (
            f"press Ctrl-C {'again' if stops else 'twice'} "
            f"to {'end the process' if ends else 'cancel it'}"
        )

    def _leave(self, token: contextvars.Token[Components]) -> None:
        try:
            buvar_context.reset(token)
        except ValueError:
            # Left in another context than it was entered in, as fixtures
            # may be: that one never had the layers.
            return
