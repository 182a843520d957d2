"""Generate and explain the configuration of an application."""

from __future__ import annotations

import importlib
import json

import click

from buvar import config

from ._application import Application
from ._errors import CommandError
from ._errors import Exit


def sample(application: Application) -> None:
    """Print a sample TOML file."""
    _import_sections(application)
    click.echo(config.sample(), nl=False)


def env(application: Application) -> None:
    """Print the variables, as a shell takes them."""
    _import_sections(application)
    prefix = application.env_prefix or ""
    for variable in config.variables(env_prefix=prefix):
        click.echo(str(variable))


def show(application: Application) -> None:
    """Print each value and where it came from."""
    _import_sections(application)
    click.echo(str(application.source.explain()))


def schema(application: Application) -> None:
    """Print the JSON Schema."""
    _import_sections(application)
    click.echo(json.dumps(config.schema(), indent=2))


def _import_sections(application: Application) -> None:
    """
    Import the modules of the plugins, which define the sections.

    Raises:
        CommandError: There is no such module, or it has no section.
    """
    for name in application.plugins:
        _import(name)
    if not config.sections():
        raise CommandError(
            f"No section is defined by {', '.join(application.plugins)}.\n"
            "Name the modules with subclasses of buvar.config.Config, e.g. "
            "buvar_aiohttp.",
            Exit.USAGE,
        )


def _import(name: str) -> None:
    module = name.partition(":")[0]
    while True:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(
                f"{error.name}."
            ):
                raise
            # The last part may be a function: `module.prepare`.
            shorter = module.rpartition(".")[0]
            if ":" in name or not shorter or error.name != module:
                raise CommandError(
                    f"There is no module {error.name!r}.\n"
                    "Name importable modules, from the current folder or "
                    "installed.",
                    Exit.USAGE,
                ) from None
            module = shorter
        else:
            return
