"""
The stages that tests share, imported when the first one does.

A stage is entered and left by one task, its host, as a test that enters it
could not leave it for the others.
"""

from __future__ import annotations

import asyncio
import dataclasses
import typing as t

from buvar import context
from buvar import di
from buvar import plugin
from buvar.config import ConfigSource

from . import TESTING


@dataclasses.dataclass(frozen=True)
class Shared:
    """
    A stage that runs for several tests.

    Attributes:
        stage: The stage, with its plugins prepared.
        adapters: What its plugins have registered.
    """

    stage: plugin.Stage
    adapters: di.Adapters


class Stages:
    """The stages that run in one event loop."""

    def __init__(self) -> None:
        self._hosts: list[_Host] = []

    async def get(
        self, plugins: t.Sequence[plugin.Plugin], source: ConfigSource
    ) -> Shared:
        """
        Return the stage of plugins and a configuration, and start it.

        Raises:
            ExceptionGroup: It had failed during another test.
        """
        for host in self._hosts:
            if host.plugins == plugins and host.source == source:
                break
        else:
            host = _Host(plugins, source)
            started = await host.start()
            self._hosts.append(host)
            return started
        started = await host.start()
        if started.stage.cancel.is_set():
            # Its error is that of this test, the next one has a new stage.
            self._hosts.remove(host)
            await host.end()
        return started

    async def end(self) -> None:
        """
        End all of them, the last one first.

        Raises:
            ExceptionGroup: Some had failed, or fail now.
        """
        errors: list[Exception] = []
        while self._hosts:
            try:
                await self._hosts.pop().end()
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
        if errors:
            raise ExceptionGroup("Stages that tests shared failed.", errors)


class _Host:
    """
    Runs a stage.

    Args:
        plugins: Its plugins.
        source: Its configuration.
    """

    def __init__(
        self, plugins: t.Sequence[plugin.Plugin], source: ConfigSource
    ) -> None:
        self.plugins = plugins
        self.source = source
        self._ready: asyncio.Future[Shared] = asyncio.Future()
        self._end = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="buvar-shared")

    async def start(self) -> Shared:
        """Wait until the plugins are prepared; what failed is raised."""
        await asyncio.wait(
            (self._ready, self._task), return_when=asyncio.FIRST_COMPLETED
        )
        if not self._ready.done():
            await self._task
        return self._ready.result()

    async def end(self) -> None:
        """End the stage; what failed is raised."""
        self._end.set()
        await self._task

    async def _run(self) -> None:
        adapters = di.buvar_adapters.get().copy()
        di.buvar_adapters.set(adapters)
        with context.child():
            context.add(self.source)
            # What binds a port takes a free one.
            context.add(True, TESTING)  # noqa: FBT003 - a fact
            async with plugin.Stage(*self.plugins) as stage:
                self._ready.set_result(Shared(stage, adapters))
                await self._end.wait()
