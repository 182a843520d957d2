"""However it ends, nobody is forgotten and nothing is left."""

from __future__ import annotations

import os
import signal
import socket

import pytest


SOCKET = "forks=2, sockets=['tcp://127.0.0.1:0']"

SERVING = """
import asyncio, logging, os, signal, sys, time
from buvar import context, fork, plugin
async def serve():
    print("up", flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare(): yield serve()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_handlers(start, number: int) -> None:
    """Workers that handle no signals are ended by them, as any program is."""
    program = start(f"{SERVING}\nprint(fork.stage(prepare, signals=None))")
    program.until("up")
    program.signal(number)

    assert program.wait() == 0


def test_quit(start) -> None:
    """QUIT does not wait for what workers do."""
    program = start(
        """
import asyncio
from buvar import fork
async def task():
    print("running", flush=True)
    try:
        await asyncio.Future()
    finally:
        print("cancelled", flush=True)
async def prepare(): yield task()
fork.stage(prepare, forks=2)
"""
    )
    program.until("running", 2)
    program.signal(signal.SIGQUIT)

    assert program.wait() == 0
    assert program.output.count("cancelled") == 2


def test_who_waits_is_served(serve) -> None:
    """Who waits in the queue when TERM comes is served, even a bit later."""
    program = serve(
        SOCKET,
        more="""
from buvar.fork import _listeners
from buvar.fork._supervise import ending
ending.QUEUE = 20
look = _listeners.Listeners.pending
def pending(listeners):
    found = look(listeners)
    print("waiting:", found, flush=True)
    return found
_listeners.Listeners.pending = pending
""",
    )
    address = program.address()
    workers = program.workers()
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    with socket.create_connection(address, 10) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        program.signal(signal.SIGTERM)
        program.until("waiting: True")
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        client.settimeout(10)
        assert client.recv(100).startswith(b"HTTP/1.1 200")

    assert program.wait() == 0


def test_failure_of_an_old_worker(start) -> None:
    """An old worker that fails at its end is told, the reload goes on."""
    program = start(
        SERVING.replace(
            "    await context.get(plugin.Cancel).wait()\n",
            "    await context.get(plugin.Cancel).wait()\n"
            "    if context.get(fork.Worker).generation == 0:\n"
            "        raise ValueError('at the end')\n",
        )
        + "logging.basicConfig(level='INFO')\n"
        "fork.stage(prepare, forks=2)\n"
    )
    program.until("up", 2)
    program.signal(signal.SIGHUP)
    program.until("workers are ready", 2)
    program.until("ended: it failed as before")

    assert program.output.count("ValueError: at the end") == 1
    assert program.stop() == 0


def test_late_ending(start) -> None:
    """A worker that ends after it was found to hang is replaced."""
    program = start(
        """
import asyncio, os, time
from pathlib import Path
from buvar import fork
from buvar.fork._supervise import ending
ending.LAST_WORDS = 60
async def task():
    try:
        with open("first", "x") as file:
            print(os.getpid(), file=file)
    except FileExistsError:
        while not (pid := Path("first").read_text().strip()):
            await asyncio.sleep(0.01)
        while Path("/proc", pid).exists():
            await asyncio.sleep(0.01)
        return "second"
    time.sleep(3)
    return "first"
async def prepare(): yield task()
print(fork.stage(prepare, forks=2, worker_timeout=1.5))
"""
    )

    assert program.wait() == 0
    assert "its event loop is blocked" in program.output
    assert "['second', 'second']" in program.output


def test_failure_of_the_parent(start, alive) -> None:
    """When the supervisor itself fails it takes its workers along."""
    program = start(
        f"""{SERVING}
class Handler(logging.Handler):
    def emit(self, record):
        if "ready" in record.msg:
            raise MemoryError("no room for a line")
        print("line:", record.getMessage(), flush=True)
logging.basicConfig(level="INFO", handlers=[Handler()])
fork.stage(prepare, forks=2, sockets=["unix://sock"])
"""
    )
    started = program.until(r"started, process (\d+)", 2)

    assert program.wait() == 1
    assert "MemoryError: no room for a line" in program.output
    assert not any(alive(int(match[1])) for match in started)
    assert not program.log.with_name("sock").exists()


def test_lifeline(start, alive, eventually) -> None:
    """Where the kernel does not care workers see that their parent is gone."""
    program = start(
        f"{SERVING}\nsys.platform = 'other'\nfork.stage(prepare, forks=2)\n"
    )
    program.until("up", 2)
    workers = program.workers()
    assert len(workers) == 2

    program.process.kill()
    program.wait()

    eventually(lambda: not any(map(alive, workers)), seconds=5.0)


def test_death_after_the_results(start) -> None:
    """A worker that dies of what it does at its exit has failed."""
    program = start(
        """
import atexit, os
from buvar import fork
async def task(): atexit.register(os._exit, 5)
async def prepare(): yield task()
fork.stage(prepare, forks=2, max_failures=1)
"""
    )

    assert program.wait() == 5
    assert "ended: it exited with code 5\n" in program.output


def test_death_beside_a_child(start, alive) -> None:
    """The death of a worker is seen though a child of its own lives on."""
    program = start(
        """
import asyncio, os, signal
from buvar import context, fork, plugin
async def task():
    try:
        os.mkdir("once")
    except FileExistsError:
        await context.get(plugin.Cancel).wait()
        return
    child = os.fork()
    if child == 0:
        signal.pause()
    print("child", child, flush=True)
    os._exit(7)
async def prepare(): yield task()
fork.stage(prepare, forks=2)
"""
    )
    child = int(program.until(r"child (\d+)")[0][1])
    program.until("it exited with code 7")

    assert alive(child)
    os.kill(child, signal.SIGKILL)
    assert program.stop() == 0


@pytest.mark.parametrize(
    ("before", "code", "why"), [(True, 3, "cannot boot"), (False, 1, "failed")]
)
def test_gone_without_a_word(start, before, code, why) -> None:
    """A worker that just exits, even with code 0, has not done its work."""
    where = "prepare" if before else "task"
    program = start(
        f"""
import os
from buvar import fork
def leave(where):
    if where == {where!r}: os._exit(0)
async def task(): leave("task")
async def prepare():
    leave("prepare")
    yield task()
fork.stage(prepare, forks=2, max_failures=2)
"""
    )

    assert program.wait() == code
    assert "exited with code 0, in the middle of its stage" in program.output
    assert f"Worker 1 {why}" in program.output or (
        f"Worker 2 {why}" in program.output
    )
