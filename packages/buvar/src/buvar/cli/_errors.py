"""What fails becomes an exit code and, where it can, one clear message."""

from __future__ import annotations

import contextlib
import enum
import typing as t

import click


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
    Tell errors that say themselves what to do; a traceback would hide it.

    These are the ones that know their exit code, as those of configuration
    and plugins do. If anything else failed too, all is raised as it is.
    """
    try:
        yield
    except Exception as error:
        found = list(leaves(error))
        codes = [getattr(leaf, "exit_code", None) for leaf in found]
        known = [code for code in codes if isinstance(code, int)]
        if len(known) < len(found) or isinstance(error, click.ClickException):
            raise
        message = "\n".join(dict.fromkeys(str(leaf) for leaf in found))
        raise CommandError(message, max(known)) from None


def leaves(error: BaseException) -> t.Iterator[BaseException]:
    """Return the errors in a group, however deep."""
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    group = t.cast("BaseExceptionGroup[BaseException]", error)
    for inner in group.exceptions:
        yield from leaves(inner)
