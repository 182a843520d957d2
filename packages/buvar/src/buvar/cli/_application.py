"""Put what a command line says about an application into the context."""

from __future__ import annotations

import functools
import json
import logging
import os
import pathlib
import sys
import typing as t

import attrs

from buvar import config
from buvar import context
from buvar import log
from buvar import plugin

from ._errors import CommandError
from ._errors import Exit
from ._fork_config import ForkConfig


_log = logging.getLogger("buvar.cli")

#: The sections that the command itself reads.
LOG: t.Final = "log"
FORK: t.Final = "fork"
OWN: t.Final[dict[str, type]] = {FORK: ForkConfig, LOG: log.LogConfig}
#: The options of the command that say what the configuration is made of.
NAMED_BY: t.Final = config.NamedBy(
    files="-c", secrets="--secrets", unknown="--unknown"
)
#: What hosts set to say how many workers there should be.
WEB_CONCURRENCY: t.Final = "WEB_CONCURRENCY"


@attrs.frozen
class Setting:
    """
    A value that an option of its own sets.

    Attributes:
        key: The dotted path of the value.
        option: The option, as errors name it.
        value: What was given.
    """

    key: str
    option: str
    value: str | bool | tuple[str, ...]

    @property
    def text(self) -> str:
        """The value as ``--set`` takes it."""
        if isinstance(self.value, str):
            return f"{self.key}={self.value}"
        return f"{self.key}={json.dumps(self.value)}"


class Application:
    """
    Plugins and their configuration.

    Args:
        plugins: The plugins, in the order they are loaded in.
        files: TOML files and folders of them, later ones win.
        values: Strings ``key=value`` that win over files and variables.
        env_prefix: The prefix of variables, by default the environment is
            not looked at.
        secrets: A folder with a file for each secret.
        unknown: What to do about what nothing reads.
        settings: What options of their own set: they win over all others.
    """

    def __init__(
        self,
        plugins: t.Sequence[plugin.Plugin],
        files: t.Sequence[str] = (),
        values: t.Sequence[str] = (),
        env_prefix: str | None = None,
        *,
        secrets: str | None = None,
        unknown: t.Literal["error", "warn", "ignore"] = "error",
        settings: t.Sequence[Setting] = (),
    ) -> None:
        self.plugins = plugins
        self.files = files
        self.values = values
        self.env_prefix = env_prefix
        self.secrets = secrets
        self.unknown: t.Literal["error", "warn", "ignore"] = unknown
        self.settings = settings
        self._log_config: log.LogConfig | None = None
        # As with `python -m`: an application is found where one stands.
        here = str(pathlib.Path.cwd())
        if here not in sys.path:
            sys.path.insert(0, here)

    @property
    def names(self) -> str:
        """The plugins, as a user reads them."""
        every = [str(name) for group in self.groups() for name in group]
        return ", ".join(dict.fromkeys(every))

    @functools.cached_property
    def source(self) -> config.ConfigSource:
        """
        The configuration, read once.

        Raises:
            ConfigError: A file cannot be read.
        """
        source = config.ConfigSource.read(
            *self.files,
            env_prefix=self.env_prefix,
            overrides=self.values,
            secrets=self.secrets,
            unknown=self.unknown,
            named_by=NAMED_BY,
        )
        for setting in self.settings:
            source.set(setting.text, origin=setting.option)
        _add_web_concurrency(source)
        return source

    def set_up(self) -> None:
        """Configure the logs and put the configuration into the context."""
        self._set_up_logs()
        context.add(self.source)

    def _set_up_logs(self) -> None:
        settings = self.source.load(log.LogConfig, LOG)
        if settings != self._log_config:
            settings.setup()
            self._log_config = settings

    def run(self) -> None:
        """
        Run the plugins until they end.

        Raises:
            ConfigError: The configuration is wrong.
            ForkError: The workers cannot be started, or failed.
        """
        from buvar import fork  # noqa: PLC0415

        check_own(self.source)
        self.set_up()
        settings = self.source.load(ForkConfig, FORK)
        forks = settings.forks != 1 or bool(settings.roles)
        self.groups()
        if forks:
            # What replaces a worker on HUP has what the files say by then,
            # of the logs as well.
            os.register_at_fork(before=self._refresh)
        if (forks or settings.sockets) and _is_root(settings):
            _log.warning(
                "The workers run as root: name another user with --user, or "
                "say --user root."
            )
        plugins = (config, *self.plugins)
        roles = [
            # Which sections there are no role knows alone.
            role_config.role(name, plugins)
            for name, role_config in settings.roles.items()
        ]
        fork.stage(
            *(roles or (*plugins, self.check_unknown)),
            **settings.stage_options(),
        )

    def groups(self) -> list[tuple[plugin.Plugin, ...]]:
        """
        Return the plugins that run together, role by role.

        Raises:
            CommandError: There are none.
            ConfigError: The section of the roles is wrong.
        """
        roles = self.source.load(ForkConfig, FORK).roles.values()
        found = [(*self.plugins, *role.plugins) for role in roles]
        if not found and not self.plugins:
            msg = (
                "No plugin is named.\nGive the modules to run, or have a file "
                "of -c define roles: [fork.roles.web]."
            )
            raise CommandError(msg, Exit.USAGE)
        return found or [tuple(self.plugins)]

    def roles_with(self, name: plugin.Plugin) -> list[str]:
        """Return the roles that have a plugin of their own."""
        try:
            roles = self.source.load(ForkConfig, FORK).roles
        except config.ConfigError:
            # That is said elsewhere; no role was looked at.
            return []
        return [
            role for role, options in roles.items() if name in options.plugins
        ]

    async def check_unknown(self, load: plugin.Loader) -> None:
        """
        Report what nothing reads of the configuration: a plugin.

        Raises:
            ConfigError: There is something, and it is to be an error.
        """
        # Which sections there are is known when all are prepared.
        await load(*self.plugins)
        context.get(config.ConfigSource).check_unknown()

    def _refresh(self) -> None:
        if self.source.refresh():
            self._set_up_logs()


def check_own(source: config.ConfigSource) -> None:
    """
    Load the sections of the command itself.

    Raises:
        ConfigError: All that is wrong with them.
    """
    problems: list[config.Problem] = []
    for section, cls in OWN.items():
        try:
            source.load(cls, section)
        except config.ConfigError as error:
            problems += error.errors
    if problems:
        raise config.ConfigError(problems)


def _add_web_concurrency(source: config.ConfigSource) -> None:
    """Take the number of workers that the host says, if nothing else does."""
    number = os.environ.get(WEB_CONCURRENCY, "").strip()
    if source.env_prefix == "WEB":
        source.reserve("concurrency")
    if not number:
        return
    key = f"{FORK}.forks"
    for setting in source.explain(ForkConfig, FORK):
        if setting.path == key and setting.source == "default":
            source.set(f"{key}={number}", origin=f"${WEB_CONCURRENCY}")


def _is_root(settings: ForkConfig) -> bool:
    """Tell whether workers run as root although nobody has said so."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return (
        root
        and settings.user is None
        and (
            not settings.roles
            or any(role.user is None for role in settings.roles.values())
        )
    )
