"""Workers that have had their time are replaced by fresh ones."""

from __future__ import annotations

import os
import signal
import urllib.request

from buvar import fork


SOCKET = "forks=2, sockets=['tcp://127.0.0.1:0']"


def _get(program, path: str = "/") -> tuple[int, int, int]:
    host, port = program.address()
    url = f"http://{host}:{port}{path}"
    with urllib.request.urlopen(url, timeout=10) as response:
        pid, slot, generation = response.read().split()
    return int(pid), int(slot), int(generation)


def test_recycle(serve, alive, eventually) -> None:
    """A worker that asks for it is replaced, its successor takes its slot."""
    program = serve(f"{SOCKET}, title='x'")
    pid, slot, _ = _get(program, "/recycle")

    program.until(f"Worker {slot} is replaced: asked")
    eventually(lambda: not alive(pid))
    assert len(program.workers()) == 2
    assert program.stop() == 0


def test_max_requests(serve) -> None:
    """A worker that has done its share is replaced."""
    program = serve(f"{SOCKET}, max_requests=3")
    for _ in range(6):
        _get(program)

    program.until(r"is replaced: it has done \d requests")
    assert program.stop() == 0


def test_max_memory(serve) -> None:
    """A worker that uses too much memory is replaced."""
    program = serve(f"{SOCKET}, max_memory=1")

    program.until(r"is replaced: it uses \d+ bytes")
    program.until(" started, process", 3)
    assert program.stop() == 0


def test_little_memory(serve) -> None:
    """A worker within its bounds is left alone."""
    program = serve(f"{SOCKET}, max_memory={1 << 40}")

    assert program.stop() == 0
    assert "is replaced" not in program.output


def test_told_once(start) -> None:
    """A worker that goes on to use too much is replaced when one can be."""
    program = start(
        """
import logging, pathlib
from buvar import context, fork, plugin
logging.basicConfig(level="INFO", format="%(message)s")
async def serve():
    await context.get(plugin.Cancel).wait()
async def prepare():
    # The second in each slot cannot boot.
    pathlib.Path(str(context.get(fork.Worker).slot)).touch(exist_ok=False)
    yield serve()
fork.stage(prepare, forks=2, max_memory=1, worker_timeout=2, max_failures=0)
"""
    )
    program.until("is started again in 0.80 s", 2)

    output = program.output
    assert output.count("it uses") <= output.count(" started, process")
    assert program.stop() == 0


BROKEN = """
import asyncio, logging, os
from buvar import context, fork, plugin
logging.basicConfig(level="INFO", format="%(message)s")
class Signals(plugin.Signals):
    def handle_usr1(self):
        WORKER.recycle()
async def serve():
    await context.get(plugin.Cancel).wait()
async def prepare():
    global WORKER
    WORKER = context.get(fork.Worker)
    if os.path.exists("broken"):
        raise ValueError("not now")
    yield serve()
fork.stage(prepare, forks=2, signals=Signals, max_failures=0)
"""


def test_successor_cannot_boot(start, tmp_path, eventually) -> None:
    """When a successor cannot boot the old worker goes on until one can."""
    program = start(BROKEN)
    program.until("workers are ready")
    program.signal(signal.SIGHUP)
    program.until("workers are ready", 2)
    workers = program.workers()
    broken = tmp_path / "broken"
    broken.touch()
    program.signal(signal.SIGUSR1)
    program.until("is started again in", 4)
    assert set(workers) <= set(program.workers())
    broken.unlink()
    program.until("workers are ready", 3)

    eventually(lambda: not set(workers) & set(program.workers()))
    assert program.output.count("ValueError: not now") == 1
    assert "Reloading failed" not in program.output
    assert program.stop() == 0


def test_retired() -> None:
    """A worker knows whether only itself, or the service is to end."""
    stopping, running = os.pipe()
    try:
        worker = fork.Worker(stopping=stopping)
        exclusive = fork.Worker(stopping=stopping, exclusive=True)
        workers = [worker, exclusive, fork.Worker()]
        assert [one.retired for one in workers] == [False, False, False]
        for one in workers:
            one.signalled = True
        assert [one.retired for one in workers] == [True, False, False]
        os.close(running)
        assert not worker.retired
    finally:
        os.close(stopping)
