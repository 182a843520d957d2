"""Measure requests with prometheus-client."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import re
import time
import typing as t

import aiohttp.web

from prometheus_client import CollectorRegistry
from prometheus_client import Counter
from prometheus_client import Gauge
from prometheus_client import Histogram
from prometheus_client import multiprocess
from prometheus_client.exposition import choose_encoder

from buvar import context

from ._app import Handler
from ._route import method_of
from ._route import route_of


# It has no annotations.
_multiprocess: t.Any = multiprocess

#: What tells prometheus-client that several processes have the metrics.
VARIABLE: t.Final = "PROMETHEUS_MULTIPROC_DIR"
#: The status of a request that was cancelled, as proxies log it.
CANCELLED: t.Final = 499

_LIVE = re.compile(r"gauge_live\w+_(\d+)\.db")


class Metrics:
    """
    The metrics of an application.

    Attributes:
        registry: What they are kept in, and exposed from.
        folder: What the workers share, if they do.
    """

    def __init__(self) -> None:
        self.folder = os.environ.get(VARIABLE)
        if self.folder is not None:
            _forget_the_dead(pathlib.Path(self.folder))
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
        """Be a middleware."""
        status = 500
        start = time.perf_counter()
        self._open.inc()
        try:
            response = await handler(request)
            status = response.status
        except aiohttp.web.HTTPException as error:
            status = error.status
            raise
        except asyncio.CancelledError:
            status = CANCELLED
            raise
        else:
            return response
        finally:
            self._open.dec()
            method, route = method_of(request), route_of(request) or ""
            self._requests.labels(method, route, status).inc()
            spent = time.perf_counter() - start
            self._seconds.labels(method, route).observe(spent)

    async def expose(
        self, request: aiohttp.web.Request
    ) -> aiohttp.web.Response:
        """Answer with the metrics, in the format that is asked for."""
        registry = self.registry
        if self.folder is not None:
            registry = CollectorRegistry()
            _multiprocess.MultiProcessCollector(registry)
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        return aiohttp.web.Response(
            body=encode(registry), headers={"Content-Type": kind}
        )

    def close(self) -> None:
        """Take this worker out of what only living ones count in."""
        if self.folder is not None:
            _multiprocess.mark_process_dead(os.getpid())


def _forget_the_dead(folder: pathlib.Path) -> None:
    """Take workers that were killed out of what only living ones count in."""
    folder.mkdir(parents=True, exist_ok=True)
    found = (_LIVE.fullmatch(path.name) for path in folder.iterdir())
    for pid in {int(match[1]) for match in found if match}:
        try:
            os.kill(pid, 0)
        except OSError:
            # There is none, or it is somebody else's by now. Workers that
            # start together all look, and one removes the files.
            with contextlib.suppress(FileNotFoundError):
                _multiprocess.mark_process_dead(pid)
