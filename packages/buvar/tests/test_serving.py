"""What ``buvar run`` serves, and where: what the command line plainly says."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import textwrap
import time
import typing as t
import urllib.request

from pathlib import Path

import pytest

from .warm import Interpreter
from .warm import Process


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork")

TIMEOUT = 30.0  # seconds, a bound and no expectation

APPLICATION = '''
    """An application that tells which process serves."""

    import asyncio
    import os

    import aiohttp.web

    from buvar import di
    from buvar import plugin


    async def answer(request):
        return aiohttp.web.Response(text=str(os.getpid()))


    async def prepare(load: plugin.Loader):
        await load("buvar_aiohttp")
        app = await di.nject(aiohttp.web.Application)
        app.router.add_get("/", answer)


    async def idle():
        yield asyncio.Event().wait()
'''


@pytest.fixture
def run(
    tmp_path: Path, interpreter: Interpreter
) -> t.Iterator[t.Callable[..., Process]]:
    """Start the command in a folder with an application."""
    tmp_path.joinpath("app.py").write_text(textwrap.dedent(APPLICATION))
    tmp_path.joinpath("app.toml").write_text(
        "[aiohttp]\nshutdown_timeout = 5\n"
    )
    with contextlib.ExitStack() as stack:

        def run(*args: str, log: str = "log") -> Process:
            output = stack.enter_context(tmp_path.joinpath(log).open("wb"))
            return stack.enter_context(
                interpreter.start(
                    *("-m", "buvar.cli", "run", *args),
                    cwd=tmp_path,
                    stderr=output.fileno(),
                )
            )

        yield run


@pytest.fixture
def port() -> int:
    """Return a port that is free."""
    return free_port()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def serving(port: int, number: int) -> set[str]:
    """Return the processes that serve, once there are so many."""
    seen: set[str] = set()
    end = time.monotonic() + TIMEOUT
    while len(seen) < number:
        assert time.monotonic() < end, seen
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/", timeout=TIMEOUT
            ) as response:
                seen.add(response.read().decode())
        except OSError:
            time.sleep(0.05)  # it starts: there is no event to wait for
    return seen


@pytest.mark.parametrize("file", [(), ("-c", "app.toml")])
@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("--forks 2 --bind tcp://:{port} --set aiohttp.port={port}", 2),
        ("--forks 2 --bind tcp://:{port}", 2),
        ("--forks 2 --set aiohttp.port={port}", 2),
        ("--forks 2 --bind tcp://:{port} --no-preload", 2),
        ("--bind tcp://:{port}", 1),
        ("--set aiohttp.port={port}", 1),
    ],
)
def test_served_there(
    run, port: int, command: str, number: int, file: tuple[str, ...]
) -> None:
    """The address that the command line names is served by all workers."""
    process = run("app", *command.format(port=port).split(), *file)
    serving(port, number)
    process.send_signal(signal.SIGTERM)

    assert process.wait() == 0


def test_bound_in_vain(run, tmp_path: Path) -> None:
    """A socket of the command line that no plugin serves is an error."""
    started = []
    # Side by side: each is given some seconds to begin.
    for forks, code in (("1", 2), ("2", 2)):
        uri = f"tcp://127.0.0.1:{free_port()}"
        args = ("app:idle", "--forks", forks, "--bind", uri)
        started.append((run(*args, log=forks), tmp_path / forks, uri, code))

    for process, log, uri, code in started:
        assert process.wait() == code
        output = log.read_text()
        assert f"{uri} is bound, and nothing has begun to serve it" in output
        assert "Traceback" not in output
