"""Generate and explain the configuration of an application."""

from __future__ import annotations

import contextlib
import json
import sys

import click

from buvar import config
from buvar import log
from buvar import plugin
from buvar.plugin._resolve import resolve

from ._application import LOG
from ._application import Application
from ._errors import CommandError
from ._errors import Exit


def sample(application: Application) -> None:
    """Print a sample TOML file."""
    _import_sections(application)
    click.echo(config.sample())
    click.echo(config.sample(log.LogConfig, LOG), nl=False)


def env(application: Application) -> None:
    """
    Print the variables, as a shell takes them.

    Raises:
        CommandError: No variable is read.
    """
    _import_sections(application)
    prefix = application.env_prefix
    if prefix is None:
        raise CommandError(
            "The environment is read only with --env-prefix.\n"
            "Give the one that 'buvar run' gets, e.g. --env-prefix APP.",
            Exit.USAGE,
        )
    for variable in (
        *config.variables(env_prefix=prefix),
        *config.variables(log.LogConfig, LOG, env_prefix=prefix),
    ):
        click.echo(str(variable))


def show(application: Application) -> None:
    """Print each value and where it came from."""
    _import_sections(application)
    click.echo(str(application.source.explain()))


def schema(application: Application) -> None:
    """Print the JSON Schema."""
    _import_sections(application)
    found = config.schema()
    found["properties"].update(config.schema(log.LogConfig, LOG)["properties"])
    click.echo(json.dumps(found, indent=2))


def _import_sections(application: Application) -> None:
    """
    Import the modules of the plugins, which define the sections.

    Raises:
        PluginError: There is no such plugin.
        CommandError: They have no section.
    """
    for name in application.plugins:
        # A module may have sections only, and prepare nothing.
        with contextlib.suppress(plugin.NoPrepareError):
            resolve(name, sys._getframe())  # noqa: SLF001
    if not config.sections():
        raise CommandError(
            f"No section is defined by {', '.join(application.plugins)}.\n"
            "Name the modules with subclasses of buvar.config.Config, e.g. "
            "buvar_aiohttp.",
            Exit.USAGE,
        )
