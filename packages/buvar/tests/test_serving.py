"""What ``buvar run`` serves, and where: what the command line plainly says."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import textwrap
import time
import typing as t
import urllib.request

from pathlib import Path

import pytest


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
def run(tmp_path: Path) -> t.Iterator[t.Callable[..., subprocess.Popen[str]]]:
    """Start the command in a folder with an application."""
    tmp_path.joinpath("app.py").write_text(textwrap.dedent(APPLICATION))
    tmp_path.joinpath("app.toml").write_text(
        "[aiohttp]\nshutdown_timeout = 5\n"
    )
    with contextlib.ExitStack() as stack:

        def run(*args: str) -> subprocess.Popen[str]:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "buvar.cli", "run", *args],
                    cwd=tmp_path,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            return process

        yield run


@pytest.fixture
def port() -> int:
    """Return a port that is free."""
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
    process.terminate()

    assert process.wait(TIMEOUT) == 0


@pytest.mark.parametrize(("forks", "code"), [("1", 2), ("2", 2)])
def test_bound_in_vain(run, port: int, forks: str, code: int) -> None:
    """A socket of the command line that no plugin serves is an error."""
    uri = f"tcp://127.0.0.1:{port}"
    process = run("app:idle", "--forks", forks, "--bind", uri)
    _, output = process.communicate(timeout=TIMEOUT)

    assert process.returncode == code
    assert f"{uri} is bound, and nothing has begun to serve it" in output
    assert "Traceback" not in output
