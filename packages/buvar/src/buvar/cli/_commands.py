"""The commands and their options."""

from __future__ import annotations

import typing as t

import click

from ._application import Application
from ._errors import told


T = t.TypeVar("T", bound=t.Callable[..., t.Any])


class Buvar(click.Group):
    """Lists the commands in the order in which one needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names as they were defined."""
        del ctx
        return list(self.commands)


@click.group(
    cls=Buvar,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Exit codes: 0 all is well, 1 the application failed, 2 the command "
        "line or the configuration is wrong, 3 the workers cannot boot."
    ),
)
@click.version_option(package_name="buvar")
def buvar() -> None:
    """
    Run, check and explain applications made of buvar plugins.

    PLUGINS are modules that have a "prepare", written as Python imports them,
    functions of modules, as app:prepare, or entry points; from the current
    folder, or installed.
    """


def application(func: T) -> T:
    """Add what every command asks: which plugins, with what configuration."""
    options = (
        click.argument("plugins", nargs=-1, required=True),
        click.option(
            "-c",
            "--config",
            "files",
            multiple=True,
            metavar="FILE",
            help="A TOML file or a folder of them; later ones win.",
        ),
        click.option(
            "--set",
            "values",
            multiple=True,
            metavar="KEY=VALUE",
            help="A value above all others, e.g. aiohttp.port=8080.",
        ),
        click.option(
            "--env-prefix",
            metavar="PREFIX",
            help="Read PREFIX_SECTION_FIELD from the environment.",
        ),
        click.option(
            "--secrets",
            metavar="FOLDER",
            help="A folder with a file for each secret, named section_field.",
        ),
        click.option(
            "--unknown",
            type=click.Choice(["error", "warn", "ignore"]),
            default="error",
            show_default=True,
            help="What to do about settings that nothing reads.",
        ),
    )
    for option in reversed(options):
        func = option(func)
    return func


@buvar.command()
@application
@click.option(
    "--forks",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="How many workers; 0 is one for each CPU, 1 does not fork.",
)
@click.option(
    "--bind",
    "sockets",
    multiple=True,
    metavar="URI",
    help="A socket the workers share, e.g. tcp://:8080; may be repeated.",
)
@click.option(
    "--preload/--no-preload",
    default=True,
    show_default=True,
    help="Import PLUGINS once, before workers are forked, or in each worker, "
    "so that HUP brings changes.",
)
@click.option(
    "--reload", is_flag=True, help="Restart when a source file changes."
)
def run(
    forks: int,
    sockets: tuple[str, ...],
    *,
    preload: bool,
    reload: bool,
    **options: t.Any,
) -> None:
    """
    Run PLUGINS until they end, or INT or TERM comes.

    \b
    buvar run app:prepare
    buvar run app -c app.toml --set aiohttp.port=8080
    buvar run app --forks 0 --bind tcp://:8080
    """  # noqa: D301 - click wants the character itself
    with told():
        Application(**options).run(
            forks=forks, sockets=sockets, preload=preload, reload=reload
        )


@buvar.command()
@application
def check(**options: t.Any) -> None:
    """
    Prepare PLUGINS, verify what they inject, run no task.

    Their tasks are not started, their teardown runs.
    """
    from ._checking import check  # noqa: PLC0415

    with told():
        check(Application(**options))


@buvar.command()
@application
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "mermaid", "dot"]),
    default="tree",
    show_default=True,
    help="What to draw with.",
)
def graph(form: str, **options: t.Any) -> None:
    """Draw what is injected where once PLUGINS are prepared."""
    from ._checking import draw  # noqa: PLC0415

    with told():
        draw(Application(**options), form)


@buvar.group(cls=Buvar)
def config() -> None:
    """Generate and explain the configuration of an application."""


def configuration(name: str, help_: str) -> None:
    """Define one of the commands that look at the sections of plugins."""

    @config.command(name, help=help_)
    @application
    def command(**options: t.Any) -> None:
        from ._configuring import env  # noqa: PLC0415
        from ._configuring import sample  # noqa: PLC0415
        from ._configuring import schema  # noqa: PLC0415
        from ._configuring import show  # noqa: PLC0415

        commands: dict[str, t.Callable[[Application], None]] = {
            "env": env,
            "sample": sample,
            "schema": schema,
            "show": show,
        }
        with told():
            commands[name](Application(**options))


configuration("sample", "Write a sample TOML file of all sections.")
configuration("env", "List the variables that set each value.")
configuration("show", "Show each value and where it came from.")
configuration("schema", "Write the JSON Schema of all sections.")
