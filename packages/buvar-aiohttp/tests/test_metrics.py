"""Metrics for Prometheus, of one process and of several."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap

from pathlib import Path

import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import plugin


prometheus_client = pytest.importorskip("prometheus_client")

mmap_dict = pytest.importorskip("prometheus_client.mmap_dict")
_folder = pytest.importorskip("buvar_aiohttp._metrics_folder")
MetricsFolder = _folder.MetricsFolder


METRICS = "buvar_aiohttp.metrics"
TIMEOUT = 60  # seconds, a bound and no expectation


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


@pytest.fixture
def folder(tmp_path: Path):
    """Fill a folder of metrics with what must not count, or harm."""
    path = tmp_path / "metrics"
    path.mkdir()
    (path / "counter_1.db").touch()
    (path / "counter_2.db").write_bytes(b"\xff" * 100)
    (path / "histogram_3.db").write_bytes(b"\x40\0\0\0")
    (path / "gauge_4.db").touch()
    (path / "gauge_livesum_99999999999999999999.db").touch()
    (path / "counter_5.db").symlink_to("/dev/zero")
    (path / "counter_6.db").mkdir()
    (path / "counter_\u202e\n.db").touch()
    nonsense = mmap_dict.MmapedDict(str(path / "counter_7.db"))
    nonsense.write_value("no JSON", 1.0, 0.0)
    nonsense.close()
    if hasattr(os, "mkfifo"):
        os.mkfifo(path / "counter_8.db")
    (path / os.fsdecode(b"gauge_livesum_\xff.db")).mkdir()
    return path


def counter(folder: Path, pid: str, value: float) -> None:
    """Write what a process has counted."""
    key = mmap_dict.mmap_key("cups", "cups_total", ["of"], ["tea"], "Cups.")
    written = mmap_dict.MmapedDict(str(folder / f"counter_{pid}.db"))
    written.write_value(key, value, 0.0)
    written.close()


def total_of(folder) -> float:
    (metric,) = folder.collect()
    (sample,) = metric.samples
    return sample.value


@pytest.mark.skipif(not hasattr(os, "fork"), reason="cannot fork")
@pytest.mark.asyncio
async def test_hostile_names(folder: Path) -> None:
    """Whatever lies in the folder, what workers have counted is told."""
    counter(folder, str(os.getpid()), 2.0)
    counter(folder, "99999998", 3.0)
    counter(folder, "99999999", 4.0)
    metrics = MetricsFolder(str(folder))

    for _ in range(2):
        assert total_of(metrics) == 9.0
        async with metrics.locked() as locked:
            assert locked
            metrics.bury()

    left = set(os.listdir(folder))  # noqa: PTH208 - this is not async
    assert not {"counter_99999998.db", "counter_99999999.db"} & left
    assert "counter_merged.db" in left
    assert "gauge_livesum_99999999999999999999.db" not in left


@pytest.mark.skipif(not hasattr(os, "fork"), reason="cannot fork")
@pytest.mark.asyncio
async def test_a_lock_that_is_held(tmp_path: Path) -> None:
    """Who cannot have the lock goes on without it, after a while."""
    metrics = MetricsFolder(str(tmp_path))

    async with metrics.locked() as one, metrics.locked() as other:
        assert (one, other) == (True, False)


SHARED = """
    import asyncio, os, re, sys
    import aiohttp, aiohttp.web
    import prometheus_client
    from buvar import context, di, fork, plugin
    from buvar_aiohttp import AioHttpConfig, Server

    async def pid(request):
        return aiohttp.web.Response(text=str(os.getpid()))

    @aiohttp.web.middleware
    async def tell(request, handler):
        response = await handler(request)
        response.headers["Worker"] = str(os.getpid())
        return response

    async def visit():
        if context.get(fork.Worker).slot != 1:
            return
        url = "http://127.0.0.1:%s" % context.get(Server).address[1]
        asked = 0

        async def ask(path):
            # Each on a connection of its own.
            async with aiohttp.ClientSession() as session:
                async with session.get(url + path) as response:
                    return int(response.headers["Worker"]), (
                        await response.text()
                    )

        async def both(path, but=()):
            nonlocal asked
            found = {}
            async with asyncio.timeout(60):
                while len(found.keys() - set(but)) < 2:
                    answers = [ask(path) for _ in range(8)]
                    found.update(await asyncio.gather(*answers))
                    asked += 8 if path == "/" else 0
            return {key: found[key] for key in found.keys() - set(but)}

        async def counted(but=()):
            texts = (await both("/metrics", but)).values()
            one, other = [
                sorted(re.findall(r'.*http_route="/".*', text))
                for text in texts
            ]
            assert one == other and one, (one, other)
            pattern = r'_duration_seconds_count{.*http_route="/"} (.*)'
            assert float(re.search(pattern, texts.__iter__().__next__())[1]) \
                == asked

        pids = await both("/")
        await counted()
        (victim,) = pids.keys() - {os.getpid()}
        os.kill(victim, 9)
        await both("/", but=[victim])
        await counted(but=[victim])
        (folder,) = os.listdir(os.environ["XDG_RUNTIME_DIR"])
        print(folder, flush=True)
        os.kill(os.getppid(), 15)

    async def prepare(load: plugin.Loader):
        await load("buvar_aiohttp", "buvar_aiohttp.metrics")
        app = context.get(aiohttp.web.Application)
        app.middlewares.append(tell)
        app.router.add_get("/", pid)
        yield visit()

    context.add(AioHttpConfig(host="127.0.0.1", port=0))
    fork.stage(prepare, forks=2, sockets=["tcp://127.0.0.1:0"])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="cannot fork")
def test_the_folder_is_no_ones_concern(tmp_path: Path) -> None:
    """
    Without the variable workers share a folder of their own making.

    Each answers the same, also after one was killed; the folder is gone in
    the end, and so is that of a service all of which was killed.
    """
    run = tmp_path / "run"
    run.mkdir()
    name = f"buvar-metrics-{os.geteuid()}"
    (run / f"{name}-4194399-5").mkdir(mode=0o700)
    script = tmp_path / "workers.py"
    script.write_text(textwrap.dedent(SHARED))
    variables = {**os.environ, "XDG_RUNTIME_DIR": str(run)}
    variables.pop("PROMETHEUS_MULTIPROC_DIR", None)

    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        env=variables,
        capture_output=True,
        text=True,
        timeout=TIMEOUT * 2,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(name)
    assert not [*run.iterdir()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="cannot fork")
def test_a_folder_of_somebody_else(tmp_path: Path) -> None:
    """A folder that others can write to, or a link, is not used."""
    shared = pytest.importorskip("buvar_aiohttp._metrics_shared")
    link, open_to_all = tmp_path / "link", tmp_path / "open"
    link.symlink_to(tmp_path)
    open_to_all.mkdir(mode=0o777)
    open_to_all.chmod(0o777)
    for path in (link, open_to_all):
        with pytest.raises(buvar_aiohttp.MetricsFolderError) as info:
            shared.SharedFolder(path)
        assert info.value.path == str(path)
        assert "PROMETHEUS_MULTIPROC_DIR" in str(info.value)


def test_the_last_one_removes_the_folder(tmp_path: Path) -> None:
    """Whoever leaves while others are there leaves the folder."""
    shared = pytest.importorskip("buvar_aiohttp._metrics_shared")
    path = tmp_path / "metrics"
    one, other = (shared.SharedFolder(path) for _ in range(2))
    one.close()
    assert path.is_dir()
    other.close()
    assert not path.exists()


WORKERS = """
    import asyncio, os, re, sys
    import aiohttp, aiohttp.web
    from buvar import context, di, fork, plugin
    from buvar_aiohttp import AioHttpConfig, Server

    async def pid(request):
        return aiohttp.web.Response(text=str(os.getpid()))

    async def ask(url):
        # Each on a connection of its own.
        async with aiohttp.ClientSession() as session:
            async with session.get(url) as response:
                return await response.text()

    async def visit():
        worker = context.get(fork.Worker)
        if worker.slot != 1:
            return
        url = "http://127.0.0.1:%s" % context.get(Server).address[1]
        answers = []
        async with asyncio.timeout(15):
            while len(set(answers)) < 2:
                answers += await asyncio.gather(*(ask(url) for _ in range(16)))
        def counted(text):
            found = re.search(
                r'_duration_seconds_count{.*http_route="/"} (.*)', text
            )
            return float(found[1])
        text = await ask(url + "/metrics")
        assert counted(text) == len(answers), text
        assert "http_server_active_requests 1.0" in text, text
        print("asked", flush=True)
        os.kill(os.getppid(), 15)

    async def prepare(load: plugin.Loader):
        await load("buvar_aiohttp", "buvar_aiohttp.metrics")
        app = context.get(aiohttp.web.Application)
        app.router.add_get("/", pid)
        yield visit()

    context.add(AioHttpConfig(host="127.0.0.1", port=0))
    fork.stage(prepare, forks=2, sockets=["tcp://127.0.0.1:0"])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="cannot fork")
def test_workers_answer_for_all(tmp_path: Path) -> None:
    """With the variable, a scrape of one worker has the sum of them."""
    folder = tmp_path / "metrics"
    folder.mkdir()
    # Of a worker that was killed: no process has such a number.
    dead = folder / "gauge_livesum_99999999.db"
    dead.touch()
    alive = folder / f"gauge_livesum_{os.getpid()}.db"
    mmap_dict.MmapedDict(str(alive)).close()
    script = tmp_path / "workers.py"
    script.write_text(textwrap.dedent(WORKERS))

    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "asked\n"
    # Whoever ended is no longer counted in.
    assert [*folder.glob("gauge_live*")] == [alive]
    assert [*folder.glob("histogram_*")]
