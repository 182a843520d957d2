"""Forked servers under load lose no request."""

from __future__ import annotations

import signal
import time
import urllib.request

from pathlib import Path

import pytest

from buvar import context
from buvar import plugin
from buvar.testing.load import Counts


KINDS = pytest.mark.parametrize(
    "keep_alive", [True, False], ids=["keep-alive", "close"]
)
TIMEOUT = 60.0  # seconds, a bound and no expectation


def assert_all_answered(counts: Counts) -> None:
    """Check that what was accepted was answered, by a worker."""
    counts.assert_lost(0, refused=counts.refused)
    assert counts.sent == counts.answered
    assert all(map(str.isdecimal, counts.answers)), counts.answers


@KINDS
def test_reloads(serve, buvar_chaos, keep_alive: bool) -> None:
    """20 reloads under load: no request fails, none is refused."""
    service = serve()

    with buvar_chaos.load(service, keep_alive=keep_alive) as load:
        load.answer(100)
        for _ in range(20):
            buvar_chaos.reload(service)
            load.answer(20)

    assert_all_answered(load.counts)
    assert load.counts.refused == 0
    assert len(load.counts.answers) > 20
    assert service.stop() == 0


@KINDS
def test_term(serve, buvar_chaos, keep_alive: bool) -> None:
    """TERM under load: no request that was accepted is lost."""
    for _ in range(3):
        service = serve()

        with buvar_chaos.load(
            service, clients=64, keep_alive=keep_alive
        ) as load:
            load.answer(200)
            code = service.stop()

        assert_all_answered(load.counts)
        assert code == 0


@KINDS
def test_fewer_workers(serve, buvar_chaos, keep_alive: bool) -> None:
    """TTIN and TTOU under load: no request fails."""
    service = serve()

    with buvar_chaos.load(service, keep_alive=keep_alive) as load:
        for number in range(3):
            buvar_chaos.add_worker(service)
            service.until("Worker 3 started", count=number + 1)
            load.answer(100)
            buvar_chaos.remove_worker(service)
            load.answer(100)

    assert_all_answered(load.counts)
    assert service.stop() == 0


@KINDS
def test_killed_worker(serve, buvar_chaos, keep_alive: bool) -> None:
    """After kill -9 under load only what it served fails; back in 1 s."""
    clients = 16
    service = serve()
    old = {*map(str, service.workers())}

    with (
        buvar_chaos.load(
            service, clients=clients, keep_alive=keep_alive
        ) as load,
        # Those who stay connected to the other worker do not see the new one.
        buvar_chaos.load(service, clients=4) as probe,
    ):
        load.answer(100)
        start = time.monotonic()
        fault = buvar_chaos.kill_worker(service)
        service.until(lambda: {*probe.counts.answers} - old)
        seconds = time.monotonic() - start

    assert seconds < 1
    assert len(service.workers()) == 2
    assert fault.worker not in service.workers()
    assert len(probe.counts.lost) <= 4
    load.counts.assert_lost(clients)
    assert load.counts.in_flight == 0
    assert service.stop() == 0


@KINDS
def test_recycled_workers(serve, buvar_chaos, keep_alive: bool) -> None:
    """Workers are replaced after so many requests, none of which fails."""
    service = serve("forks=2, max_requests=200")

    with buvar_chaos.load(service, keep_alive=keep_alive) as load:
        # How many requests that takes depends on how fast workers start.
        service.until(lambda: len(load.counts.answers) > 4, timeout=TIMEOUT)

    assert_all_answered(load.counts)
    assert load.counts.refused == 0
    assert service.stop() == 0


def test_hung_worker(serve, buvar_chaos) -> None:
    """A worker whose loop is blocked is killed and replaced under load."""
    service = serve("forks=2, worker_timeout=2")

    with buvar_chaos.load(service) as load:
        load.answer(100)
        with pytest.raises(OSError):  # noqa: PT011 - reset or closed
            urllib.request.urlopen(f"{service.url}/block", timeout=TIMEOUT)
        service.until(" started, process", count=3)
        load.answer(100)

    assert len(load.counts.lost) <= 16
    assert "is blocked" in service.output
    assert service.stop() == 0


def test_killed_parent(serve, buvar_chaos) -> None:
    """After kill -9 of the parent under load: no orphan after a second."""
    service = serve()
    workers = [Path(f"/proc/{pid}/stat") for pid in service.workers()]
    assert len(workers) == 2

    with buvar_chaos.load(service, keep_alive=True) as load:
        load.answer(100)
        service.signal(signal.SIGKILL)
        end = time.monotonic() + 1.0
        while any(map(_runs, workers)):
            assert time.monotonic() < end
            time.sleep(0.005)

    assert service.wait() == -signal.SIGKILL


def _runs(stat: Path) -> bool:
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def prepare_idle():
    """Have workers that are quick to start: it is about their parent."""
    yield context.get(plugin.Cancel).wait()


def test_many_reloads(buvar_service) -> None:
    """200 reloads: file descriptors and memory of the parent stay flat."""
    service = buvar_service(prepare_idle, forks=2)

    def files() -> int:
        return len(list(Path(f"/proc/{service.pid}/fd").iterdir()))

    def memory() -> int:
        return int(Path(f"/proc/{service.pid}/statm").read_text().split()[1])

    for _ in range(20):
        service.reload()
    before = files(), memory()
    for _ in range(180):
        service.reload()

    assert files() == before[0]
    assert memory() - before[1] < 256  # pages: 1 MiB in 180 reloads
    assert len(service.workers()) == 2
    assert service.stop() == 0


@pytest.mark.parametrize("reuse_port", [False, True])
def test_spread(serve, buvar_chaos, reuse_port: bool) -> None:
    """Both workers get their share of 64 clients."""
    service = serve(f"forks=2, reuse_port={reuse_port}")

    with buvar_chaos.load(service, clients=64) as load:
        load.answer(4000, timeout=TIMEOUT)

    assert_all_answered(load.counts)
    answers = load.counts.answers
    assert min(answers.values()) / load.counts.answered >= 0.35
    assert service.stop() == 0
