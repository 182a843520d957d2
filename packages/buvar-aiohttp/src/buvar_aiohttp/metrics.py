"""
Metrics for Prometheus: ``/metrics``, a plugin of its own.

``await load("buvar_aiohttp.metrics")`` counts requests and measures how long
they take, by method, template of the route (never the path, of which there
may be any number) and status. It needs the extra
``buvar-aiohttp[metrics]``. The metrics are

- ``http_requests_total``, a counter: ``method``, ``route``, ``status``; a
  request whose client left, or that was cancelled, has status 499,
- ``http_request_duration_seconds``, a histogram: ``method``, ``route``; from
  the call of the handler to its end,
- ``http_requests_in_progress``, a gauge,
- ``http_server_requests_refused_total``, a counter: those that
  ``max_concurrent_requests`` has refused.

They are kept in a registry of their own, the component
``prometheus_client.CollectorRegistry``: add metrics of your own to it. One
that is in the context already is used instead.

Forked workers have metrics each, and a scrape reaches any one of them. Set the
variable ``PROMETHEUS_MULTIPROC_DIR`` to a folder of the service's own that is
emptied before the start, and each worker answers for all. What workers have
counted that are gone is merged into one file of each kind; a file that cannot
be read is left out, and logged.
"""

from __future__ import annotations

import aiohttp.web

from buvar import context
from buvar import plugin

from ._app import prepare_app
from ._errors import ExtraError
from .management import management_app


async def prepare(load: plugin.Loader, teardown: plugin.Teardown) -> None:
    """
    Measure requests, and add the route to the application.

    Raises:
        ExtraError: prometheus-client is not installed.
    """
    try:
        from ._metrics import Metrics  # noqa: PLC0415
        from ._metrics_refused import count_refused  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ExtraError(__name__, "metrics", "prometheus-client") from error

    await load(prepare_app)
    metrics = Metrics()
    await metrics.bury()
    teardown.add(metrics.close)
    app = context.get(aiohttp.web.Application)
    app.middlewares.append(metrics.measure)
    count_refused(metrics.registry)
    management = await management_app(load)
    management.router.add_get("/metrics", metrics.expose)


__all__ = ["prepare"]
