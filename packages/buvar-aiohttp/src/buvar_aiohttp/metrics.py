"""
Metrics for Prometheus: ``/metrics``, a plugin of its own.

``await load("buvar_aiohttp.metrics")`` measures requests by method, template
of the route (never the path, of which there may be any number) and status. It
needs the extra ``buvar-aiohttp[metrics]``. Most of the metrics have
OpenTelemetry's names, as Prometheus writes them:

- ``http_server_request_duration_seconds``, a histogram, whose count is that
  of the requests: ``http_request_method``, ``http_route``,
  ``http_response_status_code``, which is 499 for a request whose client left,
  or that was cancelled; from the call of the handler to its end,
- ``http_server_request_body_size_bytes`` and
  ``http_server_response_body_size_bytes``, histograms, without the status, of
  bodies whose length is known,
- ``http_server_active_requests``, a gauge,
- ``http_requests_total``, a counter: ``method``, ``route``, ``status``; the
  count of the first one under the name that most dashboards ask for,
- ``event_loop_lag_seconds``, a gauge: ``worker``, its number,
- ``http_server_requests_refused_total``, a counter: those that
  ``max_concurrent_requests`` has refused.

They are kept in a registry of their own, the component
``prometheus_client.CollectorRegistry``: add metrics of your own to it. One
that is in the context already is used instead.

A scrape reaches any one of forked workers, which answers for all: they share
a folder for as long as there are some, in ``XDG_RUNTIME_DIR`` or the folder
for temporary files. What is left of workers that were killed is merged, and
folders of services that were killed are removed at the next start. The
variable ``PROMETHEUS_MULTIPROC_DIR`` names another folder, which is not
removed. A file that cannot be read is left out, and logged.
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
    teardown.add(metrics.close)
    await metrics.bury()
    if not plugin.checking():
        metrics.watch_loop()
    app = context.get(aiohttp.web.Application)
    app.middlewares.append(metrics.measure)
    count_refused(metrics.registry)
    management = await management_app(load)
    management.router.add_get("/metrics", metrics.expose)


__all__ = ["prepare"]
