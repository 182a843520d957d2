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
    """

    def __init__(
        self,
        plugins: t.Sequence[str],
        files: t.Sequence[str] = (),
        values: t.Sequence[str] = (),
        env_prefix: str | None = None,
    ) -> None:
        self.plugins = plugins
        self.files = files
        self.values = values
        self.env_prefix = env_prefix
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
            *self.files, env_prefix=self.env_prefix, overrides=self.values
        )

    def set_up(self) -> None:
        """Configure the logs and put the configuration into the context."""
        settings = self.source.load(log.LogConfig, LOG)
        settings.setup()
        context.add(self.source)

    def run(
        self, *, forks: int, sockets: t.Sequence[str], reload: bool
    ) -> None:
        """
        Run the plugins until they end.

        Args:
            forks: How many workers, 0 for one for each CPU.
            sockets: URIs of what they listen on.
            reload: Whether to restart when a source file changes.
        """
        from buvar import fork  # noqa: PLC0415

        self.set_up()
        if forks != 1:
            # What replaces a worker on HUP has what the files say by then.
            os.register_at_fork(before=self.source.refresh)
        fork.stage(
            config,
            *self.plugins,
            forks=forks,
            sockets=list(sockets),
            reload=reload,
        )
