"""A socket that is bound is served, or the service does not boot."""

from __future__ import annotations

import signal

import pytest


PLUGINS = """
import asyncio, logging
from buvar import context, fork, plugin
from buvar.fork import _serving
logging.basicConfig(level="INFO", format="%(message)s")
_serving._PATIENCE = PATIENCE
ONE, TWO = "tcp://127.0.0.1:0", "unix://two"

async def wait():
    await context.get(plugin.Cancel).wait()

async def nobody():
    yield wait()

async def deaf():
    yield asyncio.Event().wait()

async def short():
    yield asyncio.sleep(0, "done")

async def one():
    context.get(fork.Socket, name=ONE).sock
    yield wait()

async def late():
    async def serve():
        await asyncio.sleep(0.1)
        context.get(fork.Socket, name=ONE).sock
        await wait()
    yield serve()

async def promise():
    for item in context.find(fork.Socket).values():
        item.served = True
    yield wait()

"""


@pytest.fixture
def run(start):
    """Start a service of one of the plugins."""

    def run(
        name: str,
        forks: int,
        sockets: str = "[ONE]",
        unserved="error",
        patience=0.3,
    ):
        return start(
            f"PATIENCE = {patience}\n{PLUGINS}\n"
            f"print('returned', fork.stage({name}, forks={forks}, "
            f"sockets={sockets}, unserved={unserved!r}))\n"
        )

    return run


@pytest.mark.parametrize(("forks", "code"), [(1, 2), (2, 2)])
@pytest.mark.parametrize("name", ["nobody", "deaf"])
def test_served_by_nobody(run, name, forks, code) -> None:
    """It fails to boot with the URIs, whatever its tasks do."""
    program = run(name, forks, "[ONE, TWO]")

    assert program.wait() == code
    assert program.output.count("nothing has begun to serve them") == 1
    assert "tcp://127.0.0.1:0, unix://two are bound" in program.output
    assert "ready" not in program.output
    assert "Traceback" not in program.output


@pytest.mark.parametrize("forks", [1, 2])
def test_one_of_two(run, forks) -> None:
    """Each of several sockets is to be served."""
    program = run("one", forks, "[ONE, TWO]", "warn")

    assert program.wait() != 0
    assert "unix://two is bound, and nothing has begun" in program.output


@pytest.mark.parametrize("forks", [1, 2])
@pytest.mark.parametrize("name", ["one", "late", "promise"])
def test_served(run, name, forks) -> None:
    """In prepare, in a task, or later, if that is promised."""
    program = run(name, forks, patience=60)
    program.until("ready")
    assert "nothing has begun" not in program.output

    assert program.stop() == 0


@pytest.mark.parametrize("forks", [1, 2])
def test_none_at_all(run, forks) -> None:
    """A service may begin to serve later; that is warned about."""
    program = run("nobody", forks, unserved="warn")
    program.until("ready")
    program.until("nothing has begun to serve it within", forks)

    assert program.stop() == 0


@pytest.mark.parametrize("forks", [1, 2])
def test_stage_that_is_over(run, forks) -> None:
    """Where all tasks are done by then, no client is left waiting."""
    program = run("short", forks)

    assert program.wait() == 0
    assert f"returned {['done'] * forks}" in program.output


@pytest.mark.parametrize("forks", [1, 2])
def test_stopped_meanwhile(run, forks) -> None:
    """A signal that comes before a socket is served ends it as ever."""
    program = run("nobody", forks, patience=60)
    program.until("Listening on" if forks == 1 else "started", forks // 2 or 1)
    program.signal(signal.SIGTERM)

    assert program.wait() == 0
