"""Each signal does what it does for other servers."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request


SOCKET = "forks=2, sockets=['tcp://127.0.0.1:0']"


def _get(program, path: str = "/") -> tuple[int, int, int]:
    host, port = program.address()
    url = f"http://{host}:{port}{path}"
    with urllib.request.urlopen(url, timeout=10) as response:
        pid, slot, generation = response.read().split()
    return int(pid), int(slot), int(generation)


def test_term_and_int(serve, alive) -> None:
    """TERM and INT end all in good order, with exit code 0."""
    for number in (signal.SIGTERM, signal.SIGINT):
        program = serve(SOCKET)
        workers = program.workers()
        program.signal(number)

        assert program.wait() == 0
        assert "returned [None, None]" in program.output
        assert not any(map(alive, workers))


def test_term_at_once(start) -> None:
    """TERM while workers still boot is not lost."""
    program = start(
        """
import asyncio
from buvar import fork
async def prepare():
    print("booting", flush=True)
    await asyncio.Future()
fork.stage(prepare, forks=2)
"""
    )
    program.until("booting", 2)

    assert program.stop() == 0


def test_second_signal(start) -> None:
    """A second signal cancels what workers do, at once."""
    program = start(
        """
import asyncio
from buvar import context, fork, plugin
async def task():
    print("running", flush=True)
    try:
        await context.get(plugin.Cancel).wait()
        print("stubborn", flush=True)
        await asyncio.Future()
    finally:
        print("cancelled", flush=True)
async def prepare(): yield task()
fork.stage(prepare, forks=2)
"""
    )
    program.until("running", 2)
    program.signal(signal.SIGINT)
    program.until("stubborn", 2)
    program.signal(signal.SIGINT)

    assert program.wait() == 0
    assert program.output.count("cancelled") == 2


def test_third_signal(start, eventually) -> None:
    """A third one kills workers that do not even hear."""
    program = start(
        """
import asyncio, os, signal, time
from buvar import fork
async def task():
    print("running", flush=True)
    time.sleep(60)
async def prepare(): yield task()
fork.stage(prepare, forks=2)
"""
    )
    program.until("running", 2)
    program.signal(signal.SIGTERM)
    eventually(program.workers)
    program.signal(signal.SIGQUIT)
    program.signal(signal.SIGINT)

    assert program.wait() == 128 + signal.SIGKILL


def test_more_and_fewer(serve, eventually) -> None:
    """TTIN adds a worker, TTOU removes one, the last one stays."""
    program = serve(SOCKET)
    program.signal(signal.SIGTTIN)
    eventually(lambda: len(program.workers()) == 3)
    for left in (2, 1):
        program.signal(signal.SIGTTOU)
        eventually(lambda left=left: len(program.workers()) == left)
    program.signal(signal.SIGTTOU)

    assert _get(program)[1] == 1
    assert len(program.workers()) == 1
    assert program.stop() == 0


def test_own_sockets(serve, eventually) -> None:
    """With SO_REUSEPORT workers come and go with sockets of their own."""
    program = serve(f"{SOCKET}, reuse_port=True")
    program.signal(signal.SIGTTIN)
    program.until(r"Worker 3 started")
    program.signal(signal.SIGTTOU)
    eventually(lambda: len(program.workers()) == 2)

    slots = {_get(program)[1] for _ in range(60)}
    assert slots == {1, 2}
    assert program.stop() == 0


def test_hup(serve) -> None:
    """HUP replaces each worker by one that is ready before it goes."""
    program = serve(SOCKET)
    old = program.workers()
    program.signal(signal.SIGHUP)
    program.until("workers are ready", 2)

    assert not set(old) & set(program.workers())
    assert _get(program)[2] == 1
    assert program.stop() == 0


def test_hup_while_reloading(serve, eventually) -> None:
    """Many HUPs at once are one reload, or two."""
    program = serve(SOCKET)
    for _ in range(20):
        program.signal(signal.SIGHUP)
    program.until("workers are ready", 2)
    eventually(lambda: _get(program)[2] >= 1)

    assert program.stop() == 0
    assert program.output.count(" started, process") <= 2 * 21


def test_failed_reload(start, eventually) -> None:
    """When the new workers cannot boot the old ones go on."""
    program = start(
        """
import asyncio
from buvar import context, fork, plugin
async def serve():
    print("up", flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare():
    if context.get(fork.Worker).generation:
        raise ValueError("new one")
    yield serve()
fork.stage(prepare, forks=2)
"""
    )
    program.until("up", 2)
    workers = program.workers()
    program.signal(signal.SIGHUP)
    program.until("the old workers go on")

    eventually(lambda: program.workers() == workers)
    assert program.output.count("ValueError: new one") == 1
    assert program.stop() == 0


def test_forwarded(start) -> None:
    """USR1 and USR2 reach the workers' handlers, or do no harm."""
    program = start(
        """
import asyncio
from buvar import context, fork, plugin
class Signals(plugin.Signals):
    def handle_usr1(self):
        print("got it", flush=True)
async def serve():
    print("up", flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare(): yield serve()
fork.stage(prepare, forks=2, signals=Signals)
"""
    )
    program.until("up", 2)
    program.signal(signal.SIGUSR2)
    program.signal(signal.SIGUSR1)
    program.until("got it", 2)

    assert program.stop() == 0


def test_no_handlers(start) -> None:
    """Workers may handle no signals at all."""
    program = start(
        """
from buvar import fork
async def task(): return 1
async def prepare(): yield task()
print(fork.stage(prepare, forks=2, signals=None))
"""
    )

    assert program.wait() == 0
    assert program.output == "[1, 1]\n"


def test_terminal(serve) -> None:
    """Ctrl-C goes to the parent only, which passes it on once."""
    program = serve(SOCKET)

    for pid in program.workers():
        assert os.getpgid(pid) == pid
    assert os.getpgid(program.pid) not in program.workers()
    assert program.stop() == 0


def test_unix_socket(serve, tmp_path) -> None:
    """A Unix socket is served, drained and unlinked at the end."""
    path = tmp_path / "sock"
    program = serve(f"forks=2, sockets=['unix://{path}']")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")

    assert program.stop() == 0
    assert not path.exists()
