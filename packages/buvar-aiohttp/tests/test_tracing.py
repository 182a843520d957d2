"""A span for each request."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import aiohttp.web
import pytest


trace = pytest.importorskip("opentelemetry.trace")

TRACING = "buvar_aiohttp.tracing"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


GIVEN = {"traceparent": PARENT}


@pytest.fixture
def spans(monkeypatch):
    """Record spans, for this test only."""
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    exporting = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip(
        "opentelemetry.sdk.trace.export.in_memory_span_exporter"
    )
    exporter = memory.InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(exporting.SimpleSpanProcessor(exporter))
    # The API allows to set a provider once in a process.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter.get_finished_spans
    provider.shutdown()


async def item(request):
    number = int(request.match_info["number"])
    if number == 0:
        raise aiohttp.web.HTTPGone
    if number == 503:
        raise aiohttp.web.HTTPServiceUnavailable
    if number == 13:
        raise ValueError("no luck")
    span = trace.get_current_span().get_span_context()
    return aiohttp.web.Response(text=f"{span.trace_id:032x}")


@pytest.fixture
def ask():
    def ask(method="GET", path="/item/2?secret=1", **headers):
        async def visit(session, url):
            async with session.request(
                method, f"{url}{path}", headers=headers
            ) as response:
                return await response.text()

        return visit

    return ask


@pytest.fixture
def plugins(route):
    return TRACING, route(item, "/item/{number}")


def test_a_span_continues_the_trace(serve, ask, plugins, spans) -> None:
    """The span is a child of the client's, and current in the handler."""
    text = serve(ask(traceparent=PARENT, **{"User-Agent": "me"}), *plugins)

    (span,) = spans()
    assert text == PARENT.split("-")[1] == f"{span.context.trace_id:032x}"
    assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]
    assert span.name == "GET /item/{number}"
    assert span.kind is trace.SpanKind.SERVER
    assert span.status.status_code is trace.StatusCode.UNSET
    port = span.attributes["server.port"]
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/item/{number}",
        "url.path": "/item/2",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "server.address": "127.0.0.1",
        "server.port": port,
        "client.address": "127.0.0.1",
        "user_agent.original": "me",
    }
    assert port > 0


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [("/item/0", 410, None), ("/item/503", 503, "503"), ("/no", 404, None)],
)
def test_answers_that_are_errors(
    serve, ask, plugins, spans, *, path, status, error
) -> None:
    """An HTTP error is an answer; only the server's fault is a failure."""
    serve(ask(path=path), *plugins)

    (span,) = spans()
    assert span.attributes["http.response.status_code"] == status
    assert span.attributes.get("error.type") == error
    assert span.status.is_ok == (error is None)
    assert span.events == ()
    assert ("http.route" in span.attributes) == (status != 404)


def test_exceptions_are_recorded(serve, ask, plugins, spans) -> None:
    """What a handler raises is recorded, and makes the span an error."""
    serve(ask(path="/item/13"), *plugins)

    (span,) = spans()
    (event,) = span.events
    assert event.attributes["exception.message"] == "no luck"
    assert span.attributes["error.type"] == "ValueError"
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.status.description == "no luck"


def test_invented_methods(serve, ask, plugins, spans) -> None:
    """A method that nobody knows makes no name of its own."""
    serve(ask(method="PROPFIND", path="/pot", **{"User-Agent": ""}), *plugins)

    (span,) = spans()
    assert span.name == "HTTP"
    assert span.attributes["http.request.method"] == "_OTHER"
    assert span.attributes["http.request.method_original"] == "PROPFIND"


@pytest.mark.usefixtures("spans")
def test_baggage(serve, ask, route) -> None:
    """The baggage of a client arrives only where clients are trusted."""
    baggage = pytest.importorskip("opentelemetry.baggage")

    async def handle(request):
        return aiohttp.web.Response(text=str(baggage.get_baggage("tenant")))

    visit = ask(path="/", baggage="tenant=me")
    def given(**config) -> object:
        return serve(visit, TRACING, route(handle), **config)

    assert given(trust_client_trace=True) == "me"
    assert given() == "None"


def test_without_a_sdk(serve, ask, plugins) -> None:
    """Without the SDK nothing is recorded, and the trace is handed on."""
    texts = [serve(ask(**headers), *plugins) for headers in (GIVEN, {})]

    assert texts == [PARENT.split("-")[1], "0" * 32]


@pytest.mark.parametrize(
    ("name", "module"),
    [("metrics", "prometheus_client"), ("tracing", "opentelemetry")],
)
def test_a_missing_extra(name: str, module: str) -> None:
    """A plugin whose extra is not installed names it, and how to get it."""
    program = f"""
import sys
sys.modules[{module!r}] = None
from buvar import plugin
from buvar_aiohttp import ExtraError
try:
    plugin.stage("buvar_aiohttp.{name}")
except* ExtraError as group:
    error = group.exceptions[0]
    print(error.plugin, error.extra, error.exit_code)
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"buvar_aiohttp.{name} {name} 2"
    assert lines[-1].endswith(f"pip install 'buvar-aiohttp[{name}]'.")


def test_a_request_that_says_little(serve, plugins, spans, tmp_path) -> None:
    """What a request does not tell is left out."""
    path = str(tmp_path / "web.sock")

    async def visit(session, url):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET /item/2 HTTP/1.1\r\nHost:\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return head[:12]

    assert serve(visit, *plugins, path=path) == b"HTTP/1.1 200"

    (span,) = spans()
    assert not set(span.attributes) & {
        "client.address",
        "server.address",
        "server.port",
        "user_agent.original",
    }
