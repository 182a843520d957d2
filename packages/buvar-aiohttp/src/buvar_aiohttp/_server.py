"""Serve until the stage stops, then answer what was accepted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import typing as t

import aiohttp.web
import attrs

from buvar import context
from buvar import di
from buvar import fork
from buvar import plugin

from ._accept import Acceptor
from ._access import AccessLogger
from ._address import Listening
from ._address import listen
from ._address import unbound
from ._app import Layers
from ._config import AioHttpConfig
from ._connections import Connection
from ._connections import Connections
from ._drain import TICK
from ._drain import go_on_accepting
from ._drain import wait_for_requests
from ._limits import default_max_connections
from ._request_layer import counted
from ._request_layer import in_layers
from ._signals import stop_on_signals
from ._websockets import close_websockets


_log = logging.getLogger("buvar_aiohttp")

#: Seconds between two looks at what connections do.
_WATCH: t.Final = 1.0
#: The component that buvar-pytest adds for the length of a test.
_TESTING: t.Final = "buvar.testing"
_DEFAULT_PORT: t.Final = attrs.fields(AioHttpConfig).port.default


class Elsewhere:
    """A component that says that something else serves the application."""


class _Runner(aiohttp.web.AppRunner):
    """Tells the application once that it stops: when it begins to."""

    __slots__ = ("_told",)

    def __init__(self, app: aiohttp.web.Application, **options: t.Any) -> None:
        super().__init__(app, **options)
        self._told = False

    async def shutdown(self) -> None:
        """Send ``on_shutdown``, if that was not done yet."""
        if not self._told:
            self._told = True
            await super().shutdown()


class Server:
    """
    The server of a stage, a component.

    Attributes:
        config: Its settings.
        address: What it is bound to: host and port, or a path.
        stopped: Set once all requests were answered, or cancelled.
    """

    def __init__(
        self,
        config: AioHttpConfig,
        app: aiohttp.web.Application,
        listening: Listening,
        layers: Layers,
    ) -> None:
        self.config = config
        self.address: t.Any = listening.item.address
        self.stopped = asyncio.Event()
        self._listening = listening
        self._layers = layers
        self._connections: Connections | None = None
        self._limit = config.max_connections or default_max_connections()
        self._runner = _Runner(
            app,
            access_log_class=AccessLogger,
            access_log=AccessLogger.LOGGER if config.access_log else None,
            keepalive_timeout=config.keepalive_timeout,
            # By then all have had their time.
            shutdown_timeout=TICK,
        )

    async def serve(self, cancel: plugin.Cancel) -> None:
        """Serve until the stage stops."""
        with contextlib.ExitStack() as stack:
            if self.config.handle_signals:
                stack.enter_context(stop_on_signals(cancel))
            try:
                await self._serve(cancel)
            finally:
                await self._runner.cleanup()
                self.stopped.set()

    def requests(self) -> list[aiohttp.web.BaseRequest]:
        """Return the requests that are being handled."""
        if self._connections is None:
            return []
        found = (c.request for c in self._connections.busy())
        return [request for request in found if request is not None]

    async def _serve(self, cancel: plugin.Cancel) -> None:
        connections = await self._setup()
        acceptor = Acceptor(
            self._listening.item.sock,
            connections,
            limit=self._limit,
            ssl_context=self.config.ssl_context,
            handshake_timeout=self.config.header_timeout,
            backlog=self.config.backlog,
        )
        await acceptor.start()
        watching = [
            asyncio.create_task(acceptor.watch(_WATCH)),
            asyncio.create_task(self._close_overdue(connections)),
        ]
        try:
            uri = self._listening.item.uri
            _log.info("Serving HTTP on %s", uri, extra={"address": uri})
            await cancel.wait()
            await self._drain(acceptor, connections)
        finally:
            acceptor.close()
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    async def _setup(self) -> Connections:
        """Set the server up, with layers around all that is handled."""
        app, gate = self._runner.app, self._layers.gate
        if not app.frozen:
            # What is called at the start may add middlewares.
            app.on_startup.append(self._place)
        await self._runner.setup()
        server = t.cast("aiohttp.web.Server", self._runner.server)
        handler = server.request_handler
        worker = context.get(fork.Worker, default=None)
        if worker is not None and worker.max_requests is not None:
            handler = counted(worker, handler)
        below = context.current_context()

        def make(connection: Connection) -> aiohttp.web.RequestHandler:
            # Each connection takes its own from the server when it is made.
            server.request_handler = in_layers(
                gate, below, handler, connection
            )
            return server()

        self._connections = Connections(make, self._limit)
        return self._connections

    async def _place(self, app: aiohttp.web.Application) -> None:
        self._layers.place(app)

    async def _close_overdue(self, connections: Connections) -> None:
        """Be rid of clients that only occupy a connection."""
        timeouts = {
            "header_timeout": self.config.header_timeout,
            "keepalive_timeout": self.config.keepalive_timeout,
        }
        tick = min(_WATCH, *(seconds / 2 for seconds in timeouts.values()))
        while True:
            await asyncio.sleep(tick)
            connections.close_overdue(**timeouts)

    async def _drain(
        self, acceptor: Acceptor, connections: Connections
    ) -> None:
        """Accept what the kernel has accepted, answer for the last time."""
        self._layers.gate.closing = True
        item = self._listening.item
        # A supervisor lets nobody in any more once it stops its workers.
        delay = 0.0 if item.supervised else self.config.drain_delay
        cut_short = await go_on_accepting(delay)
        start = time.monotonic()
        await item.drain()
        acceptor.close()
        # Whoever comes now is refused, and need not wait for nothing.
        item.close()
        server = t.cast("aiohttp.web.Server", self._runner.server)
        seconds = self.config.shutdown_timeout
        await close_websockets(server, seconds)
        await self._runner.shutdown()
        await wait_for_requests(
            connections, seconds - (time.monotonic() - start)
        )
        # Those whose handshake was under way when the others were closed.
        await close_websockets(server, seconds)
        if cut_short is not None:
            raise cut_short

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
            context.get(Layers, default=None) or Layers(),
        )
    )
    teardown.add(server.close)
    yield server.serve(cancel)
