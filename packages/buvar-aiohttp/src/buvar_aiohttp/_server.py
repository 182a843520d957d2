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
from ._app import Layers
from ._bodies import watch_bodies
from ._bounds import Concurrency
from ._bounds import in_time
from ._config import AioHttpConfig
from ._connection import connection_options
from ._connections import Connections
from ._drain import TICK
from ._drain import wait_for_requests
from ._lame_duck import follow_supervisor
from ._lame_duck import go_on_accepting
from ._last_answer import announce_close
from ._limits import default_max_connections
from ._listeners import Listener
from ._listeners import listen_all
from ._proxies import TrustedProxies
from ._request_layer import Handler
from ._request_layer import counted
from ._requests import request_factory
from ._routes import check_parameters
from ._signals import stop_on_signals
from ._tls import Certificates
from ._tls import load_certificates
from ._websockets import close_websockets
from .management import management


_log = logging.getLogger("buvar_aiohttp")

#: Seconds between two looks at what connections do.
_WATCH: t.Final = 1.0
#: The component that buvar-pytest adds for the length of a test.
_TESTING: t.Final = "buvar.testing"
_DEFAULT_PORT: t.Final = attrs.fields(AioHttpConfig).port.default


class ExternallyServed:
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
        addresses: The same of all its listeners, that one first.
        stopped: Set once all requests were answered, or cancelled.
    """

    def __init__(
        self,
        config: AioHttpConfig,
        app: aiohttp.web.Application,
        listeners: t.Sequence[Listener],
        layers: Layers,
    ) -> None:
        self.config = config
        self.addresses = [listener.item.address for listener in listeners]
        self.address: t.Any = self.addresses[0]
        self.stopped = asyncio.Event()
        self._listeners = listeners
        self._layers = layers
        self._certificates: Certificates | None = None
        layers.gate.problems = config.problem_details
        self._proxies = (
            TrustedProxies(config.trusted_proxies, config.forwarded_headers)
            if config.trusted_proxies
            else None
        )
        self._connections: Connections | None = None
        self._limit = config.max_connections or default_max_connections()
        limit = config.max_concurrent_requests
        self._concurrency = (
            None if limit is None else Concurrency(limit, layers.gate)
        )
        self._options = connection_options(config)
        self._runner = _Runner(
            app,
            access_log_class=AccessLogger,
            handler_cancellation=config.handler_cancellation,
            # By then all have had their time.
            shutdown_timeout=TICK,
        )

    @property
    def refused(self) -> int:
        """How many requests ``max_concurrent_requests`` has refused."""
        return 0 if self._concurrency is None else self._concurrency.refused

    async def serve(self, cancel: asyncio.Event) -> None:
        """Serve until the stage stops."""
        with contextlib.ExitStack() as stack:
            if self.config.handle_signals:
                stack.enter_context(stop_on_signals(cancel))
            try:
                await self._serve(cancel)
            finally:
                await self._runner.cleanup()
                self.stopped.set()

    def secure(self, certificates: Certificates | None) -> None:
        """Serve HTTPS with certificates that may change."""
        self._certificates = certificates

    def requests(self) -> list[aiohttp.web.BaseRequest]:
        """Return the requests that are being handled."""
        if self._connections is None:
            return []
        found = (c.request for c in self._connections.busy())
        return [request for request in found if request is not None]

    async def _serve(self, cancel: asyncio.Event) -> None:
        connections = await self._setup()
        tls = self._certificates
        ssl_context = self.config.ssl_context if tls is None else tls.context
        acceptors = [
            Acceptor(
                listener.item.sock,
                connections,
                limit=self._limit,
                ssl_context=ssl_context if listener.tls else None,
                handshake_timeout=self.config.header_timeout,
                send_timeout=self.config.send_timeout,
                backlog=self.config.backlog,
            )
            for listener in self._listeners
        ]
        watching = [
            asyncio.create_task(work)
            for work in (
                *(acceptor.watch(_WATCH) for acceptor in acceptors),
                self._close_overdue(connections),
                watch_bodies(connections, self.config.body_timeout),
            )
        ]
        if tls is not None:
            for acceptor, listener in zip(
                acceptors, self._listeners, strict=True
            ):
                if listener.tls:
                    tls.listen(acceptor.secure)
            watching.append(asyncio.create_task(tls.watch()))
        worker = context.get(fork.Worker, default=None)
        delay = self.config.drain_delay
        if delay != 0 and worker is not None and self._supervised:

            def busy() -> bool:
                return connections.under_way() or any(
                    listener.item.pending() for listener in self._listeners
                )

            watching.append(
                asyncio.create_task(
                    follow_supervisor(worker, delay, self._begin_to_stop, busy)
                )
            )
        try:
            for acceptor in acceptors:
                await acceptor.start()
            self._say()
            await cancel.wait()
            await self._drain(acceptors, connections)
        finally:
            for acceptor in acceptors:
                acceptor.close()
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    async def _setup(self) -> Connections:
        """Set the server up, with layers around all that is handled."""
        app = self._runner.app
        if not app.frozen:
            # What is called at the start may add middlewares.
            app.on_startup.append(self._place)
        await self._runner.setup()
        check_parameters(app)
        server = t.cast("aiohttp.web.Server", self._runner.server)
        handler = server.request_handler
        worker = context.get(fork.Worker, default=None)
        if worker is not None and worker.max_requests is not None:
            handler = counted(worker, handler)
        server.request_factory = request_factory(
            server.request_factory,
            proxies=self._proxies,
            client_max_size=self.config.client_max_size,
        )
        below = context.current_context()
        handler = self._layers.within(self._bounded(handler))
        server.request_handler = self._layers.around(
            below, handler, tracked=True
        )
        self._connections = Connections(
            server,
            self._options,
            problems=self.config.problem_details,
            limit=self._limit,
        )
        return self._connections

    def _bounded(self, handler: Handler) -> Handler:
        """Have the bounds of requests kept that are set."""
        if self.config.request_timeout is not None:
            handler = in_time(self.config.request_timeout, handler)
        if self._concurrency is not None:
            handler = self._concurrency.around(handler)
        return handler

    @property
    def _supervised(self) -> bool:
        return any(listener.item.supervised for listener in self._listeners)

    def _say(self) -> None:
        """Say what is served."""
        for listener in self._listeners:
            uri = listener.item.uri
            _log.info(
                "Serving HTTP%s on %s",
                "S" if listener.tls else "",
                uri,
                extra={"address": uri},
            )

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

    @property
    def stopping(self) -> bool:
        """Whether it begins to stop, so that no requests should be sent."""
        return self._layers.gate.closing

    @property
    def retired(self) -> bool:
        """Whether only this worker stops, and others accept in its place."""
        worker = context.get(fork.Worker, default=None)
        return self._supervised and worker is not None and worker.retired

    def _begin_to_stop(self) -> None:
        """Have each answer be the last one of its connection."""
        self._layers.gate.closing = True
        for request in self.requests():
            announce_close(request)

    async def _drain(
        self, acceptors: list[Acceptor], connections: Connections
    ) -> None:
        """Accept what the kernel has accepted, answer for the last time."""
        self._begin_to_stop()
        # A supervisor has waited before it stopped its workers.
        delay = 0.0 if self._supervised else self.config.drain_delay or 0.0
        cut_short = await go_on_accepting(delay)
        start = time.monotonic()
        await asyncio.gather(
            *(listener.item.drain() for listener in self._listeners)
        )
        for acceptor, listener in zip(acceptors, self._listeners, strict=True):
            acceptor.close()
            # Whoever comes now is refused, and need not wait for nothing.
            listener.item.close()
        seconds = self.config.shutdown_timeout
        await close_websockets(connections, seconds)
        await self._runner.shutdown()
        await wait_for_requests(
            connections,
            seconds - (time.monotonic() - start),
            lambda: sum(a.count for a in acceptors) > connections.count,
        )
        # Those whose handshake was under way when the others were closed.
        await close_websockets(connections, seconds)
        if cut_short is not None:
            raise cut_short

    def close(self) -> None:
        """Close the sockets, also if nobody served on them."""
        for listener in self._listeners:
            listener.listening.close()


async def prepare_server(
    cancel: plugin.Cancel, teardown: plugin.Teardown
) -> t.AsyncIterator[t.Awaitable[None]]:
    """
    Bind, and serve the application while the stage runs.

    Raises:
        AddressError: An address cannot be bound.
        CertificateError: The files of TLS cannot be used.
    """
    if context.get(ExternallyServed, default=None) is not None:
        return
    config = await di.nject(AioHttpConfig)
    if context.get(_TESTING, default=None) and config.port == _DEFAULT_PORT:
        # Tests run side by side, and beside the service itself.
        config = attrs.evolve(config, port=0)
    certificates = load_certificates(config)
    tls = certificates is not None or config.ssl_context is not None
    with contextlib.ExitStack() as stack:
        served = listen_all(config, stack, tls=tls)
        app = context.get(aiohttp.web.Application)
        if config.normalize_paths and not app.frozen:
            app.middlewares.append(aiohttp.web.normalize_path_middleware())
        layers = context.get(Layers, default=None) or Layers()
        server = context.add(Server(config, app, served[0], layers))
        server.secure(certificates)
        operation = None
        if served[1]:
            # It stays until the service has stopped, and tells of the end.
            below = Layers()
            below.gate = layers.gate
            operation = Server(
                attrs.evolve(
                    config,
                    drain_delay=0.0,
                    handle_signals=False,
                    max_concurrent_requests=None,
                ),
                management().app,
                served[1],
                below,
            )
            management().address = operation.address
            operation.secure(certificates)
        stack.pop_all()
    teardown.add(server.close)
    yield server.serve(cancel)
    if operation is not None:
        teardown.add(operation.close)
        yield operation.serve(server.stopped)
