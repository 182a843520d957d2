"""The time that a process without a supervisor has to end."""

from __future__ import annotations

import _thread
import logging
import math
import os
import signal
import sys
import threading
import time
import traceback
import typing as t

from buvar import plugin

from ._first_failure import FirstFailure
from ._streams import flush
from ._streams import say


_log = logging.getLogger("buvar.fork")

#: What a process that was killed exits with: a supervisor would kill it.
_CODE: t.Final = 128 + getattr(signal, "SIGKILL", 9)
#: Seconds between two looks of the thread.
_LOOK: t.Final = 0.1


class Grace:
    """
    Ends this process when it does not end by itself.

    A thread that blocks is waited for by the event loop when that closes, by
    its executor, and by the interpreter at its exit. Once a signal has asked
    the process to end, none of them may take longer than that. Neither may
    the event loop take longer to notice the signal, while a callback blocks
    it. A stage that ends by itself has as long; what comes after it is up to
    the caller.

    Args:
        seconds: How long it may take.
        finish: How long a stage may take that ends by itself.
        release: Gives back what the service has taken, e.g. files.
    """

    def __init__(
        self,
        seconds: float,
        finish: float,
        release: t.Callable[[], object],
    ) -> None:
        self._seconds = seconds
        self._finish = finish
        self._release = release
        self._stage_ended = threading.Event()
        self._left: list[threading.Thread] = []
        #: When it must have ended.
        self._due = math.inf
        self._begun = False
        #: Whether the process has to end, too, rather than the stage alone.
        self._asked = False
        self._watched = False
        #: What failed in the stage, which then never says so.
        self.failed = FirstFailure()
        #: Tells whether a second Ctrl-C ends the process anyway.
        self.forced: t.Callable[[], bool] = lambda: False

    def arrived(self) -> None:
        """Note, in its handler, a signal that may be one to end."""
        self._asked = True
        self._end_within(self._seconds)

    def handled(self) -> None:
        """Note that the event loop has handled it."""
        if not self._begun:
            self._asked = False
            self._due = math.inf

    def begin(self) -> None:
        """Count the time from now on, or from when the signal arrived."""
        self._begun = self._asked = True
        self._end_within(self._seconds)

    def begin_stage(self) -> None:
        """Count the time of a stage that ends by itself from now on."""
        self._begun = True
        self._end_within(self._finish)

    def _end_within(self, seconds: float) -> None:
        self._due = min(self._due, time.monotonic() + seconds)
        if not self._watched and seconds < threading.TIMEOUT_MAX:
            self._watched = True
            # Without the locks of threading, which a handler may find held.
            _thread.start_new_thread(self._watch, ())

    def end(self) -> None:
        """Note that the stage is over, with the threads that still run."""
        self._left = [
            thread
            for thread in threading.enumerate()
            if not thread.daemon and thread is not threading.main_thread()
        ]
        self._stage_ended.set()

    def _watch(self) -> None:
        while not self._stage_ended.wait(
            min(_LOOK, max(0.0, self._due - time.monotonic()))
        ):
            if time.monotonic() >= self._due:
                self._kill(threading.enumerate())
        if not self._asked:
            return  # Nor was a signal handled that was not one to end.
        # What the caller does after the stage takes as long as it takes.
        threading.main_thread().join()
        for thread in self._left:
            thread.join(max(0.0, self._due - time.monotonic()))
        blocked = [thread for thread in self._left if thread.is_alive()]
        if blocked:
            self._kill(blocked)

    def _kill(self, threads: list[threading.Thread]) -> None:
        """Say what blocks, and end the process."""
        while self.forced():
            time.sleep(_LOOK)  # That ends it within two seconds, and says so.
        own = threading.current_thread()
        blocking = [thread for thread in threads if thread is not own]
        _log.error(
            "The service does not end within graceful_timeout, %g s: %s. It "
            "is killed; where it is blocked is on stderr.",
            self._seconds if self._asked else self._finish,
            ", ".join(_where(thread) for thread in blocking),
            extra={"threads": [thread.name for thread in blocking]},
        )
        if not self._stage_ended.is_set() and self.failed.error is not None:
            for failure in plugin.failures(self.failed.error):
                _log.error(
                    "%s",
                    failure,
                    exc_info=failure.error,
                    extra={**failure.facts},
                )
        for thread in blocking:
            say(f"Thread {thread.name}:\n{_stack(thread)}")
        try:
            self._release()
        finally:
            flush()
            os._exit(_CODE)


def _frame(thread: threading.Thread) -> t.Any:
    return sys._current_frames().get(thread.ident or 0)  # noqa: SLF001


def _where(thread: threading.Thread) -> str:
    frame = _frame(thread)
    if frame is None:
        return f"thread {thread.name}"
    return (
        f"thread {thread.name} in {frame.f_code.co_name} "
        f"({frame.f_code.co_filename}:{frame.f_lineno})"
    )


def _stack(thread: threading.Thread) -> str:
    frame = _frame(thread)
    return "".join(traceback.format_stack(frame)) if frame else ""
