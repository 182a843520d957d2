"""
Put the settings in place, and back.

Logging belongs to the process: there is one root logger, one structlog
configuration, one ``sys.excepthook``. So what was changed, and has to be set
back, is the one thing this package keeps for the process, too.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import sys
import typing as t

import structlog

from ._bound import BoundLogger
from ._bound import make_logger
from ._errors import LogConfigError
from ._format import ConsoleFormatter
from ._format import JsonFormatter
from ._handler import OutputHandler
from ._hooks import hook_uncaught
from ._hooks import hook_warnings
from ._hooks import replace
from ._levels import Level
from ._levels import parse_level
from ._print import PrintStream


#: What logging calls its root.
_ROOT: t.Final = frozenset({"", "root"})

_undo = contextlib.ExitStack()

# Cached loggers keep the list of processors they were made with, and
# structlog's capture_logs changes it in place: it has to stay the same one.
_processors: list[t.Any] = []


class Settings(t.Protocol):
    """The settings to apply: a ``LogConfig``, defined on top of this."""

    @property
    def tty(self) -> bool | None: ...
    @property
    def level(self) -> Level: ...
    @property
    def levels(self) -> t.Mapping[str, Level]: ...
    @property
    def output(self) -> str: ...
    @property
    def write_timeout(self) -> float: ...
    @property
    def user_config(self) -> dict[str, t.Any]: ...
    @property
    def capture_warnings(self) -> bool: ...
    @property
    def redirect_print(self) -> bool: ...
    @property
    def redact(self) -> list[str]: ...
    @property
    def redact_defaults(self) -> bool: ...


def install(config: Settings) -> None:
    """Replace the settings in place, if there are any."""
    settings = _settings(config)
    built = _build(config, settings)
    uninstall()
    undo = _undo
    for handler in built.values():
        undo.callback(handler.close)
    _start_listeners(undo, built)
    for name, section in settings["loggers"].items():
        _set_logger(undo, logging.getLogger(name), section, built)
    _set_root(undo, settings["root"], built)
    _set_structlog(undo)
    hooks = hook_uncaught()
    if config.capture_warnings:
        hooks += hook_warnings()
    for hook in hooks:
        undo.callback(hook)
    if config.redirect_print and sys.stdout is not None:
        _redirect(undo)


def _start_listeners(
    undo: contextlib.ExitStack, built: dict[str, logging.Handler]
) -> None:
    for handler in built.values():
        if (listener := getattr(handler, "listener", None)) is not None:
            from ._queue import Listening  # noqa: PLC0415 - imports much

            undo.callback(Listening(handler, listener).close)


def uninstall() -> None:
    """Set back what was changed."""
    _undo.pop_all().close()


def _settings(config: Settings) -> dict[str, t.Any]:
    words: dict[str, t.Any] = {
        "redact": config.redact,
        "redact_defaults": config.redact_defaults,
    }
    tty = _is_tty(config.output) if config.tty is None else config.tty
    settings: dict[str, t.Any] = {
        "version": 1,
        "formatters": {
            "json": {"()": functools.partial(JsonFormatter, **words)},
            "tty": {"()": functools.partial(ConsoleFormatter, **words)},
        },
        "filters": {},
        "handlers": {
            "default": {
                "()": functools.partial(
                    _open, config.output, config.write_timeout
                ),
                "formatter": "tty" if tty else "json",
            }
        },
        "root": {"level": parse_level(config.level), "handlers": ["default"]},
        "loggers": {
            name: {"level": parse_level(level)}
            for name, level in config.levels.items()
            if name not in _ROOT
        },
    }
    for name in _ROOT & config.levels.keys():
        settings["root"]["level"] = parse_level(config.levels[name])
    return settings


def _build(
    config: Settings, settings: dict[str, t.Any]
) -> dict[str, logging.Handler]:
    """Make the handlers; without the user's part that needs little."""
    if not config.user_config:
        default = settings["handlers"]["default"]
        handler: logging.Handler = default["()"]()
        formatter = settings["formatters"][default["formatter"]]
        handler.setFormatter(formatter["()"]())
        return {"default": handler}
    from ._user import Configurator  # noqa: PLC0415 - imports much
    from ._user import merge  # noqa: PLC0415

    settings.update(merge(settings, config.user_config))
    configurator = Configurator(settings)
    built = configurator.build()
    filters = configurator.config["filters"]
    for section in (settings["root"], *settings["loggers"].values()):
        section["filters"] = [
            filters[name] for name in section.get("filters", [])
        ]
    return built


def _open(output: str, write_timeout: float) -> OutputHandler:
    try:
        return OutputHandler(output, write_timeout)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LogConfigError(
            "output",
            output,
            f"{output!r} cannot be opened: {reason}.",
            'Use "stderr", "stdout" or the path of a file to append to.',
        ) from error


def _is_tty(output: str) -> bool:
    stream = {"stderr": sys.stderr, "stdout": sys.stdout}.get(output)
    return stream is not None and not stream.closed and stream.isatty()


def _set_logger(
    undo: contextlib.ExitStack,
    logger: logging.Logger,
    section: dict[str, t.Any],
    built: dict[str, logging.Handler],
) -> None:
    undo.callback(logger.setLevel, logger.level)
    undo.callback(setattr, logger, "propagate", logger.propagate)
    if "level" in section:
        logger.setLevel(section["level"])
    logger.propagate = section.get("propagate", logger.propagate)
    _add(undo, logger, section, built)


def _set_root(
    undo: contextlib.ExitStack,
    section: dict[str, t.Any],
    built: dict[str, logging.Handler],
) -> None:
    root = logging.getLogger()
    # What logging.basicConfig() left behind would write each event twice.
    # Any other handler (of a test runner, of a tracer) stays.
    for handler in root.handlers[:]:
        if _is_basic(handler):
            root.removeHandler(handler)
            undo.callback(root.addHandler, handler)
    undo.callback(root.setLevel, root.level)
    root.setLevel(section["level"])
    _add(undo, root, section, built)


def _add(
    undo: contextlib.ExitStack,
    logger: logging.Logger,
    section: dict[str, t.Any],
    built: dict[str, logging.Handler],
) -> None:
    for name in section.get("handlers", []):
        logger.addHandler(built[name])
        undo.callback(logger.removeHandler, built[name])
    for each in section.get("filters", []):
        logger.addFilter(each)
        undo.callback(logger.removeFilter, each)


def _is_basic(handler: t.Any) -> bool:
    if type(handler) is not logging.StreamHandler:
        return False
    stream = t.cast("t.Any", handler).stream
    return stream in {sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__}


def _set_structlog(undo: contextlib.ExitStack) -> None:
    if structlog.is_configured():
        undo.callback(structlog.configure, **structlog.get_config())
    else:
        undo.callback(structlog.reset_defaults)
    structlog.configure(
        processors=_processors,
        wrapper_class=BoundLogger,
        context_class=dict,
        logger_factory=make_logger,
        cache_logger_on_first_use=True,
    )


def _redirect(undo: contextlib.ExitStack) -> None:
    wrapped = getattr(sys.stdout, "buvar_wrapped", sys.stdout)
    stream = PrintStream(wrapped, logging.getLogger("print"))
    undo.callback(replace(sys, "stdout", stream))
    undo.callback(atexit.unregister, stream.finish)
    undo.callback(stream.finish)
    atexit.register(stream.finish)
