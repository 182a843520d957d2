"""Standard output whose lines become events."""

from __future__ import annotations

import io
import logging
import os
import threading
import typing as t


#: A line may be long, but not without end.
_LONGEST = 65_536


class PrintStream(io.TextIOBase):
    """
    Log each line written, as an event of the logger "print".

    What lacks its line feed waits for it, per thread. What is printed while
    an event is logged goes to the stream below: so nothing recurses.

    Args:
        wrapped: The stream to replace.
        logger: The logger to use.
    """

    def __init__(self, wrapped: t.TextIO, logger: logging.Logger) -> None:
        super().__init__()
        #: The stream below, which the log handler looks for.
        self.buvar_wrapped = wrapped
        self._logger = logger
        self._pid = os.getpid()
        self._parts: dict[int, str] = {}
        self._busy = threading.local()

    def write(self, text: str, /) -> int:
        """Log the lines that are complete."""
        if getattr(self._busy, "now", False):
            return self.buvar_wrapped.write(text)
        if self._pid != os.getpid():
            # The parent prints what it began.
            self._pid = os.getpid()
            self._parts = {}
        ident = threading.get_ident()
        *lines, rest = (self._parts.pop(ident, "") + text).split("\n")
        if len(rest) > _LONGEST:
            lines.append(rest)
            rest = ""
        if rest:
            self._parts[ident] = rest
        for line in lines:
            self._log(line)
        return len(text)

    def flush(self) -> None:
        """Flush the stream below; an open line stays open."""
        if not self.buvar_wrapped.closed:
            self.buvar_wrapped.flush()

    def finish(self) -> None:
        """Log what still has no line feed."""
        if self._pid == os.getpid():
            while self._parts:
                self._log(self._parts.popitem()[1])

    def writable(self) -> bool:
        """Say yes."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the stream below."""
        return self.buvar_wrapped.fileno()

    def __getattr__(self, name: str) -> t.Any:
        """Return what else the stream below has, such as its buffer."""
        return getattr(self.buvar_wrapped, name)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream below."""
        return self.buvar_wrapped.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """The error handler of the stream below."""
        return self.buvar_wrapped.errors

    def _log(self, line: str) -> None:
        if not (line := line.rstrip("\r")).strip():
            return
        self._busy.now = True
        try:
            self._logger.info("%s", line)
        finally:
            self._busy.now = False
