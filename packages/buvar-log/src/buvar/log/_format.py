"""Formatters: the same event as a line of JSON or for people to read."""

from __future__ import annotations

import abc
import json
import logging
import os
import re
import traceback
import typing as t

from ._clean import safe_repr
from ._event import EventMaker
from ._exception import exception_dicts
from ._exception import safe_str
from ._json import JsonWriter
from ._redact import Secrets


#: Letters that move the cursor, start a line or turn what follows around:
#: controls, the separators of lines and paragraphs, and marks of direction.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
#: What stands before each line that is not the first of its event, so that
#: it cannot be taken for one.
_GUTTER = "  | "


class EventFormatter(logging.Formatter, abc.ABC):
    """Render a record, and never fail."""

    def __init__(
        self,
        redact: t.Iterable[str] = (),
        *,
        redact_defaults: bool = True,
        strict: bool = False,
    ) -> None:
        super().__init__()
        self._secrets = Secrets(redact, defaults=redact_defaults)
        self._event = EventMaker(self._secrets, strict=strict)

    def render(self, record: logging.LogRecord) -> bytes:
        """Return the bytes to write, ended by a line feed."""
        try:
            return self._render(record)
        except Exception as error:  # noqa: BLE001 - see the first line
            return last_resort(record, error, self._secrets)

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
        redact: More words that mark a key as secret.
        redact_defaults: Know the usual words.
        orjson: Use orjson where it is installed.
    """

    def __init__(
        self,
        redact: t.Iterable[str] = (),
        *,
        redact_defaults: bool = True,
        orjson: bool = True,
    ) -> None:
        super().__init__(redact, redact_defaults=redact_defaults)
        self._write = JsonWriter(self._secrets, orjson=orjson)

    def _render(self, record: logging.LogRecord) -> bytes:
        event = self._event(record)
        if record.exc_info:
            if record.exc_info[1] is not None:
                event["exception"] = exception_dicts(
                    record.exc_info, self._secrets.hide
                )
        elif record.exc_text and "exception" not in event:
            event["exception"] = self._secrets.hide(record.exc_text)
        if record.stack_info:
            event["stack"] = self._secrets.hide(record.stack_info)
        return self._write(event)


class ConsoleFormatter(EventFormatter):
    """
    Render a record for a terminal.

    Whatever an event holds, it starts no line of its own and moves no
    cursor: such letters are shown, and the lines of a traceback, or of an
    event that has several, stand behind a bar.

    Args:
        redact: More words that mark a key as secret.
        redact_defaults: Know the usual words.
        colors: Use colours; by default unless ``NO_COLOR`` is set.
    """

    def __init__(
        self,
        redact: t.Iterable[str] = (),
        *,
        redact_defaults: bool = True,
        colors: bool | None = None,
    ) -> None:
        super().__init__(redact, redact_defaults=redact_defaults, strict=True)
        from structlog import dev  # noqa: PLC0415 - it imports much

        if colors is None:
            # On Windows structlog's colours need one more package.
            colors = not os.environ.get("NO_COLOR") and os.name != "nt"
        self._renderer = dev.ConsoleRenderer(colors=colors)

    def _render(self, record: logging.LogRecord) -> bytes:
        event = self._event(record)
        text, *more = _lines(event.pop("event"))
        event.pop("exception", None)  # As text it is easier to read.
        shown = {
            _visible(key): _visible(value) if isinstance(value, str) else value
            for key, value in event.items()
        }
        shown["event"] = _visible(text)
        level = _visible(record.levelname.lower())
        line = self._renderer(None, level, shown)
        for block in (*self._blocks(record), record.stack_info):
            more += _lines(self._secrets.hide(block)) if block else ()
        lines = [line, *(_GUTTER + _visible(each) for each in more)]
        return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")

    @staticmethod
    def _blocks(record: logging.LogRecord) -> t.Iterator[str | None]:
        """Yield the traceback, without variables: they hold secrets."""
        if not record.exc_info:
            yield record.exc_text
        elif record.exc_info[1] is not None:
            yield "".join(traceback.format_exception(*record.exc_info))


def _lines(text: str) -> list[str]:
    """Split a text where a line feed ends a line, and nowhere else."""
    return text.removesuffix("\n").replace("\r\n", "\n").split("\n")


def _visible(text: str) -> str:
    """Show letters that would change how others are read."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def last_resort(
    record: logging.LogRecord,
    error: BaseException,
    secrets: Secrets | None = None,
) -> bytes:
    """Return a line for a record that its formatter could not render."""
    hide = (secrets or Secrets()).hide
    event = {
        "level": safe_str(record.levelname).lower(),
        "logger": safe_str(record.name),
        "event": hide(safe_str(record.msg)),
        "pid": os.getpid(),
        "log_error": hide(safe_repr(error)),
    }
    return json.dumps(event).encode() + b"\n"
