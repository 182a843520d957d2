"""Forked servers under load lose no request."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import typing as t
import urllib.request

from pathlib import Path

import pytest


KINDS = pytest.mark.parametrize(
    "keep_alive", [True, False], ids=["keep-alive", "close"]
)


@KINDS
async def test_reloads(serve, keep_alive: bool) -> None:
    """20 reloads under load: no request fails, none is refused."""
    server = await serve()
    load = server.load(keep_alive=keep_alive)
    await load.served(100)
    for number in range(20):
        server.process.send_signal(signal.SIGHUP)
        await server.until("workers are ready", number + 2)
        await load.served(20)
    counts = await load.stop()

    assert counts.failed == []
    assert counts.refused == 0
    assert counts.sent == counts.ok
    assert len(counts.served) > 20
    assert await server.stop() == 0


@KINDS
async def test_term(serve, keep_alive: bool) -> None:
    """TERM under load: no request that was accepted is lost."""
    for _ in range(3):
        server = await serve()
        load = server.load(64, keep_alive=keep_alive)
        await load.served(200)
        code = await server.stop()
        counts = await load.stop()

        assert counts.failed == []
        assert counts.sent == counts.ok
        assert code == 0


@KINDS
async def test_fewer_workers(serve, keep_alive: bool) -> None:
    """TTIN and TTOU under load: no request fails."""
    server = await serve()
    load = server.load(keep_alive=keep_alive)
    for number in range(3):
        server.process.send_signal(signal.SIGTTIN)
        await server.until("Worker 3 started", number + 1)
        await load.served(100)
        server.process.send_signal(signal.SIGTTOU)
        await load.served(100)
    counts = await load.stop()

    assert counts.failed == []
    assert counts.sent == counts.ok
    assert await server.stop() == 0


@KINDS
async def test_killed_worker(serve, eventually, keep_alive: bool) -> None:
    """After kill -9 under load only what it served fails; back in 1 s."""
    clients = 16
    server = await serve()
    load = server.load(clients, keep_alive=keep_alive)
    # Those who stay connected to the other worker do not see the new one.
    probe = server.load(4, keep_alive=False)
    await load.served(100)
    old = server.children()

    start = time.monotonic()
    os.kill(old[0], signal.SIGKILL)
    await eventually(lambda: set(probe.counts.served) - set(old))
    seconds = time.monotonic() - start
    assert len((await probe.stop()).failed) <= 4
    counts = await load.stop()

    assert seconds < 1
    assert len(server.children()) == 2
    assert len(counts.failed) <= clients
    assert counts.refused == 0
    assert counts.sent == counts.ok + len(counts.failed)
    assert await server.stop() == 0


@KINDS
async def test_recycled_workers(serve, keep_alive: bool) -> None:
    """Workers are replaced after so many requests, none of which fails."""
    server = await serve("forks=2, max_requests=200")
    load = server.load(keep_alive=keep_alive)
    async with asyncio.timeout(60):  # a bound and no expectation
        # How many requests that takes depends on how fast workers start.
        while len(load.counts.served) <= 4:
            await load.served(200)
    counts = await load.stop()

    assert counts.failed == []
    assert counts.refused == 0
    assert counts.sent == counts.ok
    assert await server.stop() == 0


async def test_hung_worker(serve) -> None:
    """A worker whose loop is blocked is killed and replaced under load."""
    server = await serve("forks=2, worker_timeout=2")
    load = server.load(keep_alive=False)
    await load.served(100)
    with pytest.raises(OSError):  # noqa: PT011 - reset or closed, as it comes
        await _get(server.port, "/block")
    await server.until(" started, process", 3)
    await load.served(100)
    counts = await load.stop()

    assert len(counts.failed) <= 16
    assert "is blocked" in server.output
    assert await server.stop() == 0


async def test_killed_parent(serve, eventually, up) -> None:
    """After kill -9 of the parent under load: no orphan after a second."""
    server = await serve()
    load = server.load(keep_alive=True)
    await load.served(100)
    workers = server.children()
    assert len(workers) == 2

    server.process.kill()
    await eventually(lambda: not any(map(up, workers)), 1.0)
    await load.stop()


async def test_many_reloads(serve) -> None:
    """200 reloads: file descriptors and memory of the parent stay flat."""
    server = await serve()

    def files() -> int:
        return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))

    def memory() -> int:
        return int(Path(f"/proc/{server.pid}/statm").read_text().split()[1])

    async def reload(times: t.Iterable[int]) -> None:
        for number in times:
            server.process.send_signal(signal.SIGHUP)
            await server.until("workers are ready", number + 2)

    await reload(range(20))
    before = files(), memory()
    await reload(range(20, 200))

    assert files() == before[0]
    assert memory() - before[1] < 256  # pages: 1 MiB in 180 reloads
    assert len(server.children()) == 2
    assert await server.stop() == 0


@pytest.mark.parametrize("reuse_port", [False, True])
async def test_spread(serve, reuse_port: bool) -> None:
    """Both workers get their share of 64 clients."""
    server = await serve(f"forks=2, reuse_port={reuse_port}")
    load = server.load(64, keep_alive=False)
    await load.served(4000)
    counts = await load.stop()

    assert counts.failed == []
    assert min(counts.served.values()) / counts.ok >= 0.35
    assert await server.stop() == 0


async def _get(port: int, path: str) -> bytes:
    def get() -> bytes:
        url = f"http://127.0.0.1:{port}{path}"
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.read()

    return await asyncio.to_thread(get)
