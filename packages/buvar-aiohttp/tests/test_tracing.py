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
            # That of the context would make spans of its own.
            del session
            async with (
                aiohttp.ClientSession() as client,
                client.request(
                    method, f"{url}{path}", headers=headers
                ) as response,
            ):
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


@pytest.mark.parametrize("host", [b"[", b"a:b:c", b"x:99999", b"\xff"])
def test_a_bad_host(serve, plugins, spans, host) -> None:
    """A host that makes no sense fails no request."""

    async def visit(session, url):
        server, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(server, int(port))
        writer.write(b"GET /item/2 HTTP/1.1\r\nHost: %s\r\n\r\n" % host)
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return head[:12]

    # What aiohttp itself refuses is not traced.
    found = serve(visit, *plugins)
    assert found == b"HTTP/1.1 200" or (found, spans()) == (
        b"HTTP/1.1 400",
        (),
    )


def test_tracing_that_fails(serve, ask, plugins, caplog, monkeypatch) -> None:
    """Tracing that fails, at the start or the end, fails no request."""
    sdk = pytest.importorskip("opentelemetry.sdk.trace")

    class Broken(sdk.SpanProcessor):
        def on_end(self, span):
            raise OSError("disk full")

    class Worse(Broken):
        def on_start(self, span, parent_context=None):
            raise OSError("disk full")

    for broken in (Broken, Worse):
        provider = sdk.TracerProvider()
        provider.add_span_processor(broken())
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
        assert len(serve(ask(), *plugins)) == 32
    assert "disk full" in caplog.text


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize("flag", ["00", "01"])
def test_a_clients_sampling_decision(
    serve, ask, plugins, monkeypatch, *, flag, trust
) -> None:
    """Whether a trace is recorded is up to a client only if it is trusted."""
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    sampling = pytest.importorskip("opentelemetry.sdk.trace.sampling")
    exporting = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip(
        "opentelemetry.sdk.trace.export.in_memory_span_exporter"
    )
    given = PARENT[:-2] + flag
    for root in (sampling.ALWAYS_ON, sampling.ALWAYS_OFF):
        exporter = memory.InMemorySpanExporter()
        provider = sdk.TracerProvider(sampler=sampling.ParentBased(root))
        provider.add_span_processor(exporting.SimpleSpanProcessor(exporter))
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
        text = serve(
            ask(traceparent=given), *plugins, trust_client_trace=trust
        )
        # In either case the trace goes on.
        assert text == PARENT.split("-")[1]
        wanted = flag == "01" if trust else root is sampling.ALWAYS_ON
        assert bool(exporter.get_finished_spans()) == wanted


def test_a_client_that_leaves(serve, route, spans) -> None:
    """A client that breaks off its upload is no failure of the span."""

    async def read(request):
        return aiohttp.web.Response(body=await request.read())

    async def visit(session, url):
        server, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(server, int(port))
        writer.write(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na"
        )
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.transport.abort()
        async with asyncio.timeout(20):
            while not spans():  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.01)

    serve(visit, TRACING, route(read, method="POST"))

    (span,) = spans()
    assert span.status.status_code is trace.StatusCode.UNSET
    assert span.events == ()
