"""Standard streams, which may be closed, full or missing."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import typing as t


#: What a stream raises that is full, closed, or not there.
_BROKEN: t.Final = (OSError, ValueError, AttributeError)


def say(line: str) -> None:
    """Write a line to standard error, if that is possible."""
    with contextlib.suppress(*_BROKEN):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def flush() -> None:
    """Write out what standard output and error have buffered."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(*_BROKEN):
            stream.flush()


def write_whole_lines() -> None:
    """
    Have each line that is printed be written at once, end included.

    Workers share these files, and what another one prints would get into a
    line. With ``PYTHONUNBUFFERED`` each piece of what is printed is written
    by itself, and the end of a line is one; without it, what is printed to a
    file or a pipe is written when a buffer is full, wherever that is.
    """
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(*_BROKEN):
                stream.reconfigure(write_through=False, line_buffering=True)


def fill() -> None:
    """
    Open what of the first three files is closed.

    Else a socket or pipe would get its number, and whatever somebody writes
    to standard output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(null, True)  # noqa: FBT003 - positional only
