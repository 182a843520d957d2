"""
The command ``buvar``: run, check and explain an application.

An application is named by its plugins, ``module`` or ``module:prepare``; what
varies comes from files, the environment and ``--set``. Exit codes: 0 all is
well, 1 the application failed, 2 the command line or the configuration is
wrong, 3 the workers cannot boot.
"""

from __future__ import annotations

import typing as t


def main(args: t.Sequence[str] | None = None) -> t.NoReturn:
    """
    Run the command line and end the process with its exit code.

    Args:
        args: The words after the command, by default the process's.
    """
    # Importing this package costs nothing: click comes when it is needed.
    from ._commands import buvar  # noqa: PLC0415

    buvar.main(args=None if args is None else list(args), prog_name="buvar")
    raise AssertionError  # pragma: no cover - click ends the process


__all__ = ["main"]
