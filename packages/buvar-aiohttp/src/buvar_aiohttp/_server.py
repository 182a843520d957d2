"""Serve until the stage stops, then answer what was accepted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import typing as t

import aiohttp.web
import attrs

from buvar import context
from buvar import di
from buvar import fork
from buvar import plugin

from ._access import AccessLogger
from ._address import Listening
from ._address import listen
from ._address import unbound
from ._app import Door
from ._app import Handler
from ._app import counted
from ._app import in_layers
from ._config import AioHttpConfig
from ._websockets import close_websockets


_log = logging.getLogger("buvar_aiohttp")

#: Seconds in which a client of an open connection may ask once more.
LINGER: t.Final = 1.0
#: The component that buvar-pytest adds for the length of a test.
_TESTING: t.Final = "buvar.testing"
_DEFAULT_PORT: t.Final = attrs.fields(AioHttpConfig).port.default
#: Seconds between two looks at the connections while they end.
_TICK: t.Final = 0.01


class Elsewhere:
    """A component that says that something else serves the application."""


class Server:
    """
    The server of a stage, a component.

    Attributes:
        config: Its settings.
        address: What it is bound to: host and port, or a path.
    """

    def __init__(
        self,
        config: AioHttpConfig,
        app: aiohttp.web.Application,
        listening: Listening,
        door: Door,
    ) -> None:
        self.config = config
        self.address: t.Any = listening.item.address
        self._listening = listening
        self._door = door
        self._runner = aiohttp.web.AppRunner(
            app,
            handle_signals=config.handle_signals,
            access_log_class=AccessLogger,
            access_log=AccessLogger.LOGGER if config.access_log else None,
            # aiohttp waits twice: for requests to end, and again once those
            # that read their bodies were told; 0 would be for ever.
            shutdown_timeout=max(config.shutdown_timeout / 2, _TICK),
        )

    async def serve(self, cancel: plugin.Cancel) -> None:
        """Serve until the stage stops."""
        try:
            await self._setup()
            site = aiohttp.web.SockSite(
                self._runner,
                self._listening.item.sock,
                ssl_context=self.config.ssl_context,
                backlog=self.config.backlog,
            )
            await site.start()
            _log.info(
                "Serving HTTP on %s",
                self.config.address,
                extra={"address": self.config.address},
            )
            await cancel.wait()
            await self._drain(site)
        finally:
            await self._runner.cleanup()

    async def _setup(self) -> None:
        """Set the server up, with layers around all that the application does.

        Below the application, not among its middlewares, they cost least: an
        application that has no middlewares is faster than one that has any.
        """
        with contextlib.suppress(ValueError, RuntimeError):
            # It is somebody's own, without them, or served elsewhere too.
            self._runner.app.middlewares.remove(self._door.layers)
        await self._runner.setup()
        server = t.cast("aiohttp.web.Server", self._runner.server)
        handler: Handler = in_layers(
            self._door, context.current_context(), server.request_handler
        )
        worker = context.get(fork.Worker, default=None)
        if worker is not None and worker.max_requests is not None:
            handler = counted(worker, handler)
        server.request_handler = handler

    async def _drain(self, site: aiohttp.web.BaseSite) -> None:
        """Accept what the kernel has accepted, answer for the last time."""
        self._door.closing = True
        await self._listening.item.drain()
        await site.stop()
        server = t.cast("aiohttp.web.Server", self._runner.server)
        await close_websockets(server, self.config.shutdown_timeout)
        await self._linger(server)
        # Those whose handshake was under way when the others were closed.
        await close_websockets(server, self.config.shutdown_timeout)

    async def _linger(self, server: aiohttp.web.Server) -> None:
        """Let clients of open connections ask once more, and be told."""
        loop = asyncio.get_running_loop()
        end = loop.time() + min(LINGER, self.config.shutdown_timeout)
        while server.connections and loop.time() < end:  # noqa: ASYNC110 - aiohttp has no event for that
            await asyncio.sleep(_TICK)

    def close(self) -> None:
        """Close the socket, also if nobody served on it."""
        self._listening.close()


async def prepare_server(
    cancel: plugin.Cancel, teardown: plugin.Teardown
) -> t.AsyncIterator[t.Awaitable[None]]:
    """
    Bind, and serve the application while the stage runs.

    Raises:
        AddressError: The address cannot be bound.
    """
    if context.get(Elsewhere, default=None) is not None:
        return
    config = await di.nject(AioHttpConfig)
    if context.get(_TESTING, default=None) and config.port == _DEFAULT_PORT:
        # Tests run side by side, and beside the service itself.
        config = attrs.evolve(config, port=0)
    server = context.add(
        Server(
            config,
            context.get(aiohttp.web.Application),
            # A check binds nothing: the service may be running.
            unbound(config) if plugin.checking() else listen(config),
            context.get(Door, default=None) or Door(),
        )
    )
    teardown.add(server.close)
    yield server.serve(cancel)
