"""Workers that crash, hang or cannot boot are dealt with."""

from __future__ import annotations

import os
import re
import signal
import time
import urllib.error
import urllib.request

from pathlib import Path

import pytest


SOCKET = "forks=2, sockets=['tcp://127.0.0.1:0']"


def _get(program, path: str = "/") -> str:
    host, port = program.address()
    url = f"http://{host}:{port}{path}"
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read().decode()


def test_killed_worker(serve, eventually) -> None:
    """A worker that is killed is replaced within a second."""
    program = serve(SOCKET)
    first, second = program.workers()

    os.kill(first, signal.SIGKILL)
    start = time.monotonic()
    program.until(r"Worker \d started", 3)

    assert time.monotonic() - start < 1
    assert "killed by SIGKILL" in program.output
    eventually(lambda: len(program.workers()) == 2)
    assert second in program.workers()
    assert program.stop() == 0


def test_exited_worker(serve) -> None:
    """A worker that exits by itself is replaced, the others go on."""
    program = serve(SOCKET)

    with pytest.raises((OSError, urllib.error.URLError)):
        _get(program, "/exit")

    program.until("it exited with code 7")
    program.until(r"Worker \d started", 3)
    assert _get(program)
    assert program.stop() == 0


def test_terminated_worker(serve) -> None:
    """A worker that somebody else ends in good order is replaced, too."""
    program = serve(SOCKET)

    os.kill(program.workers()[0], signal.SIGTERM)

    program.until("was ended by a signal; it is replaced")
    program.until(r"Worker \d started", 3)
    assert program.stop() == 0


def test_hung_worker(serve) -> None:
    """A worker whose loop is blocked says where, is killed and replaced."""
    program = serve(f"{SOCKET}, worker_timeout=2")

    with pytest.raises((OSError, urllib.error.URLError)):
        _get(program, "/block")

    program.until("its event loop is blocked")
    program.until(r"Worker \d started", 3)
    program.until(r"File .*, line \d+ in handle")
    program.until("ended: killed by SIGKILL")
    assert _get(program)
    assert program.stop() == 0
    assert "is started again" not in program.output


def test_boot_failure(start) -> None:
    """Workers that cannot boot: exit code 3, the error printed once."""
    program = start(
        """
from buvar import fork
async def prepare(): raise ValueError("cannot boot")
fork.stage(prepare, forks=4)
"""
    )

    assert program.wait() == 3
    assert program.output.count("ValueError: cannot boot") == 1
    assert program.output.count("Traceback") <= 2


@pytest.mark.parametrize(
    "how", ["os._exit(0 or 9)", "os.kill(os.getpid(), 9)"]
)
def test_boot_crash(start, how: str) -> None:
    """Workers that crash before they are ready: exit code 3, after a while."""
    program = start(
        f"""
import os
from buvar import fork
async def prepare(): {how}
fork.stage(prepare, forks=2, max_failures=3)
"""
    )

    assert program.wait() == 3


def test_missing_plugin(start) -> None:
    """A plugin that does not exist is a wrong usage, in workers too."""
    program = start(
        "from buvar import fork\nfork.stage('no.such.plugin', forks=2)\n"
    )

    assert program.wait() == 2
    assert program.output.count("There is no plugin 'no.such.plugin'") == 1
    assert "Traceback" not in program.output


def test_backoff(start) -> None:
    """Crashing workers never restart faster than the back-off says."""
    program = start(
        """
import os, signal, time
from buvar import context, fork
async def task():
    slot = context.get(fork.Worker).slot
    print("start", slot, time.monotonic(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
async def prepare(): yield task()
fork.stage(prepare, forks=1 + 1, backoff=0.1, backoff_limit=0.4)
"""
    )
    times = [
        float(match[1]) for match in program.until(r"start 1 ([\d.]+)", 6)
    ]
    program.stop()

    waits = [0.1, 0.2, 0.4, 0.4, 0.4]
    for before, after, wait in zip(times, times[1:], waits, strict=False):
        assert after - before >= wait


def test_one_bad_worker(start) -> None:
    """As long as another worker is fine it is not given up."""
    program = start(
        """
import asyncio, os
from buvar import context, fork, plugin
async def task():
    if context.get(fork.Worker).slot == 1:
        raise ValueError("only here")
    print("fine", flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare(): yield task()
fork.stage(prepare, forks=2, stable_after=0.01, backoff=0.05, max_failures=3)
"""
    )
    program.until("it failed as before", 4)

    assert program.output.count("fine") == 1
    assert program.stop() == 0


def test_a_slow_end_is_not_health(start) -> None:
    """Workers that fail at once are given up, however slowly they end."""
    program = start(
        """
import asyncio
from buvar import fork, plugin
async def task():
    raise ValueError("at once")
async def prepare(teardown: plugin.Teardown):
    teardown.add(asyncio.sleep, 0.6)
    yield task()
fork.stage(prepare, forks=2, stable_after=0.3, backoff=0.01, max_failures=3)
"""
    )

    assert program.wait() == 1
    assert program.output.count("it failed as before") >= 2


def test_a_hang_is_not_health(start) -> None:
    """Workers that hang at once are given up, however late it is noticed."""
    program = start(
        """
import time
from buvar import fork
async def task():
    time.sleep(60)
async def prepare(): yield task()
fork.stage(
    prepare, forks=2, stable_after=0.3, worker_timeout=0.6,
    graceful_timeout=0.5, max_failures=2,
)
"""
    )

    assert program.wait() == 1
    assert re.search(r"Worker \d hung; the first error", program.output)


def test_parent_is_killed(serve, alive, eventually) -> None:
    """When the parent is killed no worker is left, even a blocked one."""
    program = serve(SOCKET)
    workers = program.workers()
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGSTOP)

    program.process.kill()
    program.wait()

    eventually(lambda: not any(map(alive, workers)), seconds=1.0)


def test_a_standstill(serve) -> None:
    """A parent that stood still itself does not blame its workers."""
    program = serve(f"{SOCKET}, worker_timeout=1.5")
    workers = program.workers()
    for pid in [*workers, program.pid]:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(2)  # the standstill, nothing is waited for
    for pid in [program.pid, *workers]:
        os.kill(pid, signal.SIGCONT)

    assert _get(program)
    assert program.workers() == workers
    assert "blocked" not in program.output
    assert program.stop() == 0


def test_too_many_processes(start) -> None:
    """When the system gives no more processes it is tried again."""
    program = start(
        """
import asyncio, os
from buvar import fork
real, failed = os.fork, []
def full():
    if not failed:
        failed.append(1)
        raise OSError(11, "no more processes")
    return real()
os.fork = full
async def task(): return "done"
async def prepare(): yield task()
print(fork.stage(prepare, forks=2))
"""
    )

    assert program.wait() == 0
    assert "cannot be started: [Errno 11] no more processes" in program.output
    assert "['done', 'done']" in program.output


def test_process_1(start, children, eventually) -> None:
    """As process 1 of a container it buries orphans."""
    probe = start("print('ok')", "unshare", "--pid", "--fork")
    if probe.wait() != 0:  # pragma: no cover - no such rights
        pytest.skip("cannot make a namespace of processes")
    program = start(
        """
import asyncio, os, signal
from buvar import context, fork, plugin
async def task():
    # A child that leaves a grandchild behind.
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    signal.alarm(30)
    os.wait()
    signal.alarm(0)
    print("pid", os.getppid(), flush=True)
    await context.get(plugin.Cancel).wait()
async def prepare(): yield task()
fork.stage(prepare, forks=2)
""",
        "unshare",
        "--pid",
        "--fork",
        "--kill-child",
    )
    assert program.until(r"pid (\d+)", 2)[0][1] == "1"
    (supervisor,) = children(program.pid)
    eventually(lambda: len(_all_children(supervisor)) == 2)
    os.kill(supervisor, signal.SIGTERM)
    assert program.wait() == 0


def _all_children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
