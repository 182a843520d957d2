"""Trace what client sessions ask, and hand the trace on."""

from __future__ import annotations

import typing as t

import aiohttp

from opentelemetry import propagate
from opentelemetry import trace

from ._observe import observing
from ._route import OTHER
from ._route import known_method


#: The least status that is a failure of the call.
_FAILURE: t.Final = 400

_OBSERVER: t.Final = "tracing of a call"


def client_tracing() -> aiohttp.TraceConfig:
    """
    Return what gives each call of a client session a span of its own.

    The headers of the call tell the service of it: ``traceparent``, or what
    the propagators are set to.
    """
    tracer = trace.get_tracer("buvar_aiohttp")
    found = aiohttp.TraceConfig()

    async def start(
        _: aiohttp.ClientSession,
        call: t.Any,
        params: aiohttp.TraceRequestStartParams,
    ) -> None:
        with observing(_OBSERVER):
            method = known_method(params.method)
            span = tracer.start_span(
                "HTTP" if method == OTHER else method,
                kind=trace.SpanKind.CLIENT,
                attributes=dict(_attributes(params)),
            )
            if not span.get_span_context().is_valid:
                # Nothing is recorded: the trace that there is goes on.
                span = trace.get_current_span()
            call.span = span
            propagate.inject(params.headers, trace.set_span_in_context(span))

    async def end(
        _: aiohttp.ClientSession,
        call: t.Any,
        params: aiohttp.TraceRequestEndParams,
    ) -> None:
        with observing(_OBSERVER):
            status = params.response.status
            _end(call, status, str(status) if status >= _FAILURE else None)

    async def fail(
        _: aiohttp.ClientSession,
        call: t.Any,
        params: aiohttp.TraceRequestExceptionParams,
    ) -> None:
        with observing(_OBSERVER):
            _end(call, None, type(params.exception).__qualname__)

    found.on_request_start.append(start)
    found.on_request_end.append(end)
    found.on_request_exception.append(fail)
    return found


def _end(call: t.Any, status: int | None, failure: str | None) -> None:
    span: trace.Span = call.span
    if span is trace.get_current_span():
        # It is that of the request, which goes on.
        return
    if status is not None:
        span.set_attribute("http.response.status_code", status)
    if failure is not None:
        span.set_attribute("error.type", failure)
        span.set_status(trace.StatusCode.ERROR)
    span.end()


def _attributes(
    params: aiohttp.TraceRequestStartParams,
) -> t.Iterator[tuple[str, str | int]]:
    """Yield what the semantic conventions ask for."""
    url = params.url
    method = known_method(params.method)
    yield "http.request.method", method
    if method == OTHER:
        yield "http.request.method_original", params.method
    # The query, and a password, may be secret.
    yield "url.full", str(url.with_user(None).with_query(None))
    if url.host is not None:
        yield "server.address", url.host
        yield "server.port", t.cast("int", url.port)
