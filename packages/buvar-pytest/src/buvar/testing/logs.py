"""Log records to assert on: the fixture ``buvar_logs``."""

from __future__ import annotations

import logging
import typing as t

from collections.abc import Sequence


#: What a field is that a record does not have.
_ABSENT: t.Final = object()


class Logs(Sequence[logging.LogRecord]):
    """
    The records that were logged, oldest first.

    Example:
        >>> logs = Logs()
        >>> with logs.collecting():
        ...     logging.warning("The pool is full.", extra={"size": 3})
        >>> logs.one("The pool is full.", size=3).levelname
        'WARNING'
    """

    def __init__(self) -> None:
        self._records: list[logging.LogRecord] = []

    @t.overload
    def __getitem__(self, index: int) -> logging.LogRecord: ...
    @t.overload
    def __getitem__(self, index: slice) -> list[logging.LogRecord]: ...
    def __getitem__(
        self, index: int | slice
    ) -> logging.LogRecord | list[logging.LogRecord]:
        """Return a record, or several."""
        return self._records[index]

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self._records)

    def __repr__(self) -> str:
        """Show what was logged."""
        return f"<Logs: {self.text or 'nothing was logged'}>"

    @property
    def messages(self) -> list[str]:
        """The messages with their arguments filled in."""
        return [message_of(record) for record in self._records]

    @property
    def text(self) -> str:
        """A line for each record: level, logger and message."""
        return "\n".join(
            f"{record.levelname} {record.name}: {message_of(record)}"
            for record in self._records
        )

    def find(
        self,
        message: str | None = None,
        /,
        *,
        logger: str | None = None,
        level: str | None = None,
        **fields: t.Any,
    ) -> list[logging.LogRecord]:
        """
        Return the records that have all that is given.

        Args:
            message: A part of the message.
            logger: The name of the logger, or of one above it.
            level: The name of the level.
            fields: What was logged with ``extra``, or as a keyword with
                structlog.
        """
        return [
            record
            for record in self._records
            if (message is None or message in message_of(record))
            and (logger is None or f"{record.name}.".startswith(f"{logger}."))
            and (level is None or record.levelname == level)
            and all(
                _field(record, name) == value for name, value in fields.items()
            )
        ]

    def one(
        self,
        message: str | None = None,
        /,
        *,
        logger: str | None = None,
        level: str | None = None,
        **fields: t.Any,
    ) -> logging.LogRecord:
        """
        Return the only record that has all that is given, see ``find()``.

        Raises:
            AssertionError: There is none, or there are several.
        """
        found = self.find(message, logger=logger, level=level, **fields)
        if len(found) != 1:
            wanted = {"message": message, "logger": logger, "level": level}
            known = {k: v for k, v in wanted.items() if v is not None} | fields
            raise AssertionError(
                f"Of what was logged, {len(found)} records have {known}; "
                f"one was expected. Logged was:\n{self.text or 'nothing'}"
            )
        return found[0]

    def clear(self) -> None:
        """Forget what was logged so far."""
        self._records.clear()

    def collecting(self, level: int = logging.INFO) -> Collecting:
        """
        Collect what is logged within a ``with`` block.

        Args:
            level: The level of the root logger for that time, unless it lets
                more through already.
        """
        return Collecting(self._records, level)


class Collecting(logging.Handler):
    """A handler of the root logger for the length of a ``with`` block."""

    def __init__(
        self, records: list[logging.LogRecord], root_level: int
    ) -> None:
        super().__init__()
        self._records = records
        self._root_level = root_level
        self._before = logging.NOTSET

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self._records.append(record)

    def __enter__(self) -> None:
        """Begin to collect."""
        root = logging.getLogger()
        self._before = root.level
        root.addHandler(self)
        root.setLevel(min(root.level, self._root_level))

    def __exit__(self, *_: object) -> None:
        """Leave the root logger as it was."""
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._before)


def message_of(record: logging.LogRecord) -> str:
    """Return the message of a record, or the event of structlog in it."""
    event = _event(record)
    if event is None:
        return record.getMessage()
    return str(event.get("event", ""))


def _event(record: logging.LogRecord) -> dict[str, object] | None:
    """Return what structlog has passed in the place of a message."""
    message: object = record.msg
    if isinstance(message, dict):
        return t.cast("dict[str, object]", message)
    return None


def _field(record: logging.LogRecord, name: str) -> t.Any:
    event = _event(record)
    if event is not None and name in event:
        return event[name]
    return getattr(record, name, _ABSENT)


__all__ = ["Collecting", "Logs", "message_of"]
