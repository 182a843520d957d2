"""Formatters: the same event as a line of JSON or for people to read."""

from __future__ import annotations

import abc
import json
import logging
import os
import re
import sys
import typing as t

from ._clean import safe_repr
from ._event import EventMaker
from ._exception import exception_dicts
from ._exception import safe_str
from ._json import JsonWriter
from ._redact import SECRET_WORDS
from ._redact import Secrets


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class EventFormatter(logging.Formatter, abc.ABC):
    """Render a record, and never fail."""

    def __init__(
        self,
        redact: t.Iterable[str] = SECRET_WORDS,
        *,
        strict: bool = False,
    ) -> None:
        super().__init__()
        self._secrets = Secrets(redact)
        self._event = EventMaker(self._secrets, strict=strict)

    def render(self, record: logging.LogRecord) -> bytes:
        """Return the bytes to write, ended by a line feed."""
        try:
            return self._render(record)
        except Exception as error:  # noqa: BLE001 - see the first line
            return last_resort(record, error)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line as a handler of the standard library wants it."""
        return self.render(record).decode("utf-8", "replace").rstrip("\n")

    @abc.abstractmethod
    def _render(self, record: logging.LogRecord) -> bytes:
        """Return the line of a record."""


class JsonFormatter(EventFormatter):
    """
    Render a record as one line of JSON.

    Args:
        redact: Words that mark a key as secret.
        orjson: Use orjson where it is installed.
    """

    def __init__(
        self,
        redact: t.Iterable[str] = SECRET_WORDS,
        *,
        orjson: bool = True,
    ) -> None:
        super().__init__(redact)
        self._write = JsonWriter(self._secrets, orjson=orjson)

    def _render(self, record: logging.LogRecord) -> bytes:
        event = self._event(record)
        if record.exc_info:
            if record.exc_info[1] is not None:
                event["exception"] = exception_dicts(record.exc_info)
        elif record.exc_text:
            event["exception"] = record.exc_text
        if record.stack_info:
            event["stack"] = record.stack_info
        return self._write(event)


class ConsoleFormatter(EventFormatter):
    """
    Render a record for a terminal.

    Args:
        redact: Words that mark a key as secret.
        colors: Use colours; by default unless ``NO_COLOR`` is set.
    """

    def __init__(
        self,
        redact: t.Iterable[str] = SECRET_WORDS,
        *,
        colors: bool | None = None,
    ) -> None:
        super().__init__(redact, strict=True)
        from structlog import dev  # noqa: PLC0415 - it imports much

        if colors is None:
            # On Windows structlog's colours need one more package.
            colors = not os.environ.get("NO_COLOR") and os.name != "nt"
        # Local variables in a traceback would show secrets.
        pretty = colors and "rich" in sys.modules
        self._renderer = dev.ConsoleRenderer(
            colors=colors,
            exception_formatter=dev.RichTracebackFormatter(show_locals=False)
            if pretty
            else dev.plain_traceback,
        )

    def _render(self, record: logging.LogRecord) -> bytes:
        event = {
            key: _visible(value) if isinstance(value, str) else value
            for key, value in self._event(record).items()
        }
        if record.exc_info:
            if record.exc_info[1] is not None:
                event["exc_info"] = record.exc_info
        elif record.exc_text:
            # As the stack: structlog warns of exceptions that are text.
            event["stack"] = record.exc_text
        if record.stack_info:
            stacks = [event.get("stack"), record.stack_info]
            event["stack"] = "\n".join(filter(None, stacks))
        text = self._renderer(None, record.levelname.lower(), event)
        return f"{text}\n".encode("utf-8", "backslashreplace")


def _visible(text: str) -> str:
    """Show control characters, which could rewrite the screen."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def last_resort(record: logging.LogRecord, error: BaseException) -> bytes:
    """Return a line for a record that its formatter could not render."""
    event = {
        "level": safe_str(record.levelname).lower(),
        "logger": safe_str(record.name),
        "event": safe_str(record.msg),
        "pid": os.getpid(),
        "log_error": safe_repr(error),
    }
    return json.dumps(event).encode() + b"\n"
