"""
Traces with OpenTelemetry: a span for each request, a plugin of its own.

``await load("buvar_aiohttp.tracing")`` continues the trace that a client tells
of in its headers (``traceparent``, or what the propagators are set to), with a
span that is named by method and template of the route and has the attributes
of the semantic conventions for HTTP servers. Queries are left out: what they
say may be a secret. An exception is recorded, and any status of 500 or more
makes the span an error; that a client has left does not.

Whether a trace is recorded is decided here, and baggage is dropped, unless
``trust_client_trace`` is set in the section ``aiohttp``, for services whose
clients are services of one's own.

Each call of a client session is a span as well, and hands the trace on.

It needs the extra ``buvar-aiohttp[tracing]``, which is OpenTelemetry's API.
Without its SDK nothing is recorded, and the trace is handed on all the same.
Where the SDK is installed, and its variables name an exporter
(``OTEL_TRACES_EXPORTER``, ``OTEL_EXPORTER_OTLP_ENDPOINT``), it is set up in
each worker, as what it sends with does not survive a fork; all that it has is
sent at the end. A provider that the application has set is left alone.
"""

from __future__ import annotations

import aiohttp
import aiohttp.web

from buvar import config
from buvar import context
from buvar import di
from buvar import plugin

from ._app import prepare_app
from ._config import AioHttpConfig
from ._errors import ExtraError


async def prepare(load: plugin.Loader, teardown: plugin.Teardown) -> None:
    """
    Trace requests to the application.

    Raises:
        ExtraError: opentelemetry-api is not installed.
    """
    try:
        from ._client_tracing import client_tracing  # noqa: PLC0415
        from ._tracing import Tracing  # noqa: PLC0415
        from ._tracing_sdk import set_up_sdk  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ExtraError(__name__, "tracing", "opentelemetry-api") from error

    await load(config, prepare_app)
    set_up_sdk(teardown)
    settings = await di.nject(AioHttpConfig)
    app = context.get(aiohttp.web.Application)
    tracing = Tracing(trust=settings.trust_client_trace)
    app.middlewares.append(tracing.follow)
    # Sessions that are made later find it in the context.
    calls = context.add(client_tracing(), name=__name__)
    for session in context.find(aiohttp.ClientSession).values():
        calls.freeze()
        session.trace_configs.append(calls)


__all__ = ["prepare"]
