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

It needs the extra ``buvar-aiohttp[tracing]``, which is OpenTelemetry's API.
Without its SDK nothing is recorded, and the trace is handed on all the same.
"""

from __future__ import annotations

import aiohttp.web

from buvar import config
from buvar import context
from buvar import di
from buvar import plugin

from ._app import prepare_app
from ._config import AioHttpConfig
from ._errors import ExtraError


async def prepare(load: plugin.Loader) -> None:
    """
    Trace requests to the application.

    Raises:
        ExtraError: opentelemetry-api is not installed.
    """
    try:
        from ._tracing import Tracing  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ExtraError(__name__, "tracing", "opentelemetry-api") from error

    await load(config, prepare_app)
    settings = await di.nject(AioHttpConfig)
    app = context.get(aiohttp.web.Application)
    tracing = Tracing(trust=settings.trust_client_trace)
    app.middlewares.append(tracing.follow)


__all__ = ["prepare"]
