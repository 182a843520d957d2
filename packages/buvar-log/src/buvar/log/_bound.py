"""The bound logger of structlog whose events become standard records."""

# Functions that are made below become methods of the class.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import logging
import sys
import traceback
import types
import typing as t

import structlog

from ._clean import safe_repr
from ._event import CLASHING
from ._event import RESERVED
from ._exception import ExcInfo
from ._exception import safe_str


#: Each key beside the level of the method of this name.
METHODS: t.Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "msg": logging.INFO,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "err": logging.ERROR,
    "exception": logging.ERROR,
    "critical": logging.CRITICAL,
    "fatal": logging.CRITICAL,
}
_CANONICAL = {
    "msg": "info",
    "warn": "warning",
    "err": "error",
    "fatal": "critical",
}


class BoundLogger(structlog.BoundLoggerBase):
    """
    Filter by the level of the standard logger, then hand it a record.

    Processors configured in structlog run in between. Methods are those of
    structlog's filtering logger; the asynchronous ones log at once, a line
    being written faster than a thread is asked to.
    """

    # Names of parameters are names of fields, too: none can be given by one.

    def bind(self, /, **new_values: t.Any) -> t.Self:
        """Return a logger with more fields."""
        context = self._context.__class__(self._context, **new_values)
        return self.__class__(self._logger, self._processors, context)

    def new(self, /, **new_values: t.Any) -> t.Self:
        """Return a logger with these fields only."""
        self._context.clear()
        return self.bind(**new_values)

    def log(
        self, level: int, event: t.Any, /, *args: t.Any, **kw: t.Any
    ) -> None:
        """Log at any level."""
        if self._logger.isEnabledFor(level):
            name = logging.getLevelName(level).lower()
            self._emit(name, level, event, args, kw)

    async def alog(
        self, level: int, event: t.Any, /, *args: t.Any, **kw: t.Any
    ) -> None:
        """Log at any level."""
        if self._logger.isEnabledFor(level):
            name = logging.getLevelName(level).lower()
            self._emit(name, level, event, args, kw)

    def is_enabled_for(self, level: int) -> bool:
        """Return whether events of this level are logged."""
        return bool(self._logger.isEnabledFor(level))

    def get_effective_level(self) -> int:
        """Return the level from which on events are logged."""
        return int(self._logger.getEffectiveLevel())

    isEnabledFor = is_enabled_for  # noqa: N815 - as the standard library
    getEffectiveLevel = get_effective_level  # noqa: N815 - likewise

    @property
    def name(self) -> str:
        """The name of the standard logger."""
        return str(self._logger.name)

    def _proxy_to_logger(  # type: ignore[override]
        self, method_name: str, event: str | None = None, /, **event_kw: t.Any
    ) -> t.Any:
        level = METHODS.get(method_name, logging.INFO)
        if self._logger.isEnabledFor(level):
            self._emit(method_name, level, event, (), event_kw)

    def _emit(
        self,
        method: str,
        level: int,
        event: t.Any,
        args: tuple[t.Any, ...],
        kw: dict[str, t.Any],
    ) -> None:
        fields: t.Any = self._context.copy()
        fields.update(kw)
        if args:
            event = _interpolate(event, args, fields)
        if event is None:
            event = kw.get("event")  # info(event="x") is a message as well
        if event is not None:
            # A field of this name is kept beside the message.
            if "event" in fields and fields["event"] is not event:
                fields["event_"] = fields["event"]
            fields["event"] = event
        try:
            for process in self._processors:
                fields = process(self._logger, method, fields)
        except structlog.DropEvent:
            return
        if isinstance(fields, str | bytes | bytearray):
            text = _decode(fields)
            fields = {"event": text}
        elif isinstance(fields, tuple):
            positional, keywords = t.cast("tuple[t.Any, t.Any]", fields)
            getattr(self._logger, method)(*positional, **keywords)
            return
        self._handle(level, fields, sys._getframe(2))  # noqa: SLF001

    def _handle(
        self, level: int, fields: dict[str, t.Any], frame: types.FrameType
    ) -> None:
        exc_info = fields.pop("exc_info", None)
        if type(fields.get("stacklevel")) is int:
            frame = _outer(frame, fields.pop("stacklevel"))
        code = frame.f_code
        logger: logging.Logger = self._logger
        record = logger.makeRecord(
            logger.name,
            level,
            code.co_filename,
            frame.f_lineno,
            fields.pop("event", ""),
            (),
            _exc_info(exc_info) if exc_info else None,
            code.co_name,
            None,
            _stack(frame) if fields.pop("stack_info", None) else None,
        )
        if not RESERVED.isdisjoint(fields):
            clashing = RESERVED.intersection(fields)
            record.__dict__[CLASHING] = {
                name: fields.pop(name) for name in sorted(clashing)
            }
        record.__dict__.update(fields)
        logger.handle(record)


def _method(name: str, level: int) -> t.Callable[..., None]:
    canonical = _CANONICAL.get(name, name)

    def method(
        self: BoundLogger, event: t.Any = None, /, *args: t.Any, **kw: t.Any
    ) -> None:
        if self._logger.isEnabledFor(level):
            self._emit(canonical, level, event, args, kw)

    def exception(
        self: BoundLogger, event: t.Any = None, /, *args: t.Any, **kw: t.Any
    ) -> None:
        if self._logger.isEnabledFor(level):
            kw.setdefault("exc_info", True)
            self._emit("error", level, event, args, kw)

    made = exception if name == "exception" else method
    made.__name__ = name
    return made


def _async_method(name: str, level: int) -> t.Callable[..., t.Any]:
    canonical = _CANONICAL.get(name, name)
    with_exception = name == "exception"

    async def method(
        self: BoundLogger, event: t.Any = None, /, *args: t.Any, **kw: t.Any
    ) -> None:
        if self._logger.isEnabledFor(level):
            if with_exception:
                kw.setdefault("exc_info", True)
            self._emit(
                "error" if with_exception else canonical,
                level,
                event,
                args,
                kw,
            )

    method.__name__ = f"a{name}"
    return method


for _name, _level in METHODS.items():
    setattr(BoundLogger, _name, _method(_name, _level))
    setattr(BoundLogger, f"a{_name}", _async_method(_name, _level))


def make_logger(*args: t.Any) -> logging.Logger:
    """Return the logger of this name, or of the module that asks."""
    return logging.getLogger(args[0] if args and args[0] else _caller())


def _caller() -> str:
    frame: types.FrameType | None = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name != __name__ and name.partition(".")[0] != "structlog":
            return name
        frame = frame.f_back
    return "root"  # pragma: no cover - called from C


def _interpolate(
    event: t.Any, args: tuple[t.Any, ...], fields: dict[str, t.Any]
) -> t.Any:
    single = args[0] if len(args) == 1 else None
    named = isinstance(single, t.Mapping) and bool(t.cast("t.Any", single))
    try:
        return event % (single if named else args)
    except Exception as error:  # noqa: BLE001 - the caller's arguments
        fields["positional_args"] = safe_repr(args)
        fields["log_error"] = f"{type(error).__name__}: {safe_str(error)}"
        return event


def _decode(text: str | bytes | bytearray) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def _exc_info(value: t.Any) -> t.Any:
    if isinstance(value, BaseException):
        return (type(value), value, value.__traceback__)
    if isinstance(value, tuple):
        return t.cast("ExcInfo", value)
    current: ExcInfo = sys.exc_info()
    return None if current[1] is None else current


def _outer(frame: types.FrameType, level: t.Any) -> types.FrameType:
    for _ in range(int(level) - 1):
        frame = frame.f_back or frame
    return frame


def _stack(frame: types.FrameType) -> str:
    lines = traceback.format_stack(frame)
    return "Stack (most recent call last):\n" + "".join(lines).rstrip("\n")
