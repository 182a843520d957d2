"""The settings."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ._errors import LogConfigError
from ._levels import Level
from ._levels import parse_level


_SECONDS: t.Final = "Use 0 not to wait at all, or more."
_WORDS: t.Final = 'Write them as ["iban", "pin"].'

#: Settings, what they are made of, how that is called, and what to do.
_KINDS: t.Final[tuple[tuple[str, t.Any, str, str], ...]] = (
    ("levels", dict, "a table of levels", 'Write them as {"name": "DEBUG"}.'),
    (
        "output",
        (str, os.PathLike),
        "the name of a stream or file",
        'Use "stderr", "stdout" or the path of a file to append to.',
    ),
    ("redact", (list, tuple, set), "a list of words", _WORDS),
    ("write_timeout", (int, float), "a number of seconds", _SECONDS),
)


@dataclasses.dataclass(frozen=True)
class LogConfig:
    """
    How to log.

    Args:
        tty: Write for people, in colours, instead of JSON; by default when
            the output is a terminal.
        level: The lowest level to log, by name or number.
        user_config: More handlers, formatters, filters and loggers, as
            ``logging.config.dictConfig`` takes them. The formatters "json"
            and "tty" and the handler "default" exist already.
        capture_warnings: Log what the module warnings shows.
        redirect_print: Log what is printed to standard output.
        levels: The lowest level per name of a logger.
        output: "stderr", "stdout" or the path of a file to append to.
        redact: More words that mark a key as secret.
        redact_defaults: Know password, token, authorization and more.
        write_timeout: Seconds to wait for an output that takes nothing,
            before events are dropped.

    Raises:
        LogConfigError: A value is none of these.

    >>> LogConfig(level="DEBGU")
    Traceback (most recent call last):
    ...
    buvar.log._errors.LogConfigError: level: 'DEBGU' is not a log level (did \
you mean 'DEBUG'?).
    Use one of NOTSET, DEBUG, INFO, WARN, WARNING, ERROR, CRITICAL, FATAL, \
or a number from 0 on.
    """

    tty: bool | None = None
    level: Level = "INFO"
    user_config: dict[str, t.Any] = dataclasses.field(
        default_factory=dict[str, t.Any]
    )
    capture_warnings: bool = True
    redirect_print: bool = False
    _: dataclasses.KW_ONLY
    levels: dict[str, Level] = dataclasses.field(
        default_factory=dict[str, Level]
    )
    output: str = "stderr"
    redact: list[str] = dataclasses.field(default_factory=list[str])
    redact_defaults: bool = True
    write_timeout: float = 0.5

    def __post_init__(self) -> None:
        parse_level(self.level)
        for name, kind, said, cure in _KINDS:
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise LogConfigError(
                    name, value, f"{value!r} is not {said}.", cure
                )
        for name, level in self.levels.items():
            parse_level(level, f"levels.{name}")
        for word in self.redact:
            if not isinstance(t.cast("object", word), str):
                raise LogConfigError(
                    "redact", word, f"{word!r} is not a word.", _WORDS
                )
        if not self.write_timeout >= 0:
            raise LogConfigError(
                "write_timeout",
                self.write_timeout,
                f"{self.write_timeout!r} is not a number of seconds.",
                _SECONDS,
            )

    def setup(self) -> None:
        """
        Apply the settings to logging and structlog, in place of earlier ones.

        Raises:
            LogConfigError: A setting cannot be applied; nothing is changed.
        """
        # Only now: importing structlog takes its time.
        from ._setup import install  # noqa: PLC0415

        install(self)


def setup_logging(**settings: t.Any) -> None:
    """
    Apply settings by keyword, see `LogConfig`.

    Raises:
        LogConfigError: A setting cannot be applied; nothing is changed.
        TypeError: There is no such setting.
    """
    LogConfig(**settings).setup()


def reset() -> None:
    """Set everything back as it was before the first setup."""
    from ._setup import uninstall  # noqa: PLC0415

    uninstall()
