"""What a caller of stage sees: results, errors, exit codes, its own code."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import threading

from pathlib import Path

import pytest

from buvar import context
from buvar import fork
from buvar import plugin


async def _pid():
    return os.getpid()


async def _prepare():
    return _pid()


def test_one_does_not_fork() -> None:
    """With forks=1 the stage runs in this process."""
    assert fork.stage(_prepare, forks=1) == [os.getpid()]


@pytest.mark.parametrize("forks", [1, 2])
def test_components(forks: int) -> None:
    """Sockets, the worker and what the caller gave are components."""
    uri = "tcp://127.0.0.1:0"

    async def task():
        item = context.get(fork.Socket, name=uri)
        worker = context.get(fork.Worker)
        return item.uri, worker.slot, context.get(str), context.get(int)

    async def prepare():
        return task()

    results = context.run(_with_string, prepare, forks, uri)

    assert results == [(uri, slot, "mine", 5) for slot in range(1, forks + 1)]


def _with_string(prepare, forks: int, uri: str):
    context.add("mine")
    return fork.stage(
        prepare, components={int: {None: 5}}, forks=forks, sockets=[uri]
    )


def test_components_of_a_stack() -> None:
    """A stack of components is put below the worker's own, unchanged."""
    given = context.current_context().push({int: {None: 5}})

    async def task():
        return context.get(int)

    async def prepare():
        return task()

    assert fork.stage(prepare, components=given, forks=2) == [5, 5]
    assert given.get(fork.Worker, default=None) is None


def test_port_in_use(capsys, tmp_path) -> None:
    """A port in use is one line that names it, with exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        uri = f"tcp://127.0.0.1:{other.getsockname()[1]}"

        with pytest.raises(SystemExit) as caught:
            fork.stage(_prepare, sockets=[f"unix://{tmp_path}/x", uri])

    assert caught.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith(f"{uri}: the address is in use;")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_no_fork(monkeypatch) -> None:
    """Where there is no fork, more than one worker is refused."""
    monkeypatch.delattr(os, "fork")

    with pytest.raises(fork.UnsupportedError, match="use forks=1"):
        fork.stage(_prepare, forks=0)
    assert fork.stage(_prepare, forks=1) == [os.getpid()]


def test_other_thread() -> None:
    """Only the main thread can supervise."""
    errors = []

    def call() -> None:
        try:
            fork.stage(_prepare, forks=2)
        except fork.UnsupportedError as error:
            errors.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()

    assert "Only the main thread" in errors[0]


async def test_inside_a_loop() -> None:
    """A loop that runs is not to be inherited by workers."""
    with pytest.raises(fork.UnsupportedError, match="outside of it"):
        fork.stage(_prepare, forks=2)
    assert asyncio.get_running_loop().is_running()


def _files():
    return list(Path("/proc/self/fd").iterdir())


def test_signals_are_put_back() -> None:
    """After a stage the caller's signal handlers and wake-up are its own."""
    before = {
        number: signal.getsignal(number)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    }
    files = _files()

    fork.stage(_prepare, forks=2, sockets=["tcp://127.0.0.1:0"])

    assert {number: signal.getsignal(number) for number in before} == before
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup)
    assert wakeup == -1
    assert len(_files()) == len(files)


def test_relative_names(start, tmp_path) -> None:
    """Plugins may be named relative to the package that calls stage."""
    package = tmp_path / "package"
    package.mkdir()
    package.joinpath("__init__.py").touch()
    package.joinpath("app.py").write_text(
        "async def prepare():\n    return task()\n"
        "async def task():\n    return 'relative'\n"
    )
    package.joinpath("main.py").write_text(
        "from buvar import fork\nprint(fork.stage('.app', forks=2))\n"
    )
    program = start("import package.main")

    assert program.wait() == 0
    assert program.output == "['relative', 'relative']\n"


def test_the_parent_goes_on(start) -> None:
    """What follows stage, and what was buffered before, is run once."""
    program = start(
        """
import atexit, os, sys
from buvar import fork
parent = os.getpid()
atexit.register(lambda: print("exit of", "parent" if os.getpid() == parent
    else "worker"))
sys.stdout.reconfigure(line_buffering=False, write_through=False)
print("before")
async def task():
    atexit.register(print, "worker's own")
    print("task")
async def prepare():
    yield task()
try:
    fork.stage(prepare, forks=2)
finally:
    print("finally")
print("after")
""",
    )

    assert program.wait() == 0
    lines = program.output.splitlines()
    assert sorted(lines) == sorted(
        [
            "before",
            *["task", "worker's own"] * 2,
            *["finally", "after", "exit of parent"],
        ]
    )
    assert lines[-3:] == ["finally", "after", "exit of parent"]


def test_temporary_files(start) -> None:
    """Each process removes what it has made for its own time, no other."""
    program = start(
        """
import os, tempfile
from buvar import fork
mine = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
async def task():
    global own
    own = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    return own.name
async def prepare(): yield task()
folders = [*fork.stage(prepare, forks=2), mine.name]
print(*map(os.path.exists, folders), flush=True)
print(mine.name)
"""
    )

    assert program.wait() == 0
    existed, name = program.output.splitlines()[-2:]
    assert existed == "False False True"
    assert not Path(name).exists()


def test_different_random_numbers() -> None:
    """No two workers draw the same random numbers."""

    async def task():
        return os.urandom(8), random.getrandbits(64)

    async def prepare():
        return task()

    one, two = fork.stage(prepare, forks=2)
    assert one != two


def test_exit_code_of_a_task(start) -> None:
    """A failure that repeats ends it all, with its code, printed once."""
    program = start(
        """
from buvar import fork
async def task(): raise ValueError("what went wrong")
async def prepare(): yield task()
fork.stage(prepare, forks=2, max_failures=2)
print("not reached")
"""
    )

    assert program.wait() == 1
    assert program.output.count("ValueError: what went wrong") == 1
    assert "not reached" not in program.output
    assert program.output.strip().endswith("the first error stands above.")


def test_exit_code_of_a_signal(start) -> None:
    """A worker that has to be killed at the end is a failure, too."""
    program = start(
        """
import asyncio, time
from buvar import fork
async def task():
    print("running", flush=True)
    time.sleep(60)
async def prepare(): yield task()
fork.stage(prepare, forks=2, graceful_timeout=0.3)
"""
    )
    program.until("running", 2)

    assert program.stop() == 128 + signal.SIGKILL


def test_the_program_ends_itself(start) -> None:
    """Workers that set Cancel are done: nothing is restarted."""
    program = start(
        """
from buvar import context, fork, plugin
async def task():
    context.get(plugin.Cancel).set()
    return "done"
async def prepare(): yield task()
print(fork.stage(prepare, forks=2))
"""
    )

    assert program.wait() == 0
    assert program.output == "['done', 'done']\n"


@pytest.mark.parametrize("forks", [1, 2])
def test_workers_are_told_of_their_own_layers(forks: int) -> None:
    """A plugin that listens hears of the layers of its worker only."""

    async def task(told: list[str]):
        async with context.child():
            pass
        return [*told, os.getpid()]

    async def prepare():
        told: list[str] = []
        plugin.listen(
            lambda event: told.append(type(event).__name__),
            plugin.LayerOpened,
            plugin.LayerClosed,
        )
        yield task(told)

    results = fork.stage(prepare, forks=forks)

    assert [told for *told, _ in results] == [
        ["LayerOpened", "LayerClosed"]
    ] * forks
    assert len({pid for *_, pid in results}) == forks
