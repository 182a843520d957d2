"""A program of one's own, with the options of ``buvar run``."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import click

from buvar import plugin

from ._application import Application
from ._commands import run as run_command
from ._errors import told
from ._options import with_settings


def program(
    plugins: t.Sequence[plugin.Plugin],
    files: t.Sequence[str],
    env_prefix: str | None,
    help_: str | None,
) -> click.Command:
    """Return a command that runs some plugins."""

    def callback(**options: t.Any) -> None:
        options["files"] = (*files, *options["files"])
        options["env_prefix"] = options["env_prefix"] or env_prefix
        with told():
            settings = with_settings(command, options)
            Application(plugins, **settings).run()

    command = click.Command(
        None,
        callback=callback,
        params=[
            param for param in run_command.params if param.name != "plugins"
        ],
        context_settings={"help_option_names": ["-h", "--help"]},
        help=help_ or "Run until all is done, or INT or TERM comes.",
    )
    return command


def name_of_program() -> str:
    """Return what a user has typed to start this program."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        name = spec.name.removesuffix(".__main__")
        return f"python -m {name}"
    return pathlib.Path(sys.argv[0]).name
