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

from ._metrics_folder import MetricsFolder
from ._observe import CLIENT_LEFT
from ._observe import client_left
from ._observe import observing
from ._request_layer import Handler
from ._route import method_of
from ._route import route_of


#: What tells prometheus-client that several processes have the metrics.
VARIABLE: t.Final = "PROMETHEUS_MULTIPROC_DIR"

_OBSERVER: t.Final = "measuring"


class Metrics:
    """
    The metrics of an application.

    Attributes:
        registry: What they are kept in, and exposed from.
        folder: What the workers share, if they do.
    """

    def __init__(self) -> None:
        path = os.environ.get(VARIABLE)
        self.folder = MetricsFolder(path) if path else None
        registry = context.get(CollectorRegistry, default=None)
        if registry is None:
            registry = context.add(CollectorRegistry())
        self.registry = registry
        self._requests = Counter(
            "http_requests",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "How long requests took.",
            ["method", "route"],
            registry=registry,
        )
        self._open = Gauge(
            "http_requests_in_progress",
            "Requests that are not answered yet.",
            registry=registry,
            multiprocess_mode="livesum",
        )

    @aiohttp.web.middleware
    async def measure(
        self, request: aiohttp.web.Request, handler: Handler
    ) -> aiohttp.web.StreamResponse:
        """Measure a request, as a middleware does."""
        status = 500
        start = time.perf_counter()
        with observing(_OBSERVER):
            self._open.inc()
        try:
            response = await handler(request)
            status = response.status
        except aiohttp.web.HTTPException as error:
            status = error.status
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
                self._requests.labels(method, route, status).inc()
                spent = time.perf_counter() - start
                self._seconds.labels(method, route).observe(spent)

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

    def close(self) -> None:
        """Take this worker out of what only living ones count in."""
        if self.folder is not None:
            self.folder.leave(os.getpid())


def _encode(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Write metrics in the format that is asked for, if there is such one."""
    try:
        encode, kind = choose_encoder(accept)
    except Exception:  # noqa: BLE001 - of what a client has written
        # A version that is no number, and the like.
        encode, kind = choose_encoder("")
    return encode(registry), kind
