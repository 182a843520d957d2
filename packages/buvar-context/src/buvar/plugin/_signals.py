"""Signals of the operating system, handled in the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import signal
import threading
import types
import typing as t

from ._errors import StageOptionError
from ._interrupts import Interrupts


_log = logging.getLogger("buvar.plugin")

#: All there are somewhere: a handler for one that is missing here is fine.
_ELSEWHERE = frozenset(
    {"ALRM", "BREAK", "CHLD", "CONT", "HUP", "INFO", "IO", "PIPE", "PWR"}
    | {"QUIT", "TERM", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2"}
    | {"VTALRM", "WINCH", "XCPU", "XFSZ", "INT", "PROF"}
)

#: What stops a stage, unless a subclass does something else with it.
STOPPING: t.Final = (signal.SIGINT, signal.SIGTERM)

_Previous: t.TypeAlias = "t.Callable[..., t.Any] | int | None"


class Signals:
    """
    Handles signals while a stage runs.

    ``INT`` and ``TERM`` stop it, a second one cancels its tasks, and a second
    ``INT`` (Ctrl-C) ends the process within two seconds. A subclass handles
    more of them, with functions or coroutine functions.

    Args:
        stop: Called to stop the stage.

    Example:
        >>> class Reload(Signals):
        ...     def handle_hup(self):
        ...         print("reading the configuration again")
    """

    #: Watches ``INT`` and ``TERM``, set by the stage.
    interrupts: Interrupts | None = None

    def __init__(self, stop: t.Callable[[], None]) -> None:
        self._stop = stop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._before: dict[signal.Signals, _Previous] = {}
        self._handlers: dict[signal.Signals, t.Callable[[], t.Any]] = {}
        self._native: set[signal.Signals] = set()
        self._stopped = False
        self._tasks: set[asyncio.Task[None]] = set()

    def handle_int(self) -> t.Any:
        """Stop the stage."""
        self._stopped = True
        self._stop()

    def handle_term(self) -> t.Any:
        """Stop the stage."""
        self._stopped = True
        self._stop()

    def handlers(self) -> dict[signal.Signals, t.Callable[[], t.Any]]:
        """
        Return the handler of each signal.

        Raises:
            StageOptionError: A handler is named after no signal.
        """
        found: dict[signal.Signals, t.Callable[[], t.Any]] = {}
        for attribute in dir(type(self)):
            prefix, _, name = attribute.partition("handle_")
            if prefix or not name:
                continue
            number = getattr(signal, f"SIG{name.upper()}", None)
            if isinstance(number, signal.Signals):
                found[number] = getattr(self, attribute)
            elif name.upper() not in _ELSEWHERE:
                raise StageOptionError(
                    "signals",
                    f"{type(self).__qualname__}.{attribute} handles no signal",
                    "Name it after one in lower case, e.g. handle_usr1.",
                )
        return found

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Handle the signals; only a process's main thread can."""
        handlers = self.handlers()
        if not _can_handle():
            _log.debug(
                "Signals are handled only in the main thread of the main "
                "interpreter."
            )
            return
        self._loop = loop
        self._handlers = handlers
        for number in handlers:
            self._before[number] = signal.getsignal(number)
            if number in STOPPING:
                # The loop would not handle it while a callback blocks it.
                signal.signal(number, self._from_interpreter)
                continue
            try:
                loop.add_signal_handler(number, self._handle, number)
                self._native.add(number)
            except NotImplementedError:
                signal.signal(number, self._from_interpreter)

    @property
    def installed(self) -> bool:
        """Whether signals are handled."""
        return bool(self._before)

    def _from_interpreter(
        self, number: int, _frame: types.FrameType | None
    ) -> None:
        """Take a signal between two instructions of the main thread."""
        loop = t.cast("asyncio.AbstractEventLoop", self._loop)
        with contextlib.suppress(RuntimeError):
            # The loop is closed: there is nothing to stop any more.
            loop.call_soon_threadsafe(self._handle, signal.Signals(number))
        if self.interrupts is not None and self._stops(number):
            self.interrupts.arrived(number)

    def _stops(self, number: int) -> bool:
        """Tell whether a signal stops the stage, not what a user wrote."""
        if self._stopped:
            return number in STOPPING
        ours = {
            signal.SIGINT: (Signals.handle_int, type(self).handle_int),
            signal.SIGTERM: (Signals.handle_term, type(self).handle_term),
        }
        default, handler = ours.get(signal.Signals(number), (None, Signals))
        return default is handler

    def _handle(self, number: signal.Signals) -> None:
        if self.interrupts is not None and number in STOPPING:
            self.interrupts.handled()
        result = self._handlers[number]()
        if inspect.iscoroutine(result):
            task = asyncio.get_running_loop().create_task(result)
            self._tasks.add(task)
            task.add_done_callback(self._handled)

    def _handled(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("A signal handler failed.", exc_info=task.exception())

    def restore(self) -> None:
        """Restore the former handlers of the signals."""
        loop = t.cast("asyncio.AbstractEventLoop", self._loop)
        for number, before in self._before.items():
            if number in self._native:
                loop.remove_signal_handler(number)
            # What was not set from Python cannot be put back by it.
            if before is not None:  # pragma: no branch
                signal.signal(number, before)
        self._before.clear()
        self._native.clear()
        for task in self._tasks:
            task.cancel()


def _can_handle() -> bool:
    """Tell whether this thread of this interpreter may set handlers."""
    if threading.current_thread() is not threading.main_thread():
        return False
    try:
        # What handles it now: an interpreter beside the main one may not.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
    except ValueError:
        return False
    except TypeError:  # pragma: no cover - set from C, not by Python
        return True
    return True
