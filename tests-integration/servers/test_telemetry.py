"""The guide to OpenTelemetry and Sentry, beside small receivers."""

from __future__ import annotations

import gzip
import http.server
import json
import threading
import typing as t

from pathlib import Path

import pytest


SHOP = """\
import logging
import aiohttp.web
from buvar import di
from buvar import plugin

async def hello(request):
    logging.getLogger("shop").info("greeting")
    return aiohttp.web.Response(text="hello")

async def fail(request):
    raise ValueError("out of paper")

async def prepare(load: plugin.Loader):
    await load("buvar_aiohttp")
    app = await di.nject(aiohttp.web.Application)
    app.router.add_get("/hello/{name}", hello)
    app.router.add_get("/fail", fail)
"""


class Receiver(http.server.ThreadingHTTPServer):
    """Takes whatever is sent, as a collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[tuple[str, bytes]] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        del args


@pytest.fixture
def receiver() -> t.Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("plugin", ["traces", "buvar_aiohttp.tracing"])
def test_traces(
    *,
    plugin: str,
    page: t.Callable[[str], Path],
    receiver: Receiver,
    buvar: t.Callable[..., t.Any],
    http: t.Callable[..., tuple[int, str]],
    free_port: t.Callable[[], int],
) -> None:
    """Each worker sends its spans, by a plugin of ours or of the page."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

    page("telemetry.md").joinpath("shop.py").write_text(SHOP)
    service = buvar(
        *(plugin, "shop", "--forks", "2"),
        *("--bind", f"tcp://127.0.0.1:{(port := free_port())}"),
        env={
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.port}",
        },
    )
    service.until("workers are ready")
    for _ in range(20):
        assert http(port, "/hello/ada")[0] == 200
    assert service.stop() == 0

    spans = []
    for path, body in receiver.received:
        assert path == "/v1/traces"
        message = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
        for resource in message.resource_spans:
            assert any(
                item.value.string_value == "shop"
                for item in resource.resource.attributes
            )
            spans += [s for scope in resource.scope_spans for s in scope.spans]
    assert len(spans) == 20
    assert {span.name for span in spans} == {"GET /hello/{name}"}
    assert spans[0].trace_id.hex() in service.output


def test_errors(
    page: t.Callable[[str], Path],
    receiver: Receiver,
    buvar: t.Callable[..., t.Any],
    http: t.Callable[..., tuple[int, str]],
    free_port: t.Callable[[], int],
) -> None:
    """The exception of a handler arrives once, and no secret with it."""
    pytest.importorskip("sentry_sdk")
    page("telemetry.md").joinpath("shop.py").write_text(SHOP)
    dsn = f"http://public@127.0.0.1:{receiver.port}/1"
    service = buvar(
        *("errors", "shop", "--env-prefix", "APP", "--forks", "2"),
        *("--bind", f"tcp://127.0.0.1:{(port := free_port())}"),
        env={"APP_SENTRY_DSN": dsn},
    )
    service.until("workers are ready")
    assert http(port, "/fail")[0] == 500
    assert service.stop() == 0

    events = [
        json.loads(line)
        for path, body in receiver.received
        if path == "/api/1/envelope/"
        for line in body.splitlines()
        if b'"exception"' in line
    ]
    assert len(events) == 1
    (value,) = events[0]["exception"]["values"]
    assert (value["type"], value["value"]) == ("ValueError", "out of paper")
    frames = value["stacktrace"]["frames"]
    assert frames[-1]["function"] == "fail"
    assert all("vars" not in frame for frame in frames)
