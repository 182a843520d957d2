"""Turn failures into an exit code and, where possible, one clear message."""

from __future__ import annotations

import contextlib
import enum
import logging
import typing as t

import click

from buvar import plugin


_log = logging.getLogger("buvar.cli")


class Exit(enum.IntEnum):
    """How the command ends."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    NO_BOOT = 3


class CommandError(click.ClickException):
    """An error that is told without a traceback."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        # click declares it for the class, and reads it of the error.
        self.exit_code = code  # type: ignore[misc]


@contextlib.contextmanager
def told() -> t.Generator[None, None, None]:
    """
    Tell what failed, and end with the exit code of it.

    An error that says itself what to do, such as those of configuration and
    plugins, is told without a traceback, which would hide it. Any other one
    is logged as it is: with the frames that the user wrote, and a line that
    says what it means.
    """
    try:
        yield
    except (
        click.ClickException,
        click.Abort,
        click.exceptions.Exit,
        SystemExit,
    ):
        raise
    except Exception as error:  # noqa: BLE001 - told, the process ends
        found = plugin.failures(error)
        known = [failure for failure in found if failure.explains_itself]
        for failure in found:
            if not failure.explains_itself:
                _log.critical(
                    "%s.",
                    failure.what[:1].upper() + failure.what[1:],
                    exc_info=failure.error,
                    extra={**failure.facts},
                )
        message = "\n".join(
            dict.fromkeys(str(failure.error) for failure in known)
        )
        if message:
            # Where nobody can read it, the exit code is still the same.
            with contextlib.suppress(OSError):
                click.echo(f"Error: {message}", err=True)
        raise click.exceptions.Exit(plugin.exit_code(error)) from None
