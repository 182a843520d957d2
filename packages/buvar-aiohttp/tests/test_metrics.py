"""Metrics for Prometheus, of one process."""

from __future__ import annotations

import asyncio

import aiohttp.web
import pytest

from buvar import context
from buvar import plugin


prometheus_client = pytest.importorskip("prometheus_client")

METRICS = "buvar_aiohttp.metrics"


@pytest.fixture
def ask():
    """Send requests, and return the metrics as a dict."""

    def ask(*requests, **headers):
        async def visit(session, url):
            for method, path in requests:
                async with session.request(method, f"{url}{path}"):
                    pass
            async with session.get(f"{url}/metrics", headers=headers) as found:
                text = await found.text()
                return dict(
                    line.rsplit(" ", 1)
                    for line in text.splitlines()
                    if not line.startswith("#")
                )

        return visit

    return ask


async def item(request):
    number = int(request.match_info["number"])
    if number == 0:
        raise aiohttp.web.HTTPGone
    return aiohttp.web.Response(text=str(1 / (number - 1)))


COUNT = "http_server_request_duration_seconds_count"


def labels_of(method: str, route: str, status: str) -> dict[str, str]:
    return {
        "http_request_method": method,
        "http_route": route,
        "http_response_status_code": status,
    }


def total(method: str, route: str, status: int) -> str:
    return (
        f'{COUNT}{{http_request_method="{method}",'
        f'http_response_status_code="{status}",http_route="{route}"}}'
    )


def test_requests_are_counted(serve, route, ask, caplog) -> None:
    """Requests are counted by the route's template, not by their paths."""
    paths = ["/item/2", "/item/3", "/item/0", "/item/1", "/nowhere"]
    visit = ask(*[("GET", path) for path in paths], ("PROPFIND", "/item/2"))

    found = serve(visit, METRICS, route(item, "/item/{number}"))

    template = "/item/{number}"
    assert found[total("GET", template, 200)] == "2.0"
    assert found[total("GET", template, 410)] == "1.0"
    assert found[total("GET", template, 500)] == "1.0"
    assert found[total("GET", "", 404)] == "1.0"
    assert found[total("_OTHER", "", 405)] == "1.0"
    short = f'http_requests_total{{method="GET",route="{template}",'
    assert found[f'{short}status="200"}}'] == "2.0"
    seconds = total("GET", template, 200).replace("_count", "_sum")
    assert float(found[seconds]) > 0
    labels = f'{{http_request_method="GET",http_route="{template}"}}'
    size = "http_server_response_body_size_bytes"
    # Of exceptions nobody knows how they are answered.
    assert found[f"{size}_count{labels}"] == "3.0"
    assert float(found[f"{size}_sum{labels}"]) > 0
    assert 'event_loop_lag_seconds{worker="1"}' in found
    # The one that asks.
    assert found["http_server_active_requests"] == "1.0"
    assert not any("/item/2" in key for key in found)


def test_nothing_is_global(serve, ask) -> None:
    """Each stage starts from nothing, and the global registry has none."""
    visit = ask(("GET", "/nowhere"))

    one, other = (serve(visit, METRICS) for _ in range(2))

    assert one[total("GET", "", 404)] == "1.0"
    assert other[total("GET", "", 404)] == "1.0"
    names = prometheus_client.generate_latest().decode()
    assert "http_server" not in names


def test_metrics_of_ones_own(serve, ask) -> None:
    """Metrics of an application stand beside them, in the same registry."""

    async def prepare_own(load: plugin.Loader) -> None:
        await load(METRICS)
        registry = context.get(prometheus_client.CollectorRegistry)
        prometheus_client.Counter("cups", "Cups.", registry=registry).inc()

    assert serve(ask(), METRICS, prepare_own)["cups_total"] == "1.0"


def test_a_registry_of_ones_own(serve, ask) -> None:
    """A registry that is there already is used."""
    registry = prometheus_client.CollectorRegistry()

    async def prepare_registry() -> None:
        context.add(registry)

    serve(ask(("GET", "/nowhere")), prepare_registry, METRICS)

    labels = labels_of("GET", "", "404")
    assert registry.get_sample_value(COUNT, labels) == 1


def test_cancelled_requests(serve, route) -> None:
    """A request that is cancelled has a status of its own."""
    registry = prometheus_client.CollectorRegistry()

    async def prepare_registry() -> None:
        context.add(registry)

    async def hang(request):
        request.task.get_loop().call_soon(asyncio.current_task().cancel)
        await asyncio.Event().wait()

    async def visit(session, url):
        with pytest.raises(aiohttp.ClientError):
            await session.post(url)

    serve(visit, prepare_registry, METRICS, route(hang, method="POST"))

    labels = labels_of("POST", "/", "499")
    assert registry.get_sample_value(COUNT, labels) == 1
    assert registry.get_sample_value("http_server_active_requests") == 0


def test_openmetrics(serve, ask) -> None:
    """A client may ask for OpenMetrics."""
    found = serve(ask(Accept="application/openmetrics-text"), METRICS)

    assert "http_server_active_requests" in found


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text;version=a.b",
        "application/openmetrics-text; version=1.0.0; escaping=nonsense",
        "text/plain;version=..",
        ";;,=",
    ],
)
def test_formats_that_make_no_sense(serve, ask, accept) -> None:
    """A format that nobody knows is answered with one that is known."""
    found = serve(ask(Accept=accept), METRICS)

    assert "http_server_active_requests" in found


def test_a_client_that_leaves(serve, route) -> None:
    """A client that breaks off its upload counts as 499."""
    registry = prometheus_client.CollectorRegistry()
    labels = labels_of("POST", "/", "499")

    async def prepare_registry() -> None:
        context.add(registry)

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
            while not registry.get_sample_value(COUNT, labels):  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.01)

    serve(visit, prepare_registry, METRICS, route(read, method="POST"))


def test_a_connection_that_a_handler_lost(serve, route) -> None:
    """That a database is gone is a failure, whatever kind of error it is."""
    registry = prometheus_client.CollectorRegistry()
    labels = labels_of("GET", "/", "500")

    async def prepare_registry() -> None:
        context.add(registry)

    async def fail(request):
        raise ConnectionResetError

    async def visit(session, url):
        async with session.get(url) as response:
            return response.status

    assert serve(visit, prepare_registry, METRICS, route(fail)) == 500
    assert registry.get_sample_value(COUNT, labels) == 1
