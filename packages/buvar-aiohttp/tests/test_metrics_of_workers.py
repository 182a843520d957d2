"""Metrics for Prometheus, of several processes that share a folder."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from pathlib import Path

import pytest

import buvar_aiohttp


mmap_dict = pytest.importorskip("prometheus_client.mmap_dict")
_folder = pytest.importorskip("buvar_aiohttp._metrics_folder")
MetricsFolder = _folder.MetricsFolder

TIMEOUT = 60  # seconds, a bound and no expectation


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
