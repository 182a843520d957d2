"""
The command ``buvar``: run, check and explain an application.

An application is named by its plugins, ``module`` or ``module:prepare``; what
varies comes from files, the environment, ``--set`` and options. Exit codes: 0
all is well, 1 the application failed, 2 the command line or the configuration
is wrong, 3 the workers cannot boot.
"""

from __future__ import annotations

import typing as t


if t.TYPE_CHECKING:
    from buvar.plugin import Plugin


def main(args: t.Sequence[str] | None = None) -> t.NoReturn:
    """
    Run the command line and end the process with its exit code.

    Args:
        args: The words after the command, by default the process's.
    """
    # Importing this package costs nothing: click comes when it is needed.
    from ._commands import buvar  # noqa: PLC0415
    from ._output import run as run_command  # noqa: PLC0415

    given = None if args is None else list(args)
    run_command(buvar, args=given, prog_name="buvar")


def run(
    *plugins: Plugin,
    files: t.Sequence[str] = (),
    env_prefix: str | None = None,
    description: str | None = None,
    args: t.Sequence[str] | None = None,
) -> t.NoReturn:
    """
    Run plugins as ``buvar run`` does, from a program of one's own.

    The program has the options of ``buvar run``: it reads files, the
    environment and ``--set``, sets the logs up, forks the workers, says what
    failed in words, and ends with exit code 0, 1, 2 or 3.

    Args:
        plugins: Names, modules or functions.
        files: TOML files that are read before those of ``-c``.
        env_prefix: The prefix of variables, unless ``--env-prefix`` says
            another one.
        description: What ``--help`` says of the program.
        args: The words after its name, by default the process's.

    Example:
        >>> if __name__ == "__main__":
        ...     run("shop.web", files=["shop.toml"], env_prefix="SHOP")
    """
    from ._output import run as run_command  # noqa: PLC0415
    from ._program import name_of_program  # noqa: PLC0415
    from ._program import program  # noqa: PLC0415

    command = program(plugins, files, env_prefix, description)
    given = None if args is None else list(args)
    run_command(command, args=given, prog_name=name_of_program())


__all__ = ["main", "run"]
