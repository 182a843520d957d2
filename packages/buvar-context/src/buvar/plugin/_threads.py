"""Say which thread runs what, and where."""

from __future__ import annotations

import functools
import sys
import threading
import types
import typing as t


#: Where a thread of an executor calls what it was given.
_EXECUTOR: t.Final = "concurrent.futures.thread"


def frame_of(thread: threading.Thread) -> types.FrameType | None:
    """Return the innermost frame of a thread, if it runs Python code."""
    return sys._current_frames().get(thread.ident or 0)  # noqa: SLF001


def describe(thread: threading.Thread) -> str:
    """Name a thread, what it runs, and the line it is at."""
    text = f"thread {thread.name!r}"
    frame = frame_of(thread)
    if frame is None:
        return text
    if frame.f_globals.get("__name__") == _EXECUTOR:
        # It waits in a function of C, which has no frame.
        function = _given(frame)
        if function is not None:
            name = getattr(function, "__qualname__", None) or repr(function)
            return f"{text}, which runs {name}()"
    code = frame.f_code
    place = f"{code.co_filename}:{frame.f_lineno}"
    return f"{text}, which is in {code.co_name} ({place})"


def _given(frame: types.FrameType) -> t.Any:
    """Return the function that an executor was given, if it can be found."""
    item: t.Any = frame.f_locals.get("self")
    function: t.Any = getattr(item, "fn", None)
    if function is None:
        # Newer Pythons keep it with its arguments.
        task: t.Any = getattr(item, "task", None)
        function = task[0] if isinstance(task, tuple) else None
    while isinstance(function, functools.partial):
        # asyncio.to_thread() gives Context.run() and the function.
        given = function.args
        bound = function.func
        runs = getattr(bound, "__name__", "") == "run" and bool(given)
        function = given[0] if runs else bound
    return function
