"""``buvar_chaos``: what happens to services, done to them."""

from __future__ import annotations

import asyncio
import os
import pathlib
import signal
import sys
import time

import pytest

from buvar import config
from buvar import context
from buvar import plugin
from buvar.testing.load import Counts


fork = pytest.importorskip("buvar.fork")
pytest_plugins = ["pytester"]


async def serve(*, drains: bool) -> None:
    """Answer with the process id after a moment; drain, or do not."""
    cancel = context.get(plugin.Cancel)
    (shared,) = context.find(fork.Socket).values()
    busy: set[asyncio.Task[None]] = set()

    async def handle(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task
        busy.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            slow = b"/slow" in head
            if slow:
                sys.stdout.write(f"slow {os.getpid()}\n")
            await asyncio.sleep(1 if slow else 0.02)
            body = str(os.getpid())
            start = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "
            writer.write(f"{start}{len(body)}\r\n\r\n{body}".encode())
            await writer.drain()
            writer.close()
        finally:
            busy.discard(task)

    server = await asyncio.start_server(handle, sock=shared.sock)
    await cancel.wait()
    if drains:
        await shared.drain()
        server.close()
        # What was accepted just now is handled from the next turn on.
        await asyncio.sleep(0.01)
        while busy:
            await asyncio.wait(busy)
    else:
        server.close()
        for task in busy:
            task.cancel()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


async def prepare():
    yield serve(drains=True)


async def prepare_drainless():
    yield serve(drains=False)


async def prepare_writer():
    """Write to a disk again and again, and survive when it is full."""
    path = pathlib.Path(context.get(config.ConfigSource)["disk"]) / "data"
    cancel = context.get(plugin.Cancel)

    async def write() -> None:
        while not cancel.is_set():
            try:
                with path.open("ab") as file:
                    file.write(b"x" * 100)
            except OSError as error:
                print(error, flush=True)  # noqa: T201 - the test reads it
            await asyncio.sleep(0.01)

    yield write()
    yield serve(drains=True)


def test_a_reload_under_load_loses_nothing(buvar_service, buvar_chaos):
    """A server that drains answers all that it has accepted."""
    service = buvar_service(prepare, forks=2)

    with buvar_chaos.load(service) as load:
        before = set(service.workers())
        buvar_chaos.reload(service)
        load.answer(50)
    load.counts.assert_lost(0)
    assert load.counts.in_flight == 0
    assert len(set(load.counts.answers) - {*map(str, before)}) == 2


def test_a_server_without_its_drain_is_found(buvar_service, buvar_chaos):
    """The same load finds a server whose drain was taken out."""
    service = buvar_service(prepare_drainless, forks=2)

    with buvar_chaos.load(service, path="/slow", clients=4) as load:
        # Whichever worker is stopped, it or the other one is busy.
        service.until("slow", count=4)
        buvar_chaos.reload(service)
        load.answer(4)
    with pytest.raises(AssertionError, match="requests were lost, at most 0"):
        load.counts.assert_lost(0)


def test_a_killed_worker_loses_what_it_had(buvar_service, buvar_chaos):
    """No more is lost by a kill than was in flight, and nobody is refused."""
    service = buvar_service(prepare, forks=2)

    with buvar_chaos.load(service, path="/slow", clients=4) as load:
        # Each client has had an answer; this one asks again.
        service.until("slow", count=5)
        busy = int(service.output.split()[-1])
        fault = buvar_chaos.kill_worker(service, busy)
        service.until(lambda: len(service.workers()) == 2)
        load.answer(4)
    assert fault.worker not in service.workers()
    assert load.counts.lost
    load.counts.assert_lost(fault.in_flight)


def test_a_blocked_worker_is_replaced(buvar_service, buvar_chaos):
    """A worker whose event loop is blocked is killed by its supervisor."""
    service = buvar_service(prepare, forks=2, worker_timeout=1)

    fault = buvar_chaos.block_worker(service, 60)

    service.until(lambda: fault.worker not in service.workers())
    service.until(lambda: len(service.workers()) == 2)


def test_a_block_ends(buvar_service, buvar_chaos):
    """A block that is shorter than the supervisor's patience only delays."""
    service = buvar_service(prepare, forks=1)

    with buvar_chaos.load(service, clients=1) as load:
        began = time.monotonic()
        buvar_chaos.block_worker(service, 0.5)
        load.answer(3)
        assert time.monotonic() - began > 0.4
    load.counts.assert_lost(0)


def test_a_stopped_worker_goes_on(buvar_service, buvar_chaos):
    """A worker that was stopped loses nothing when it goes on."""
    service = buvar_service(prepare, forks=2)

    with buvar_chaos.load(service) as load:
        fault = buvar_chaos.stop_worker(service)
        path = pathlib.Path(f"/proc/{fault.worker}/stat")
        service.until(
            lambda: path.read_text().rpartition(")")[2].split()[0] == "T"
        )
        buvar_chaos.continue_worker(fault)
        load.answer(50)
    load.counts.assert_lost(0)


def test_more_and_fewer_workers(buvar_service, buvar_chaos):
    """``TTIN`` and ``TTOU`` lose nothing."""
    service = buvar_service(prepare, forks=2)

    with buvar_chaos.load(service) as load:
        buvar_chaos.add_worker(service)
        assert len(service.workers()) == 3
        buvar_chaos.remove_worker(service)
        load.answer(20)
    load.counts.assert_lost(0)


def test_a_full_disk(buvar_service, buvar_chaos):
    """A service meets a disk that is really full."""
    disk = buvar_chaos.small_disk(1 << 16)
    service = buvar_service(prepare_writer, config={"disk": str(disk)})

    buvar_chaos.fill_disk(disk)

    service.until("No space left on device")
    with buvar_chaos.load(service, clients=2) as load:
        load.answer(5)
    load.counts.assert_lost(0)


def test_only_a_small_disk_is_filled(buvar_chaos, tmp_path):
    """The disk of the machine is never filled."""
    with pytest.raises(ValueError, match="is not a small disk"):
        buvar_chaos.fill_disk(tmp_path)


def test_closed_streams(buvar_service, buvar_chaos):
    """A service whose standard streams are closed serves."""
    service = buvar_service(prepare, forks=2, closed=[0, 1, 2])

    with buvar_chaos.load(service, clients=2) as load:
        load.answer(5)
    load.counts.assert_lost(0)


def test_a_load_on_a_dead_server_ends(buvar_service, buvar_chaos):
    """A load that gets no answer is an error, and its thread ends."""
    service = buvar_service(prepare)
    load = buvar_chaos.load(service, clients=1)

    with load:
        service.signal(signal.SIGKILL)
        assert service.wait() == -signal.SIGKILL
        with pytest.raises(AssertionError, match="did not come within"):
            load.answer(1000, timeout=0.2)
    with pytest.raises(AssertionError, match="connections were refused"):
        load.counts.assert_lost(load.counts.sent)


def test_counts_without_an_answer_prove_nothing():
    """Nothing is asserted of a load that was never answered."""
    with pytest.raises(AssertionError, match="No request was answered"):
        Counts().assert_lost(0)
