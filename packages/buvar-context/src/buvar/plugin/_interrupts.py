"""
End the process on a second Ctrl-C, whatever it is doing.

The problem: an event loop handles a signal between two callbacks. While a
callback blocks it (a plugin that is imported, a request that computes) no
signal is handled, a task may swallow its cancellation, and a thread of the
executor cannot be cancelled at all. So pressing Ctrl-C does nothing, again
and again.

Handlers of the interpreter run between two instructions of the main thread,
also while it blocks. They note that a signal arrived and start a thread: it
says where a blocked loop is, and ends the process when its time is over. A
second Ctrl-C first does all that lets the teardown run: it raises
``KeyboardInterrupt`` in a callback that blocks, cancels tasks, abandons them.
The thread only ends what has not ended by then.

Not done: a watching process, which alone could end C code that keeps the
interpreter's lock; ``faulthandler.dump_traceback_later``, of which there is
one, for the user; a thread for the whole life of a stage, which would be
there when somebody forks.
"""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import logging
import math
import os
import signal
import sys
import threading
import time
import traceback
import typing as t

from ._threads import describe
from ._threads import frame_of
from ._waiting import Pauses
from ._waiting import Waiting


_log = logging.getLogger("buvar.plugin")

#: Seconds from the second Ctrl-C to the end of the process.
FORCE: t.Final = 1.8
#: Seconds from the second Ctrl-C at which to stop once more, and harder.
HARDER: t.Final = (0.6, 1.0, 1.3)
#: Seconds that are left to tidy up behind a thread that goes on.
TIDY: t.Final = 0.4

#: What shells report of a process that was interrupted from the keyboard.
INTERRUPTED: t.Final = 130

_FORCED: t.Final = "The process is ended by force: it waited for"
#: Seconds between two looks of the thread.
_LOOK: t.Final = 0.05
#: Seconds between two signs of life of the loop.
_TURN: t.Final = 0.25
#: Seconds without one after which the loop is blocked.
_BLOCKED: t.Final = 0.6
#: Seconds after which a signal that was not handled tells the same.
_UNHANDLED: t.Final = 0.2
#: Seconds that the last words get.
_LAST_WORDS: t.Final = 0.3


class Interrupts:
    """
    Watches what becomes of ``INT`` and ``TERM``.

    Args:
        stop: Stops the stage, harder each time.
        waiting: Names what is waited for.
        exit_timeout: Seconds after the first signal until the process is
            ended, ``None`` for ever.

    Attributes:
        deadline: When the process is ended by force, in monotonic time.
        forced: Whether the user asked for that.
    """

    def __init__(
        self,
        stop: t.Callable[[], None],
        waiting: Waiting,
        exit_timeout: float | None,
    ) -> None:
        self.deadline = math.inf
        self.forced = False
        self._stop = stop
        self._waiting = waiting
        self._exit_timeout = exit_timeout
        self._threads = frozenset(threading.enumerate())
        self._arrived = 0
        self._unhandled: float | None = None
        self._last_turn = 0.0
        self._next_turn: asyncio.TimerHandle | None = None
        self._code = 1
        self._ended = False
        self._over = threading.Event()

    # --- in the handler of the interpreter --------------------------------

    def arrived(self, number: int, *, handled: bool = False) -> None:
        """
        Note a signal, before the loop handles it.

        Args:
            number: The signal.
            handled: Whether it has interrupted what blocks the loop.

        Raises:
            KeyboardInterrupt: It is the second one, and the loop is blocked.
        """
        now = time.monotonic()
        blocked = self._is_blocked(now) and not handled
        self._arrived += 1
        if self._unhandled is None:
            self._unhandled = now
        if self._arrived == 1:
            self._last_turn = now
            if self._exit_timeout is not None:
                self.deadline = now + self._exit_timeout
            # Without the locks of threading, which may be held just now.
            _thread.start_new_thread(self._watch, ())
        elif number == signal.SIGINT:
            if not self.forced:
                self.forced = True
                self._code = INTERRUPTED
                self.deadline = min(self.deadline, now + FORCE)
            if blocked:
                # That is its answer, and the thread gives no second one while
                # the loop is on its way to the teardown.
                self._last_turn = now
                self._unhandled = None
                raise KeyboardInterrupt

    def _is_blocked(self, now: float) -> bool:
        unhandled = self._unhandled
        if unhandled is not None and now - unhandled > _UNHANDLED:
            return True
        return bool(self._arrived) and now - self._last_turn > _BLOCKED

    # --- in the event loop ------------------------------------------------

    def handled(self) -> None:
        """Note that the loop handles a signal."""
        self._unhandled = None
        loop = asyncio.get_running_loop()
        if self._next_turn is None:
            self._note_turn(loop)
        if self.forced and not self._over.is_set():
            for seconds in HARDER:
                loop.call_later(seconds, self._harder)

    def _harder(self) -> None:
        if not self._over.is_set():
            self._stop()

    def _note_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._last_turn = time.monotonic()
        self._next_turn = loop.call_later(_TURN, self._note_turn, loop)

    def end(self) -> None:
        """
        Watch no more: the stage has ended.

        If the process is to end at a certain time, threads that were left
        running are not a reason for it to go on.
        """
        self._ended = True
        if self._next_turn is not None:
            self._next_turn.cancel()
        if self.deadline == math.inf or not self.left():
            self._over.set()

    def left(self) -> list[threading.Thread]:
        """Return the threads that were started since and keep a process."""
        return [
            thread
            for thread in threading.enumerate()
            if thread not in self._threads
            and not thread.daemon
            and thread is not threading.current_thread()
        ]

    # --- in a thread of its own -------------------------------------------

    def _watch(self) -> None:
        pauses, pressed = Pauses(), False
        silent = pauses.next()
        while not self._over.wait(_LOOK):
            now = time.monotonic()
            if now >= self.deadline:
                self._exit()
            blocked = now - self._last_turn
            if self.forced and self._is_blocked(now) and not pressed:
                pressed = True
                _press()
            if self._unhandled is None and blocked < _BLOCKED:
                pauses = Pauses()
                silent = pauses.next()
            elif blocked >= silent and not self._ended:
                silent = blocked + pauses.next()
                self._say_blocked(blocked)

    def _say_blocked(self, seconds: float) -> None:
        _log.warning(
            "Waiting for the event loop, which has been blocked for %.0f s, "
            "here:\n%sPress Ctrl-C again to interrupt it.",
            seconds,
            _main_stack(),
            extra={"seconds": round(seconds, 1)},
        )

    def _exit(self) -> t.NoReturn:
        """End the process; what holds a lock cannot prevent that."""
        said = threading.Event()
        try:
            _thread.start_new_thread(self._last_words, (said,))
        except RuntimeError:
            # Python 3.12 starts none while the interpreter ends; here no lock
            # may be waited for, as logging has some.
            with contextlib.suppress(Exception):
                os.write(2, f"{_FORCED} {self._awaited()}.\n".encode())
        else:
            said.wait(_LAST_WORDS)
        os._exit(self._code)

    def _last_words(self, said: threading.Event) -> None:
        try:
            blocked = time.monotonic() - self._last_turn > _BLOCKED
            here = ", which is blocked here:\n" + _main_stack()
            _log.critical(
                _FORCED + " %s",
                "the event loop" + here
                if blocked and not self._ended
                else self._awaited() + ".",
            )
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):
                    stream.flush()
        finally:
            said.set()

    def _awaited(self) -> str:
        with contextlib.suppress(RuntimeError):
            # Another thread may change what is looked at.
            if text := self._waiting.text():
                return text
        named = ", ".join(describe(thread) for thread in self.left())
        return named or "the program to end"


def _main_stack() -> str:
    frame = frame_of(threading.main_thread())
    if frame is None:
        return "  (no Python code)\n"
    return "".join(traceback.format_stack(frame))


def _press() -> None:
    """Have the handler of the interpreter look once more."""
    if hasattr(signal, "pthread_kill"):
        ident = threading.main_thread().ident or 0
        signal.pthread_kill(ident, signal.SIGINT)
    else:  # pragma: no cover - Windows
        _thread.interrupt_main()
