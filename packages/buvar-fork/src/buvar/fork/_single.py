"""
One process without a supervisor: the stage runs in the caller's.

It keeps the promises of a supervisor where it can: no signal has its default
action, the end of the terminal is the end of the service, and what blocks
the end is named and ended after ``graceful_timeout``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pathlib
import signal
import types
import typing as t

from buvar import context
from buvar import plugin

from ._announce import announce
from ._child import observed
from ._child import own_components
from ._grace import Grace
from ._listeners import Listeners
from ._notify import Notifier
from ._options import Options
from ._serving import Serving
from ._supervise.signals import FORWARDED
from ._supervise.signals import TERMINAL
from ._supervise.signals import can_handle
from ._supervise.signals import signal_name
from ._worker import Worker


_log = logging.getLogger("buvar.fork")

#: Those that would end the process without a trace of why, or leave what it
#: has taken. INT raises KeyboardInterrupt, unless the stage handles it.
_REPLACED: t.Final = (
    FORWARDED
    | TERMINAL
    | frozenset(
        number
        for name in ("SIGHUP", "SIGQUIT", "SIGTERM")
        if (number := getattr(signal, name, None)) is not None
    )
)


class _StoppedError(BaseException):
    """A signal asked to end where no stage handles it."""


def run_single(
    options: Options,
    open_all: t.Callable[[contextlib.ExitStack], Listeners],
) -> list[t.Any]:
    """
    Run the stage here, and return its results.

    Args:
        options: What to run.
        open_all: Takes the resources of the service.
    """
    single = _Single(options)
    with single.signals(), contextlib.ExitStack() as stack:
        try:
            return single.run(open_all(stack), stack.close)
        except _StoppedError:
            return []
        except BaseExceptionGroup as group:
            # It was raised in a task, before the stage could be stopped.
            if group.split(_StoppedError)[1] is not None:
                raise
            return []
        finally:
            single.ended = True


class _Single:
    """
    A service in one process.

    Attributes:
        ended: Whether it is over, so that signals do nothing more.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._stop: t.Callable[[], None] | None = None
        self._watch: t.Callable[[t.Callable[[], None]], object]
        self._terminal: t.Any = None
        self._grace: Grace | None = None
        self._asked = False
        self.ended = False

    def run(
        self, listeners: Listeners, release: t.Callable[[], object]
    ) -> list[t.Any]:
        """Run the stage."""
        options = self._options
        notifier = Notifier()
        worker = Worker(
            max_requests=options.max_requests,
            jitter=options.max_requests_jitter,
        )
        sockets = listeners.for_slot(1)
        options.identity.assume()
        stage_options = options.stage_options()
        grace = self._grace = Grace(
            options.graceful_timeout, options.finish_timeout, release
        )

        def on_ready() -> None:
            notifier.ready("1 worker")
            announce(1, sockets)

        def watch(stop: t.Callable[[], None]) -> t.Callable[[], None]:
            def stopped() -> None:
                notifier.stopping()
                grace.begin()
                stop()

            self._stop = stopped
            return stopped

        def ending(event: plugin.Event) -> None:
            grace.failed.hear(event)
            if event == plugin.StateChanged(plugin.State.STOPPING):
                notifier.stopping()
                grace.begin_stage()

        if self._asked:
            # What it was raised in has swallowed it, such as a __del__().
            raise _StoppedError
        self._watch = watch
        base = stage_options.get("signals", plugin.Signals)
        if base is not None:
            stage_options["signals"] = observed(base, watch)
        others = stage_options.get("listeners", ())
        stage_options["listeners"] = [ending, *others]
        serving = Serving(sockets, on_ready, strict=options.strict)
        try:
            results = plugin.stage(
                self._watch_signals,
                *options.plugins,
                components=own_components(options.components, worker, sockets),
                on_ready=serving.begin,
                **stage_options,
            )
            serving.end()
            return results
        finally:
            self._stop = None
            grace.end()
            notifier.stopping()

    async def _watch_signals(self) -> None:
        """Have the time count while the loop is blocked: a plugin."""
        grace = t.cast("Grace", self._grace)
        stage = context.get(plugin.Stage)
        grace.forced = lambda: stage.interrupts.forced
        if self._asked:
            stage.stop()
            await asyncio.sleep(0)  # that is cancelled: nothing is prepared
        if not stage.signals.installed:
            # Raised where one arrives, it would be the failure of a task.
            self._watch(stage.stop)
            return
        loop = asyncio.get_running_loop()

        def watched(handle: t.Any) -> t.Callable[[int, t.Any], None]:
            def watch(number: int, frame: types.FrameType | None) -> None:
                grace.arrived()
                handle(number, frame)
                with contextlib.suppress(RuntimeError):
                    # The loop is closed: the time goes on.
                    loop.call_soon_threadsafe(grace.handled)

            return watch

        for number in (signal.SIGINT, signal.SIGTERM):
            handle = signal.getsignal(number)
            if callable(handle):
                signal.signal(number, watched(handle))

    # --- signals ----------------------------------------------------------

    @contextlib.contextmanager
    def signals(self) -> t.Generator[None]:
        """Have no signal do what it does by default."""
        if not can_handle():
            yield
            return
        with contextlib.ExitStack() as stack:
            if hasattr(signal, "SIGHUP"):
                from ._supervise.terminal import Terminal  # noqa: PLC0415

                self._terminal = Terminal()
                stack.callback(self._terminal.close)
            caught = _caught()
            for number in _REPLACED:
                before = signal.getsignal(number)
                # Whatever somebody has set stays, also in C.
                if before is signal.SIG_DFL and not caught >> number - 1 & 1:
                    handler = (
                        signal.SIG_IGN if number in TERMINAL else self._handle
                    )
                    signal.signal(number, handler)
                    stack.callback(signal.signal, number, before)
            yield

    def _handle(self, number: int, _frame: types.FrameType | None) -> None:
        if self.ended or number in FORWARDED:
            return
        if number == getattr(signal, "SIGHUP", None):
            if not self._terminal.just_closed():
                # A handler on top of this one says itself what it does.
                if signal.getsignal(number) == self._handle:
                    _log.warning(
                        "HUP is ignored: with forks=1 nothing can replace "
                        "this process; restart it, or run it with forks=2."
                    )
                return
            if self._terminal.ignored:
                return
            _log.warning("The terminal was closed.")
        self._end(number)

    def _end(self, number: int) -> None:
        """End the stage, or what comes before it."""
        self._asked = True
        loop = _running_loop()
        if self._stop is None:
            _log.info("Stopped by %s.", signal_name(number))
            if loop is None:
                raise _StoppedError
            # Its first plugin ends the stage; a callback could not.
        elif loop is None:
            # The stage is not in its loop yet, and must not begin; or it has
            # left that, and nothing is there to stop.
            self._stop()
        else:
            loop.call_soon_threadsafe(self._stop)
            if number == getattr(signal, "SIGQUIT", None):
                loop.call_soon_threadsafe(self._stop)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _caught() -> int:
    """Return a bit for each signal with a handler, by whatever it was set."""
    try:
        status = pathlib.Path("/proc/self/status").read_text()
    except OSError:  # pragma: no cover - Linux only
        return 0
    return int(status.partition("SigCgt:")[2].split()[0], 16)
