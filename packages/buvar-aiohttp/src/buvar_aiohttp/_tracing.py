"""Trace requests with OpenTelemetry."""

from __future__ import annotations

import typing as t

import aiohttp.web

from opentelemetry import context
from opentelemetry import propagate
from opentelemetry import trace

from ._observe import client_left
from ._observe import observing
from ._request_layer import Handler
from ._route import OTHER
from ._route import method_of
from ._route import route_of


#: The least status that is the server's fault.
_FAULT: t.Final = 500

_OBSERVER: t.Final = "tracing"


class Tracing:
    """
    The spans of an application.

    Args:
        trust: Whether to take over a client's sampling decision and baggage.
    """

    def __init__(self, *, trust: bool = False) -> None:
        self._tracer = trace.get_tracer("buvar_aiohttp")
        self._trust = trust

    @aiohttp.web.middleware
    async def follow(
        self, request: aiohttp.web.Request, handler: Handler
    ) -> aiohttp.web.StreamResponse:
        """Trace a request, as a middleware does."""
        span: trace.Span = trace.INVALID_SPAN
        attached: list[t.Any] = []
        with observing(_OBSERVER):
            given = propagate.extract(request.headers)
            if not self._trust:
                given = self._distrust(given, request)
            span = self._start(request, given)
            inner = trace.set_span_in_context(span, given)
            attached.append(context.attach(inner))
        try:
            response = await handler(request)
        except aiohttp.web.HTTPException as error:
            # An HTTP error is an answer, no failure of the span.
            _answered(span, error.status)
            raise
        except BaseException as error:
            if not client_left(request, error):
                _failed(span, error)
            raise
        else:
            _answered(span, response.status)
            return response
        finally:
            with observing(_OBSERVER):
                for token in attached:
                    context.detach(token)
                span.end()

    def _start(
        self, request: aiohttp.web.Request, given: context.Context
    ) -> trace.Span:
        """Start a span; the client's goes on where nothing is recorded."""
        span = self._tracer.start_span(
            _name(request),
            given,
            kind=trace.SpanKind.SERVER,
            attributes=dict(_attributes(request)),
        )
        if span.get_span_context().is_valid:
            return span
        return trace.NonRecordingSpan(
            trace.get_current_span(given).get_span_context()
        )

    def _distrust(
        self, given: context.Context, request: aiohttp.web.Request
    ) -> context.Context:
        """
        Take nothing from a client but which trace its request belongs to.

        Whether the trace is recorded is decided as for one that starts here:
        a client must not be able to have each of its requests recorded, or
        none. Its baggage would be handed on to other services.
        """
        parent = trace.get_current_span(given).get_span_context()
        if not parent.is_valid:
            return context.Context()
        sampled = self._samples(parent.trace_id, request)
        flags = (
            trace.TraceFlags.SAMPLED if sampled else trace.TraceFlags.DEFAULT
        )
        parent = trace.SpanContext(
            parent.trace_id,
            parent.span_id,
            is_remote=True,
            trace_flags=trace.TraceFlags(flags),
            trace_state=parent.trace_state,
        )
        return trace.set_span_in_context(
            trace.NonRecordingSpan(parent), context.Context()
        )

    def _samples(self, trace_id: int, request: aiohttp.web.Request) -> bool:
        """Ask the sampler, which only the SDK has."""
        sampler: t.Any = getattr(self._tracer, "sampler", None)
        if sampler is None:
            return False
        result = sampler.should_sample(
            context.Context(),
            trace_id,
            _name(request),
            kind=trace.SpanKind.SERVER,
            attributes=dict(_attributes(request)),
        )
        return bool(result.decision.is_sampled())


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
    try:
        host, port = request.url.host, request.url.port
    except ValueError:
        # A client may send any text as its host.
        host = port = None
    if host is not None:
        yield "server.address", host
        # Of http and https it is known without being told.
        yield "server.port", t.cast("int", port)
    if request.remote:
        yield "client.address", request.remote
    if (agent := request.headers.get("User-Agent")) is not None:
        yield "user_agent.original", agent


def _answered(span: trace.Span, status: int) -> None:
    with observing(_OBSERVER):
        span.set_attribute("http.response.status_code", status)
        if status >= _FAULT:
            span.set_attribute("error.type", str(status))
            span.set_status(trace.StatusCode.ERROR)


def _failed(span: trace.Span, error: BaseException) -> None:
    with observing(_OBSERVER):
        span.record_exception(error)
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(trace.StatusCode.ERROR, str(error))
