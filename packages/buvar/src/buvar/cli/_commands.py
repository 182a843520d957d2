"""The commands."""

from __future__ import annotations

import os
import pathlib
import typing as t

import click

from ._application import Application
from ._completion import SHELLS
from ._completion import script
from ._errors import told
from ._options import configuration
from ._options import plugins
from ._options import running
from ._options import with_settings
from ._output import answer


T = t.TypeVar("T")

#: What ``deploy`` writes.
KINDS: t.Final = ("docker", "k8s", "nginx", "systemd")


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

    \b
    buvar new shop --with aiohttp      a service that works, in a new folder
    buvar run shop -c shop.toml        run it
    buvar check shop -c shop.toml      what is wrong with it, all at once
    buvar config show shop             each setting, and where it came from

    PLUGINS are modules that have a "prepare", written as Python imports them,
    functions of modules, as app:prepare, or entry points; from the current
    folder, or installed. Those of a service with roles stand in its file, as
    fork.roles.
    """  # noqa: D301 - click wants the character itself


def _application(ctx: click.Context, given: dict[str, t.Any]) -> Application:
    return Application(**with_settings(ctx.command, given))


@buvar.command(short_help="Run plugins until they end, or INT or TERM comes.")
@plugins
@configuration
@running
@click.pass_context
def run(ctx: click.Context, /, **options: t.Any) -> None:
    """
    Run PLUGINS until they end, or INT or TERM comes.

    \b
    buvar run app:prepare
    buvar run app -c app.toml --set aiohttp.port=8080
    buvar run app --forks 0 --bind tcp://:8080
    buvar run -c roles.toml

    Whatever an option below says can be set in the section "fork", which has
    more than these: buvar config show fork.
    """  # noqa: D301 - click wants the character itself
    with told():
        _application(ctx, options).run()


@buvar.command(short_help="Report all that is wrong; bind and start nothing.")
@plugins
@configuration
@running
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="How to write what is wrong; SARIF is read by editors and forges.",
)
@click.option(
    "--static",
    is_flag=True,
    help="Import the modules only, prepare nothing: for editors and hooks.",
)
@click.pass_context
def check(
    ctx: click.Context, /, form: str, *, static: bool, **options: t.Any
) -> None:
    """
    Prepare PLUGINS and report all that is wrong; run no task, bind no port.

    Give it the options of "buvar run" to check the very same run.

    \b
    buvar check app -c app.toml --forks 4
    buvar check app --format sarif > buvar.sarif
    buvar check app --static

    Exit codes: 0 all is well, 2 only the configuration or the name of a plugin
    is wrong, 1 something cannot be injected or prepared.
    """  # noqa: D301 - click wants the character itself
    from ._checking import check  # noqa: PLC0415
    from ._static import check as check_static  # noqa: PLC0415

    with told():
        application = _application(ctx, options)
        (check_static if static else check)(application, form)


@buvar.command(short_help="Draw what is injected where.")
@plugins
@configuration
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "mermaid", "dot"]),
    default="tree",
    show_default=True,
    help="What to draw with.",
)
def graph(form: str, **options: t.Any) -> None:
    """
    Draw what is injected where once PLUGINS are prepared.

    \b
    buvar graph app
    buvar graph app --format dot | dot -Tsvg > app.svg
    """  # noqa: D301 - click wants the character itself
    from ._checking import draw  # noqa: PLC0415

    with told():
        draw(Application(**options), form)


@buvar.group(cls=Buvar, short_help="Generate and explain the configuration.")
def config() -> None:
    """
    Generate and explain the configuration of an application.

    \b
    buvar config sample app > app.toml
    buvar config show app -c app.toml --env-prefix APP
    buvar config show fork

    PLUGINS may be the words "fork" and "log" as well: the sections that the
    command itself reads.
    """  # noqa: D301 - click wants the character itself


def _unchanged(func: T) -> T:
    return func


def _configuration(
    name: str,
    help_: str,
    more: t.Callable[[t.Any], t.Any] = _unchanged,
) -> None:
    """Define one of the commands that look at the sections of plugins."""

    @config.command(name, help=help_)
    @plugins
    @configuration
    @more
    @click.pass_context
    def command(ctx: click.Context, /, **options: t.Any) -> None:
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
            commands[name](_application(ctx, options))


_configuration("sample", "Write a sample TOML file of all sections.")
_configuration("env", "List the variables that set each value.")
_configuration("show", "Show each value and where it came from.", running)
_configuration("schema", "Write the JSON Schema of all sections.")


@buvar.command(
    short_help="Print what runs a service: docker, k8s, nginx, systemd."
)
@click.argument("kind", type=click.Choice(KINDS))
@plugins
@configuration
@running
@click.option(
    "--name",
    help="What the service is called.  [default: the module of the first "
    "plugin]",
)
@click.pass_context
def deploy(
    ctx: click.Context, /, kind: str, name: str | None, **options: t.Any
) -> None:
    """
    Print what runs PLUGINS in a container, on Kubernetes, behind nginx or
    under systemd.

    Give it the options of "buvar run". Ports, probes and time-outs come from
    the configuration: what waits for the service waits long enough.

    \b
    buvar deploy docker app -c app.toml --env-prefix APP > Dockerfile
    buvar deploy k8s app -c app.toml --forks 2 > app.yaml
    buvar deploy systemd app -c app.toml > app.service
    buvar deploy nginx app -c app.toml > app.conf
    """  # noqa: D301, D205 - click wants both
    from ._deploy import deploy  # noqa: PLC0415

    with told():
        deploy(_application(ctx, options), kind, name)


@buvar.command(short_help="Write a small service that works.")
@click.argument("name")
@click.option(
    "--with",
    "features",
    metavar="FEATURES",
    default="",
    help="What it is made with, separated by commas: aiohttp, sqlite.",
)
@click.option(
    "--template",
    type=click.Path(path_type=pathlib.Path),
    metavar="FOLDER",
    help="A folder of templates to use: base, and one for each feature.",
)
def new(name: str, features: str, template: pathlib.Path | None) -> None:
    """
    Write a small service that works, in a new folder NAME.

    \b
    buvar new shop --with aiohttp,sqlite
    cd shop
    python -m pytest
    buvar run shop -c shop.toml

    It has plugins, a configuration, tests, a Dockerfile, a unit for systemd
    and a workflow for continuous integration.
    """  # noqa: D301 - click wants the character itself
    from ._new import write  # noqa: PLC0415

    wanted = [
        feature.strip() for feature in features.split(",") if feature.strip()
    ]
    write(name, dict.fromkeys(wanted), pathlib.Path.cwd(), template)
    readme = pathlib.Path(name, "README.md")
    see = f"; see {readme}" if readme.exists() else ""
    answer(f"Wrote {name}{see}.")


@buvar.command(
    short_help="Print the script that makes a shell complete the command."
)
@click.argument("shell", type=click.Choice(SHELLS), required=False)
def completion(shell: str | None) -> None:
    """
    Print what has a SHELL complete the words of this command.

    \b
    source <(buvar completion bash)     in ~/.bashrc
    source <(buvar completion zsh)      in ~/.zshrc
    buvar completion fish > ~/.config/fish/completions/buvar.fish

    Without SHELL it is the one of $SHELL.
    """  # noqa: D301 - click wants the character itself
    if shell is None:
        shell = pathlib.Path(os.environ.get("SHELL", "")).name
        if shell not in SHELLS:
            msg = f"$SHELL is not one of {', '.join(SHELLS)}: say which it is."
            raise click.UsageError(msg)
    answer(script(shell, buvar))
