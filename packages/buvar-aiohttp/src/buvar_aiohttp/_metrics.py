"""Measure requests with prometheus-client."""

from __future__ import annotations

import asyncio
import os
import time
import typing as t

import aiohttp.web

from prometheus_client import CollectorRegistry
from prometheus_client import Counter
from prometheus_client import Gauge
from prometheus_client import Histogram
from prometheus_client.exposition import choose_encoder

from buvar import context
from buvar import fork

from ._metrics_folder import MetricsFolder
from ._metrics_shared import VARIABLE
from ._metrics_shared import share_folder
from ._observe import CLIENT_LEFT
from ._observe import client_left
from ._observe import observing
from ._request_layer import Handler
from ._route import method_of
from ._route import route_of


#: Bounds of what OpenTelemetry advises for seconds.
_SECONDS: t.Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5),
    *(0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
#: Bounds for bytes, from 100 B to 100 MB.
_BYTES: t.Final = tuple(10.0**power for power in range(2, 9))
#: Seconds between two looks at how late the event loop is.
_LAG_TICK: t.Final = 0.5

_OBSERVER: t.Final = "measuring"


class Metrics:
    """
    The metrics of an application.

    Attributes:
        registry: What they are kept in, and exposed from.
        folder: What the workers share, if they do.

    Raises:
        MetricsFolderError: Workers cannot share a folder.
    """

    def __init__(self) -> None:
        # Before there are any metrics: they ask where they are kept.
        self._shared = share_folder()
        path = os.environ.get(VARIABLE)
        self.folder = MetricsFolder(path) if path else None
        registry = context.get(CollectorRegistry, default=None)
        if registry is None:
            registry = context.add(CollectorRegistry())
        self.registry = registry
        names = "http_request_method", "http_route"
        answered = *names, "http_response_status_code"
        self._total = Counter(
            "http_requests_total",
            "Requests that were handled.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "http_server_request_duration_seconds",
            "How long requests took.",
            answered,
            buckets=_SECONDS,
            registry=registry,
        )
        self._received = Histogram(
            "http_server_request_body_size_bytes",
            "How long the bodies of requests were, where that was said.",
            names,
            buckets=_BYTES,
            registry=registry,
        )
        self._sent = Histogram(
            "http_server_response_body_size_bytes",
            "How long the bodies of responses were, where that was known.",
            names,
            buckets=_BYTES,
            registry=registry,
        )
        self._open = Gauge(
            "http_server_active_requests",
            "Requests that are not answered yet.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._lag = Gauge(
            "event_loop_lag_seconds",
            "How late the event loop of a worker was, when last looked at.",
            ["worker"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._watching: asyncio.Task[None] | None = None

    @aiohttp.web.middleware
    async def measure(
        self, request: aiohttp.web.Request, handler: Handler
    ) -> aiohttp.web.StreamResponse:
        """Measure a request, as a middleware does."""
        status = 500
        response: aiohttp.web.StreamResponse | None = None
        start = time.perf_counter()
        with observing(_OBSERVER):
            self._open.inc()
        try:
            response = await handler(request)
            status = response.status
        except aiohttp.web.HTTPException as error:
            response, status = error, error.status
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) or client_left(
                request, error
            ):
                status = CLIENT_LEFT
            raise
        else:
            return response
        finally:
            with observing(_OBSERVER):
                self._open.dec()
                method, route = method_of(request), route_of(request) or ""
                spent = time.perf_counter() - start
                self._total.labels(method, route, status).inc()
                self._seconds.labels(method, route, status).observe(spent)
                if request.body_exists:
                    self._measure(self._received, request, method, route)
                if response is not None:
                    self._measure(self._sent, response, method, route)

    def _measure(
        self,
        sizes: Histogram,
        message: aiohttp.web.Request | aiohttp.web.StreamResponse,
        *labels: str,
    ) -> None:
        """Note how long a body is, if that was said."""
        length = message.content_length
        if length is not None:
            sizes.labels(*labels).observe(length)

    def watch_loop(self) -> None:
        """Note from now on how late the event loop is."""
        worker = context.get(fork.Worker, default=None)
        lag = self._lag.labels("1" if worker is None else str(worker.slot))
        self._watching = asyncio.create_task(_watch_loop(lag))

    async def expose(
        self, request: aiohttp.web.Request
    ) -> aiohttp.web.Response:
        """Answer with the metrics, in the format that is asked for."""
        accept = request.headers.get("Accept", "")
        if self.folder is None:
            body, kind = _encode(self.registry, accept)
        else:
            async with self.folder.locked() as locked:
                if locked:
                    self.folder.bury()
                shared = CollectorRegistry()
                shared.register(t.cast("t.Any", self.folder))
                body, kind = _encode(shared, accept)
        return aiohttp.web.Response(body=body, headers={"Content-Type": kind})

    async def bury(self) -> None:
        """Merge what workers have left that are gone."""
        if self.folder is not None:
            with observing("clearing of the metrics' folder"):
                async with self.folder.locked() as locked:
                    if locked:
                        self.folder.bury()

    async def close(self) -> None:
        """Take this worker out of what only living ones count in."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self.folder is not None:
            self.folder.leave(os.getpid())
        if self._shared is not None:
            self._shared.close()


async def _watch_loop(lag: t.Any) -> None:
    loop = asyncio.get_running_loop()
    while True:
        start = loop.time()
        await asyncio.sleep(_LAG_TICK)
        with observing("measuring of the event loop's lag"):
            lag.set(max(0.0, loop.time() - start - _LAG_TICK))


def _encode(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Write metrics in the format that is asked for, if there is such one."""
    try:
        encode, kind = choose_encoder(accept)
    except Exception:  # noqa: BLE001 - of what a client has written
        # A version that is not a number, and the like.
        encode, kind = choose_encoder("")
    return encode(registry), kind
