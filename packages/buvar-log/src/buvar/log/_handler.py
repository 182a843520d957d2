"""The handler: render, write, and count what could not be written."""

from __future__ import annotations

import logging
import os
import threading
import time
import typing as t

from ._exception import safe_str
from ._format import last_resort
from ._output import Output


#: The logger of what this package has to say itself.
OWN: t.Final = "buvar.log"

#: Seconds between two reports of lost events.
REPORT_EVERY: t.Final = 10.0
#: How deep events may be logged while others are rendered.
_NESTED = 3


class OutputHandler(logging.Handler):
    """
    Write records to standard error, standard output or a file.

    An output that fails, is full or closed costs the events, not the
    application: they are counted, and reported when the output works again.

    Args:
        output: "stderr", "stdout" or a path.
        write_timeout: How many seconds to wait once for an output that is
            full. As long as it stays full, no event waits again.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(
        self, output: str = "stderr", write_timeout: float = 0.5
    ) -> None:
        # One that cannot be made must not be there for logging.shutdown().
        opened = Output(output)
        super().__init__()
        self._output = opened
        self._patience = write_timeout
        self._nested = threading.local()
        self._pid = os.getpid()
        self._lost = 0
        self._full = False
        self._error = ""
        self._reported = float("-inf")
        self._complained = float("-inf")

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit the record unless a filter objects; lock only to write."""
        passed: t.Any = self.filter(record) if self.filters else True
        if isinstance(passed, logging.LogRecord):
            record = passed  # pragma: no cover - from Python 3.12 on
        if passed:
            self.emit(record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record."""
        # A repr may log, and the repr of what that logs, ...
        depth = getattr(self._nested, "depth", 0)
        if depth >= _NESTED:
            return
        self._nested.depth = depth + 1
        try:
            line = self._line(record)
        finally:
            self._nested.depth = depth
        lock: t.Any = self.lock
        with lock:
            if self._pid != os.getpid():
                # What its parent lost is not for this process to report.
                self._pid = os.getpid()
                self._lost = 0
                self._full = False
            self._write(line)

    def close(self) -> None:
        """Close the output if it is a file."""
        lock: t.Any = self.lock
        with lock:
            self._output.close()
        super().close()

    def _line(self, record: logging.LogRecord) -> bytes:
        formatter: t.Any = self.formatter
        try:
            if render := getattr(formatter, "render", None):
                line: bytes = render(record)
                return line
            text = self.format(record) + "\n"
            return text.encode("utf-8", "backslashreplace")
        except Exception as error:  # noqa: BLE001 - logging never fails
            return last_resort(record, error)

    def _write(self, line: bytes) -> None:
        try:
            if self._lost:
                self._report()
            self._output.write(line, 0 if self._full else self._patience)
        except Exception as error:  # noqa: BLE001 - any stream
            self._lost += 1
            self._full = isinstance(error, BlockingIOError)
            self._error = f"{type(error).__name__}: {safe_str(error)}"
            self._complain()
        else:
            self._full = False
            if self._output.trouble is not None:
                trouble = self._output.trouble
                self._error = f"{type(trouble).__name__}: {trouble}"
                self._complain("log file cannot be opened again")

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._reported < REPORT_EVERY:
            return
        self._output.write(self._notice("log events were lost"), 0)
        self._reported = now
        self._lost = 0

    def _complain(self, what: str = "log output fails") -> None:
        """Say on standard error that another output fails."""
        now = time.monotonic()
        if (
            self._output.target == "stderr"
            or now - self._complained < REPORT_EVERY
        ):
            return
        self._complained = now
        try:
            Output("stderr").write(self._notice(what), 0)
        except Exception as error:  # noqa: BLE001 - any stream
            # Nowhere is left to say it now: it is said with the losses.
            self._error += f"; stderr: {type(error).__name__}"

    def _notice(self, text: str) -> bytes:
        record = logging.LogRecord(OWN, logging.WARNING, "", 0, text, (), None)
        record.__dict__.update(
            lost=self._lost, output=self._output.target, error=self._error
        )
        return self._line(record)
