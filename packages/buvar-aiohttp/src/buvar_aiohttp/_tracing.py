"""Trace requests with OpenTelemetry."""

from __future__ import annotations

import typing as t

import aiohttp.web

from opentelemetry import context
from opentelemetry import propagate
from opentelemetry import trace

from ._app import Handler
from ._route import OTHER
from ._route import method_of
from ._route import route_of


#: The least status that is the server's fault.
_FAULT: t.Final = 500


class Tracing:
    """The spans of an application."""

    def __init__(self) -> None:
        self._tracer = trace.get_tracer("buvar_aiohttp")

    @aiohttp.web.middleware
    async def follow(
        self, request: aiohttp.web.Request, handler: Handler
    ) -> aiohttp.web.StreamResponse:
        """Be a middleware."""
        # All that the client tells, as baggage, not only the trace.
        token = context.attach(propagate.extract(request.headers))
        try:
            with trace.use_span(
                self._start(request),
                end_on_exit=True,
                # An HTTP error is an answer, no failure of the span.
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                return await _traced(span, request, handler)
        finally:
            context.detach(token)

    def _start(self, request: aiohttp.web.Request) -> trace.Span:
        """Start a span; the client's goes on where nothing is recorded."""
        span = self._tracer.start_span(
            _name(request),
            kind=trace.SpanKind.SERVER,
            attributes=dict(_attributes(request)),
        )
        if span.get_span_context().is_valid:
            return span
        return trace.get_current_span()


async def _traced(
    span: trace.Span, request: aiohttp.web.Request, handler: Handler
) -> aiohttp.web.StreamResponse:
    """Answer, and tell the span how it went."""
    try:
        response = await handler(request)
    except aiohttp.web.HTTPException as error:
        _answered(span, error.status)
        raise
    except BaseException as error:
        span.record_exception(error)
        _failed(span, type(error).__qualname__, str(error))
        raise
    _answered(span, response.status)
    return response


def _name(request: aiohttp.web.Request) -> str:
    method = method_of(request)
    method = "HTTP" if method == OTHER else method
    route = route_of(request)
    return method if route is None else f"{method} {route}"


def _attributes(
    request: aiohttp.web.Request,
) -> t.Iterator[tuple[str, str | int]]:
    """Yield what the semantic conventions ask for."""
    method = method_of(request)
    yield "http.request.method", method
    if method == OTHER:
        yield "http.request.method_original", request.method
    if (route := route_of(request)) is not None:
        yield "http.route", route
    yield "url.path", request.path
    yield "url.scheme", request.scheme
    major, minor = request.version
    yield "network.protocol.version", f"{major}.{minor}"
    if (host := request.url.host) is not None:
        yield "server.address", host
        # Of http and https it is known without being told.
        yield "server.port", t.cast("int", request.url.port)
    if request.remote:
        yield "client.address", request.remote
    if (agent := request.headers.get("User-Agent")) is not None:
        yield "user_agent.original", agent


def _answered(span: trace.Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= _FAULT:
        _failed(span, str(status))


def _failed(span: trace.Span, kind: str, text: str | None = None) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(trace.StatusCode.ERROR, text)
