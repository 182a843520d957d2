"""Generate and explain the configuration of an application."""

from __future__ import annotations

import importlib.util
import itertools
import json
import sys
import typing as t

import click

from buvar import config
from buvar import plugin

from ._application import OWN
from ._application import Application
from ._application import check_own
from ._errors import CommandError
from ._errors import Exit
from ._formats import terminal_width
from ._output import answer
from ._output import prints_aside
from ._output import remark


def sample(application: Application) -> None:
    """Print a sample TOML file."""
    answer(config.sample(_classes(application)), nl=False)


def env(application: Application) -> None:
    """
    Print the variables, as a shell takes them.

    Raises:
        CommandError: No variable is read.
    """
    prefix = application.env_prefix
    if prefix is None:
        raise CommandError(
            "The environment is read only with --env-prefix.\n"
            "Give the one that 'buvar run' gets, e.g. --env-prefix APP.",
            Exit.USAGE,
        )
    for variable in config.variables(_classes(application), env_prefix=prefix):
        answer(str(variable))


def show(application: Application) -> None:
    """Print each value and where it came from."""
    only = _own_sections(application)
    if only:
        found = config.Explanation()
        for section in only:
            found += application.source.explain(OWN[section], section)
    else:
        _classes(application)
        found = application.source.explain()
    if not terminal_width(sys.stdout):
        answer(str(found))
        return
    for line, setting in zip(str(found).split("\n"), found, strict=True):
        # What somebody has set stands out.
        dim = setting.source == "default"
        answer(click.style(line, dim=True) if dim else line)


def schema(application: Application) -> None:
    """Print the JSON Schema."""
    answer(json.dumps(config.schema(_classes(application)), indent=2))


def _classes(application: Application) -> list[tuple[t.Any, str]]:
    """
    Return the classes that loading the plugins knows, and their sections.

    Raises:
        PluginError: There is no such plugin.
        CommandError: They have no section.
        Exception: What failed before there was one.
    """
    source = application.source
    only = _own_sections(application)
    if only:
        return [(OWN[section], section) for section in only]
    check_own(source)
    application.set_up()
    failed = prepare_all(application)
    found = source.classes()
    if all(section in OWN for _, section in found):
        if failed:
            raise failed[0]
        raise CommandError(
            f"No section is defined by {application.names}.\n"
            "Name the modules with subclasses of buvar.config.Config, e.g. "
            "buvar_aiohttp.",
            Exit.USAGE,
        )
    note_failures(failed)
    # Those of the command itself come last.
    return sorted(found, key=lambda each: (each[1] in OWN, each[1]))


def _own_sections(application: Application) -> list[str]:
    """Return the sections of the command, if it is asked for these only."""
    names = [
        name
        for name in application.plugins
        if name in OWN and importlib.util.find_spec(str(name)) is None
    ]
    return (
        [str(name) for name in names]
        if len(names) == len(application.plugins)
        else []
    )


def note_failures(failed: t.Iterable[BaseException]) -> None:
    """Say which plugins could not be prepared, without an end to it."""
    for failure in itertools.chain.from_iterable(map(plugin.failures, failed)):
        error = failure.error
        text = str(error).split("\n")
        said = " ".join(line.strip(" -") for line in text[:2])
        remark(
            f"Note that {failure.what}, so the sections of those that it "
            f"loads may be missing: {type(error).__name__}: {said}"
        )


def prepare_all(
    application: Application, look: t.Callable[[], object] = lambda: None
) -> list[BaseException]:
    """
    Prepare the plugins, which load others, and return what failed.

    A plugin may fail because the very values asked for are missing.

    Args:
        application: What names the plugins.
        look: Called last, in the layer of the plugins.

    Raises:
        PluginError: There is no such plugin.
    """
    failed: list[BaseException] = []
    every = [name for group in application.groups() for name in group]

    async def prepare(load: plugin.Loader) -> None:
        await load(config)
        for name in dict.fromkeys(every):
            try:
                await load(name)
            except plugin.NoPrepareError:
                # A module may have sections only, and prepare nothing.
                continue
            except plugin.PluginError:
                raise
            except (Exception, SystemExit) as error:  # noqa: BLE001 - it is told
                failed.append(error)

    with prints_aside():
        plugin.check(prepare, look=look)
    return failed
