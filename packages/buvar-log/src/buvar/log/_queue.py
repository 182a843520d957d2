"""Listeners of queue handlers: started, stopped at the end, and over forks."""

from __future__ import annotations

import copy
import logging
import logging.handlers
import os
import queue
import typing as t


class Listening(logging.Handler):
    """
    Run the listener that Python makes for a queue handler, from 3.12 on.

    A thread does not survive a fork: without this a forked worker's events
    would stay in its queue for ever. So the listener rests while the process
    forks, and goes on in both: in the child with a queue of its own, unless
    the queue belongs to several processes anyway.

    It is a handler only for ``logging.shutdown``, which closes it first, so
    that what is queued is still written at the end of the process.

    Args:
        handler: Puts records into the queue.
        listener: Takes them out.
    """

    def __init__(self, handler: logging.Handler, listener: t.Any) -> None:
        super().__init__()
        self._handler = t.cast("t.Any", handler)
        self._listener = listener
        self._runs = False
        self._ended = False
        if self._is_own() and not _is_changed(handler):
            self._handler.prepare = _prepare
        self._resume()
        if hasattr(os, "register_at_fork"):  # pragma: no branch
            os.register_at_fork(
                before=self._rest,
                after_in_parent=self._resume,
                after_in_child=self._start_anew,
            )

    def emit(self, record: logging.LogRecord) -> None:
        """Do nothing: no logger has this handler."""

    def close(self) -> None:
        """Write what is queued, and end."""
        self._rest()
        self._ended = True
        super().close()

    def _rest(self) -> None:
        """Stop; what is queued is written first."""
        if self._runs:
            self._runs = False
            self._listener.stop()

    def _resume(self) -> None:
        if not self._ended:
            self._runs = True
            self._listener.start()

    def _start_anew(self) -> None:
        """Go on in a child."""
        if self._ended:
            return
        if not self._is_own():
            return  # Shared with the parent, whose listener takes it all.
        own = type(self._handler.queue)()
        self._handler.queue = self._listener.queue = own
        self._resume()

    def _is_own(self) -> bool:
        """Tell whether the queue belongs to this process only."""
        return isinstance(self._handler.queue, queue.Queue | queue.SimpleQueue)


def _is_changed(handler: logging.Handler) -> bool:
    """Tell whether a class of the user's own prepares its records itself."""
    prepare: t.Any = getattr(type(handler), "prepare", None)
    return prepare is not logging.handlers.QueueHandler.prepare


def _prepare(record: logging.LogRecord) -> logging.LogRecord:
    """
    Return what to put into a queue of this process.

    Python would make text of the exception, as it may go to another process;
    here the record stays what it is, only its arguments may change meanwhile.
    """
    record = copy.copy(record)
    record.msg = record.getMessage()
    record.args = None
    return record
