"""Signals of the operating system, handled in the event loop."""

from __future__ import annotations

import asyncio
import inspect
import logging
import signal
import threading
import types
import typing as t

from ._errors import OptionError


_log = logging.getLogger("buvar.plugin")

#: All there are somewhere: a handler for one that is missing here is fine.
_ELSEWHERE = frozenset(
    {"ALRM", "BREAK", "CHLD", "CONT", "HUP", "INFO", "IO", "PIPE", "PWR"}
    | {"QUIT", "TERM", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2"}
    | {"VTALRM", "WINCH", "XCPU", "XFSZ", "INT", "PROF"}
)

_Previous: t.TypeAlias = "t.Callable[..., t.Any] | int | None"


class Signals:
    """
    Handles signals while a stage runs.

    ``INT`` and ``TERM`` stop it, a second one stops it at once. A subclass
    handles more of them, with functions or coroutine functions.

    Args:
        stop: Called to stop the stage.

    Example:
        >>> class Reload(Signals):
        ...     def handle_hup(self):
        ...         print("reading the configuration again")
    """

    def __init__(self, stop: t.Callable[[], None]) -> None:
        self._stop = stop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._before: dict[signal.Signals, _Previous] = {}
        self._native: set[signal.Signals] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def handle_int(self) -> t.Any:
        """Stop the stage."""
        self._stop()

    def handle_term(self) -> t.Any:
        """Stop the stage."""
        self._stop()

    def handlers(self) -> dict[signal.Signals, t.Callable[[], t.Any]]:
        """
        Return what handles which signal.

        Raises:
            OptionError: A handler is named after no signal.
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
                raise OptionError(
                    "signals",
                    f"{type(self).__qualname__}.{attribute} handles no signal",
                    "Name it after one in lower case, e.g. handle_usr1.",
                )
        return found

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Handle the signals; only the main thread can."""
        handlers = self.handlers()
        if threading.current_thread() is not threading.main_thread():
            _log.debug("Signals are not handled outside of the main thread.")
            return
        self._loop = loop
        for number, handler in handlers.items():
            self._before[number] = signal.getsignal(number)
            try:
                loop.add_signal_handler(number, self._handle, handler)
                self._native.add(number)
            except NotImplementedError:
                signal.signal(number, self._from_interpreter)

    def _from_interpreter(
        self, number: int, _frame: types.FrameType | None
    ) -> None:
        """Take a signal where the event loop cannot."""
        handler = self.handlers()[signal.Signals(number)]
        loop = t.cast("asyncio.AbstractEventLoop", self._loop)
        loop.call_soon_threadsafe(self._handle, handler)

    def _handle(self, handler: t.Callable[[], t.Any]) -> None:
        result = handler()
        if inspect.iscoroutine(result):
            task = asyncio.get_running_loop().create_task(result)
            self._tasks.add(task)
            task.add_done_callback(self._handled)

    def _handled(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("A signal handler failed.", exc_info=task.exception())

    def restore(self) -> None:
        """Put back what handled the signals before."""
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
