"""Standard input of a worker: a terminal belongs to the parent."""

from __future__ import annotations

import contextlib
import errno
import io
import sys
import typing as t


class NoTerminalInput(io.TextIOBase):
    """Stands for a terminal that must not be read from."""

    def readable(self) -> bool:
        """Tell that it may be read from: that says what is wrong."""
        return True

    def read(self, _size: int | None = -1, /) -> t.NoReturn:
        """
        Refuse.

        Raises:
            OSError: Always.
        """
        raise OSError(
            errno.EIO,
            "a worker cannot read from the terminal, which several "
            "processes share; run it with forks=1",
        )

    def readline(self, _size: int = -1, /) -> t.NoReturn:  # type: ignore[override]
        """
        Refuse.

        Raises:
            OSError: Always.
        """
        self.read()


def no_terminal_input() -> None:
    """Replace standard input, if that is a terminal."""
    # It may be missing, closed, or whatever somebody has put there.
    with contextlib.suppress(AttributeError, ValueError, OSError):
        if sys.stdin.isatty():
            sys.stdin = t.cast("t.TextIO", NoTerminalInput())
