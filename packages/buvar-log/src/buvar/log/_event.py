"""Records of the standard library to events: flat dictionaries."""

from __future__ import annotations

import itertools
import logging
import os
import sys
import time
import typing as t

from ._clean import PLAIN
from ._clean import Cleaner
from ._clean import safe_repr
from ._exception import safe_str
from ._redact import MASK
from ._redact import Secrets


Event: t.TypeAlias = dict[str, t.Any]

_STANDARD = list(logging.LogRecord("", 0, "", 0, "", (), None).__dict__)
_LAST = len(_STANDARD) - 1

#: The attribute of a record that keeps fields named as one of its own.
CLASHING: t.Final = "buvar_fields"

#: Keys that formatters give a meaning to.
_RENDERED: t.Final = frozenset({"exception", "exc_info", "stack"})

#: Names that a field cannot have on a record.
RESERVED: t.Final = frozenset(
    [*_STANDARD, "message", "asctime", "taskName", CLASHING]
)


class EventMaker:
    """
    Make the event of a record: who, when and what, then all its fields.

    Fields come from structlog's context variables, from the bound logger and
    the call, or from ``extra``. One that is named like a key of every event
    gets an underscore at its end.

    Args:
        secrets: Says which keys are secret.
        strict: Leave no objects, numbers and texts apart.
    """

    def __init__(self, secrets: Secrets, *, strict: bool = False) -> None:
        # Only here: structlog takes longer to import than all of logging.
        import structlog.contextvars  # noqa: PLC0415

        self._context = structlog.contextvars.get_contextvars
        self._secrets = secrets
        self._clean = Cleaner(secrets, strict=strict)
        self._second = (-1, "")

    def __call__(self, record: logging.LogRecord) -> Event:
        """Return a new event."""
        event: Event = {
            "timestamp": self._timestamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.msg,
            "pid": record.process or os.getpid(),
        }
        hide = self._secrets.hide
        if record.args or type(record.msg) is not str:
            self._message(event, record)
            event["event"] = hide(event["event"])
        else:
            event["event"] = self._secrets.shown[record.msg]
        fields = self._context()
        if "opentelemetry.trace" in sys.modules:
            fields |= _span()
        fields |= _fields(record)
        for key, value in fields.items():
            taken = key in event or key in _RENDERED
            if taken and key == "exception" and _is_described(value, record):
                # What another process raised, as ours would be written.
                event[key] = self._clean(value)
                continue
            name = f"{key}_" if taken else key
            if self._secrets[key]:
                event[name] = MASK
            elif type(value) is str:
                # A word alone tells nothing.
                event[name] = value if value.isalnum() else hide(value)
            elif type(value) in PLAIN:
                event[name] = value
            else:
                event[name] = self._clean(value)
        return event

    def _timestamp(self, created: float) -> str:
        second = int(created)
        known, text = self._second
        if known != second:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = (second, text)
        return f"{text}.{int((created - second) * 1e6):06d}Z"

    def _message(self, event: Event, record: logging.LogRecord) -> None:
        try:
            event["event"] = record.getMessage()
        except Exception as error:  # noqa: BLE001 - the caller's arguments
            event["event"] = safe_str(record.msg)
            hide = self._secrets.hide
            event["positional_args"] = hide(safe_repr(record.args))
            event["log_error"] = hide(
                f"{type(error).__name__}: {safe_str(error)}"
            )


def _is_described(value: object, record: logging.LogRecord) -> bool:
    """Tell whether a field is an exception as this package writes them."""
    if record.exc_info or not isinstance(value, list) or not value:
        return False
    first: object = t.cast("list[object]", value)[0]
    return isinstance(first, dict) and "exc_type" in first


def _fields(record: logging.LogRecord) -> Event:
    """Return what was added to a record."""
    attributes = record.__dict__
    names = list(attributes)
    # Added fields follow the standard ones, unless somebody's factory has
    # other ideas.
    if names[_LAST : _LAST + 1] == _STANDARD[_LAST:]:
        if len(names) == _LAST + 1:
            return {}
        added: t.Iterable[tuple[str, t.Any]] = itertools.islice(
            attributes.items(), _LAST + 1, None
        )
    else:
        added = attributes.items()
    fields = {key: value for key, value in added if key not in RESERVED}
    if CLASHING in attributes:
        fields |= attributes[CLASHING]
    return fields


def _span() -> Event:
    """Return the ids of the current span, if there is one."""
    trace: t.Any = sys.modules["opentelemetry.trace"]
    if not hasattr(trace, "get_current_span"):
        return {}  # It is just being imported.
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
    }
