"""What a command line says of an application, put into the context."""

from __future__ import annotations

import functools
import os
import pathlib
import sys
import typing as t

from buvar import config
from buvar import context
from buvar import log
from buvar import plugin


#: The section that the command itself reads.
LOG: t.Final = "log"


class Application:
    """
    Plugins and their configuration.

    Args:
        plugins: The names of the plugins, in the order they are loaded in.
        files: TOML files and folders of them, later ones win.
        values: Strings ``key=value`` that win over everything else.
        env_prefix: The prefix of variables, by default the environment is
            not looked at.
        secrets: A folder with a file for each secret.
        unknown: What to do about what nothing reads.
    """

    def __init__(
        self,
        plugins: t.Sequence[str],
        files: t.Sequence[str] = (),
        values: t.Sequence[str] = (),
        env_prefix: str | None = None,
        *,
        secrets: str | None = None,
        unknown: t.Literal["error", "warn", "ignore"] = "error",
    ) -> None:
        self.plugins = plugins
        self.files = files
        self.values = values
        self.env_prefix = env_prefix
        self.secrets = secrets
        self.unknown: t.Literal["error", "warn", "ignore"] = unknown
        self._settings: log.LogConfig | None = None
        # As with `python -m`: an application is found where one stands.
        here = str(pathlib.Path.cwd())
        if here not in sys.path:
            sys.path.insert(0, here)

    @functools.cached_property
    def source(self) -> config.ConfigSource:
        """
        The configuration, read once.

        Raises:
            ConfigError: A file cannot be read.
        """
        return config.ConfigSource.read(
            *self.files,
            env_prefix=self.env_prefix,
            overrides=self.values,
            secrets=self.secrets,
            unknown=self.unknown,
        )

    def set_up(self) -> None:
        """Configure the logs and put the configuration into the context."""
        self._set_up_logs()
        context.add(self.source)

    def _set_up_logs(self) -> None:
        settings = self.source.load(log.LogConfig, LOG)
        if settings != self._settings:
            settings.setup()
            self._settings = settings

    def run(
        self,
        *,
        forks: int,
        sockets: t.Sequence[str],
        preload: bool,
        reload: bool,
    ) -> None:
        """
        Run the plugins until they end.

        Args:
            forks: How many workers, 0 for one for each CPU.
            sockets: URIs of what they listen on.
            preload: Whether the plugins are imported before the fork.
            reload: Whether to restart when a source file changes.
        """
        from buvar import fork  # noqa: PLC0415

        self.set_up()
        if forks != 1:
            # What replaces a worker on HUP has what the files say by then,
            # of the logs as well.
            os.register_at_fork(before=self._refresh)
        fork.stage(
            config,
            *self.plugins,
            self.check_unknown,
            forks=forks,
            sockets=list(sockets),
            preload=preload,
            # What is bound on the command line is meant to be served.
            unserved="error",
            reload=reload,
        )

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
