"""The options of the commands, and the settings that they stand for."""

from __future__ import annotations

import typing as t

import click

from ._application import FORK
from ._application import LOG
from ._application import Setting
from ._completion import files as complete_files
from ._completion import folders as complete_folders
from ._completion import levels as complete_levels
from ._completion import plugins as complete_plugins
from ._completion import settings as complete_settings


T = t.TypeVar("T", bound=t.Callable[..., t.Any])


#: The setting that each option stands for, by the name of its parameter.
KEYS: t.Final = {
    "forks": f"{FORK}.forks",
    "sockets": f"{FORK}.sockets",
    "reload": f"{FORK}.reload",
    "loop": f"{FORK}.loop",
    "preload": f"{FORK}.preload",
    "max_requests": f"{FORK}.max_requests",
    "max_requests_jitter": f"{FORK}.max_requests_jitter",
    "graceful_timeout": f"{FORK}.graceful_timeout",
    "user": f"{FORK}.user",
    "group": f"{FORK}.group",
    "umask": f"{FORK}.umask",
    "directory": f"{FORK}.directory",
    "pid_path": f"{FORK}.pid_path",
    "log_level": f"{LOG}.level",
}


def plugins(func: T) -> T:
    """Add the argument that names the plugins."""
    return click.argument(
        "plugins",
        nargs=-1,
        callback=_refuse_relative,
        shell_complete=complete_plugins,
    )(func)


def _refuse_relative(
    _ctx: click.Context, _param: click.Parameter, names: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse names that start in the package of whoever names them."""
    for name in names:
        if name.startswith(".") and "/" not in name:
            msg = (
                f"{name!r} is relative, but a command line has no package. "
                "Name the module as Python imports it, such as 'app.web'."
            )
            raise click.BadParameter(msg, param_hint="PLUGINS")
    return names


def _check_prefix(
    context: click.Context, option: click.Parameter, prefix: str | None
) -> str | None:
    """Refuse a prefix that no variable can have."""
    del context, option
    if prefix is None:
        return None
    from buvar import config  # noqa: PLC0415 - read only if it is given

    try:
        config.ConfigSource(env_prefix=prefix)
    except config.ConfigError as error:
        msg = f"{error.errors[0].message}.\n{error.cure}"
        raise click.BadParameter(msg) from None
    return prefix


def configuration(func: T) -> T:
    """Add what every command asks of the configuration."""
    options = (
        click.option(
            "-c",
            "--config",
            "files",
            multiple=True,
            metavar="FILE",
            shell_complete=complete_files,
            help="A TOML file or a folder of them; later ones win.",
        ),
        click.option(
            "--set",
            "values",
            multiple=True,
            metavar="KEY=VALUE",
            shell_complete=complete_settings,
            help="A value above files and variables: aiohttp.port=8080.",
        ),
        click.option(
            "--env-prefix",
            metavar="PREFIX",
            callback=_check_prefix,
            help="Read PREFIX_SECTION_FIELD from the environment.",
        ),
        click.option(
            "--secrets",
            metavar="FOLDER",
            shell_complete=complete_folders,
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


def running(func: T) -> T:
    """Add what a run may be told; the section ``fork`` has more."""
    options = (
        click.option(
            "--forks",
            "--workers",
            "forks",
            metavar="N",
            help="How many workers; 0 is one for each CPU, 1 does not fork.  "
            "[default: $WEB_CONCURRENCY, else 1]",
        ),
        click.option(
            "--bind",
            "sockets",
            multiple=True,
            metavar="URI",
            help="A socket the workers share, e.g. tcp://:8080; may be "
            "repeated.",
        ),
        click.option(
            "--loop",
            metavar="NAME",
            help="The event loop: asyncio, uvloop, winloop, rloop, or auto, "
            "which is uvloop where it is installed (on Windows winloop).  "
            "[default: asyncio]",
        ),
        click.option(
            "--preload/--no-preload",
            default=None,
            help="Import the modules once, for all workers, or in each.  "
            "[default: preload]",
        ),
        click.option(
            "--reload",
            is_flag=True,
            default=None,
            help="Restart when a source file changes.",
        ),
        click.option(
            "--max-requests",
            metavar="N",
            help="Replace a worker after so many requests.",
        ),
        click.option(
            "--max-requests-jitter",
            metavar="N",
            help="By how many less, at most.  [default: a tenth]",
        ),
        click.option(
            "--graceful-timeout",
            metavar="SECONDS",
            help="How long a worker gets to end.  [default: 60]",
        ),
        click.option(
            "--user",
            metavar="NAME",
            help="The user that the workers become once all is bound.",
        ),
        click.option(
            "--group",
            metavar="NAME",
            help="Their group.  [default: that of the user]",
        ),
        click.option(
            "--umask", metavar="OCTAL", help="Their umask, such as 027."
        ),
        click.option(
            "--directory",
            metavar="FOLDER",
            shell_complete=complete_folders,
            help="Their working directory.",
        ),
        click.option(
            "--pid",
            "pid_path",
            metavar="FILE",
            shell_complete=complete_files,
            help="A file to keep the process id in.",
        ),
        click.option(
            "--log-level",
            metavar="LEVEL",
            shell_complete=complete_levels,
            help="The lowest level to log.  [default: INFO]",
        ),
    )
    for option in reversed(options):
        func = option(func)
    return func


def with_settings(
    command: click.Command, given: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """
    Return what an ``Application`` takes.

    Args:
        command: The command, which knows how its options are written.
        given: Its parameters, by name.
    """
    written = {param.name: param.opts[0] for param in command.params}
    rest = {key: value for key, value in given.items() if key not in KEYS}
    rest["settings"] = [
        Setting(KEYS[name], _written(written[name], value), value)
        for name, value in given.items()
        if name in KEYS and value not in (None, ())
    ]
    return rest


def _written(option: str, value: object) -> str:
    return option.replace("--", "--no-") if value is False else option
