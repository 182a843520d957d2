"""Calls of client sessions are traced, and hand the trace on."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import typing as t

import aiohttp
import aiohttp.web
import pytest

from buvar import context


trace = pytest.importorskip("opentelemetry.trace")
sdk = pytest.importorskip("opentelemetry.sdk.trace")

TRACING = "buvar_aiohttp.tracing"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    """Record spans, for this test only."""
    from opentelemetry.sdk.trace import export
    from opentelemetry.sdk.trace.export import (
        in_memory_span_exporter as memory,
    )

    exporter = memory.InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter.get_finished_spans
    provider.shutdown()


async def inner(request: aiohttp.web.Request) -> aiohttp.web.Response:
    """Answer with the trace that arrived."""
    if "fail" in request.query:
        raise aiohttp.web.HTTPServiceUnavailable
    return aiohttp.web.json_response(request.headers.get("traceparent"))


async def outer(request: aiohttp.web.Request) -> aiohttp.web.Response:
    """Ask the other handler, by the session of the context."""
    session = context.get(aiohttp.ClientSession)
    url = request.url.with_path("/inner").with_query(request.query)
    async with session.get(url) as response:
        return aiohttp.web.Response(text=await response.text())


def visit_with(query: str = "", path: str = "/outer") -> t.Any:
    async def visit(_: aiohttp.ClientSession, url: str) -> object:
        async with (
            aiohttp.ClientSession() as client,
            client.get(
                f"{url}{path}{query}", headers={"traceparent": PARENT}
            ) as response,
        ):
            text = await response.text()
            return json.loads(text) if text.startswith('"') else text

    return visit


@pytest.mark.parametrize("last", [TRACING, "routes"])
def test_a_call_is_a_span_of_its_request(
    serve: t.Any, route: t.Any, spans: t.Any, last: str
) -> None:
    """The client's span lies between both servers' ones."""
    plugins = [route(outer, "/outer"), route(inner, "/inner")]
    plugins.insert(0 if last == "routes" else 2, TRACING)
    arrived = serve(visit_with("?secret=1"), *plugins)

    at_inner, call, at_outer = spans()
    assert at_outer.name == "GET /outer"
    assert call.kind is trace.SpanKind.CLIENT
    assert call.name == "GET"
    assert call.parent.span_id == at_outer.context.span_id
    assert at_inner.parent.span_id == call.context.span_id
    assert {span.context.trace_id for span in spans()} == {
        int(PARENT.split("-")[1], 16)
    }
    assert arrived.split("-")[2] == f"{call.context.span_id:016x}"
    assert call.attributes["http.request.method"] == "GET"
    assert call.attributes["http.response.status_code"] == 200
    assert call.attributes["server.address"] == "127.0.0.1"
    assert call.attributes["url.full"].endswith("/inner")
    assert "error.type" not in call.attributes


def test_calls_that_fail(serve: t.Any, route: t.Any, spans: t.Any) -> None:
    """A status of 400 or more, and no answer at all, are errors."""

    async def lost(request: aiohttp.web.Request) -> aiohttp.web.Response:
        session = context.get(aiohttp.ClientSession)
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get("http://127.0.0.1:1/")
        return aiohttp.web.Response()

    plugins = [route(outer, "/outer"), route(inner, "/inner")]
    serve(visit_with("?fail=1"), TRACING, *plugins)
    serve(visit_with("", "/lost"), TRACING, route(lost, "/lost"))
    calls = [one for one in spans() if one.kind is trace.SpanKind.CLIENT]
    assert [one.attributes["error.type"] for one in calls] == [
        "503",
        "ClientConnectorError",
    ]
    assert {one.status.status_code for one in calls} == {
        trace.StatusCode.ERROR
    }


def test_without_the_sdk_the_trace_goes_on(serve: t.Any, route: t.Any) -> None:
    """What recorded nothing hands on what it was given."""
    plugins = [route(outer, "/outer"), route(inner, "/inner")]
    arrived = serve(visit_with(), TRACING, *plugins, trust_client_trace=True)
    assert arrived.split("-")[1:3] == PARENT.split("-")[1:3]


PROGRAM = """
import os
import aiohttp
from buvar import context, plugin
from buvar_aiohttp import AioHttpConfig, Server

async def ask():
    port = context.get(Server).address[1]
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/no") as response:
            assert response.status == 404
    context.get(plugin.Cancel).set()

async def prepare(load: plugin.Loader):
    context.add(AioHttpConfig(host="127.0.0.1", port=0))
    await load("buvar_aiohttp", "buvar_aiohttp.tracing")
    yield ask()

plugin.stage(prepare)
"""


def run(**variables: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_sdk_is_set_up_from_its_variables() -> None:
    """What is left is sent at the end; a missing exporter is an error."""
    done = run(OTEL_TRACES_EXPORTER="console", OTEL_SERVICE_NAME="shop")
    assert done.returncode == 0, done.stderr
    assert '"service.name": "shop"' in done.stdout
    assert '"name": "GET"' in done.stdout

    missing = run(OTEL_TRACES_EXPORTER="carrier-pigeon")
    assert missing.returncode != 0
    assert "an exporter called carrier-pigeon" in missing.stderr
    assert "buvar-aiohttp[otlp]" in missing.stderr


def test_the_sdk_is_not_set_up_unasked() -> None:
    """Without a variable, or if it is turned off, nothing is recorded."""
    done = run(OTEL_TRACES_EXPORTER="console", OTEL_SDK_DISABLED="true")
    assert done.returncode == 0, done.stderr
    assert not done.stdout
