"""What a command prints: its answer, and what it has to say beside it."""

from __future__ import annotations

import contextlib
import os
import sys
import typing as t

import click

from ._errors import CommandError
from ._errors import Exit


def answer(text: str, *, nl: bool = True) -> None:
    """
    Print what a command was asked for to standard output.

    Args:
        text: What to print.
        nl: Whether to end the line.

    Raises:
        CommandError: It cannot be written, perhaps as the disk is full.
        Exit: Nobody reads it any more, as after ``| head -1``.
    """
    try:
        click.echo(text, nl=nl)
    except BrokenPipeError:
        _drop()
        raise click.exceptions.Exit(Exit.FAILED) from None
    except OSError as error:
        _drop()
        raise CommandError(_cannot_write(error), Exit.FAILED) from None


@contextlib.contextmanager
def prints_aside() -> t.Generator[None, None, None]:
    """
    Have what others print go to standard error while the block runs.

    What modules and plugins print would be in the middle of an answer that
    something else reads.
    """
    with contextlib.redirect_stdout(sys.stderr):
        yield


def remark(text: str) -> None:
    """
    Print to standard error.

    Where nobody can read it the exit code still says what it is about.
    """
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def _cannot_write(error: OSError) -> str:
    """Return what to say when standard output cannot be written to."""
    return (
        f"Standard output cannot be written to: {error.strerror}.\n"
        "Make room, or write to another file."
    )


def run(command: click.Command, **options: t.Any) -> t.NoReturn:
    """
    Run a command, and end the process with its exit code.

    It is that of the command also where what click itself prints, the help
    or a usage error, cannot be written.

    Args:
        command: What to run.
        options: Those of ``click.Command.main``.
    """
    try:
        code = command.main(standalone_mode=False, **options)
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        code = error.exit_code
    except click.Abort:
        remark("Aborted!")
        code = Exit.FAILED
    except OSError as error:
        _drop()
        remark(f"Error: {_cannot_write(error)}")
        code = Exit.FAILED
    # It is what the command returns, unless it has asked for an exit.
    sys.exit(code if isinstance(code, int) else Exit.FINE)


def _drop() -> None:
    """Have nothing be written at exit that could not be written by now."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        out = sys.stdout.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, out)
        os.close(null)
