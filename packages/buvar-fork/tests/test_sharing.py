"""Addresses that only plugins know are shared by all workers."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request

import pytest

from buvar import fork


PLUGIN = """
import asyncio, logging, os, pathlib
from buvar import context, fork, plugin
logging.basicConfig(level="INFO", format="%(message)s")
async def serve(item):
    async def handle(reader, writer):
        await reader.readuntil(b"\\r\\n\\r\\n")
        worker = context.get(fork.Worker)
        body = b"%d %d" % (os.getpid(), worker.generation)
        writer.write(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\n")
        writer.write(body)
        await writer.drain()
        writer.close()
    server = await asyncio.start_server(handle, sock=item.sock)
    await context.get(plugin.Cancel).wait()
    await item.drain()
    server.close()
async def prepare():
    uri = pathlib.Path("address").read_text()
    yield serve(fork.bind(uri))
print("returned", fork.stage(prepare, forks={forks}{options}))
"""


@pytest.fixture
def sharing(start, tmp_path):
    """Start a service whose plugin binds an address from a file."""

    def sharing(uri: str = "tcp://127.0.0.1:0", forks=2, options=""):
        tmp_path.joinpath("address").write_text(uri)
        program = start(PLUGIN.format(forks=forks, options=options))
        program.until(
            r"workers? (is|are) ready|\n.*returned|cannot boot|leave them"
        )
        return program

    return sharing


def get(program) -> tuple[int, int]:
    host, port = program.address()
    with urllib.request.urlopen(f"http://{host}:{port}/", timeout=10) as got:
        pid, generation = got.read().split()
    return int(pid), int(generation)


@pytest.mark.parametrize("options", ["", ", reuse_port=True"])
def test_all_workers_serve(sharing, eventually, options) -> None:
    """All workers accept at one address, none finds it in use."""
    program = sharing(options=options)
    seen: set[int] = set()
    eventually(lambda: seen.add(get(program)[0]) or len(seen) == 2)

    assert program.stop() == 0


def test_successors(sharing, eventually) -> None:
    """Those that follow after HUP or a crash serve at the same address."""
    program = sharing()
    address = program.address()
    program.signal(signal.SIGHUP)
    program.until("workers are ready", 2)
    os.kill(program.workers()[0], signal.SIGKILL)
    program.until("started, process", 5)
    eventually(lambda: len(program.workers()) == 2)

    assert get(program)[1] == 1
    assert program.address() == address
    assert program.stop() == 0


def test_another_address_after_hup(sharing, tmp_path) -> None:
    """A reload cannot split a service between two addresses."""
    program = sharing()
    workers = program.workers()
    tmp_path.joinpath("address").write_text("tcp://127.0.0.2:0")
    program.signal(signal.SIGHUP)
    program.until("Reloading failed, the old workers go on.")

    assert "its addresses cannot change while it runs" in program.output
    assert "127.0.0.2:0: " in program.output
    assert get(program)[0] in workers
    assert program.stop() == 0


def test_in_use(sharing) -> None:
    """An address in use ends the service, with the reason, said once."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        program = sharing(f"tcp://127.0.0.1:{port}")

        assert program.wait() == 2
    assert program.output.count("the address is in use; stop") == 1


@pytest.mark.parametrize("uri", ["fd://0", "systemd://x", "nonsense"])
def test_refused(sharing, uri) -> None:
    """What a supervisor cannot bind for a worker is an error there."""
    program = sharing(uri)

    assert program.wait() == 2
    assert f"{uri}: " in program.output


def test_unix_socket(sharing, tmp_path) -> None:
    """The file of a Unix socket is there once, and removed at the end."""
    path = tmp_path / "sock"
    program = sharing(f"unix://{path}")
    assert path.is_socket()

    assert program.stop() == 0
    assert not path.exists()


def test_drained(sharing) -> None:
    """Whoever waits when TERM comes is served."""
    program = sharing()
    address = program.address()
    workers = program.workers()
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    with socket.create_connection(address, 10) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        program.signal(signal.SIGTERM)
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        client.settimeout(10)
        assert client.recv(100).startswith(b"HTTP/1.1 200")

    assert program.wait() == 0


def test_single_process(sharing) -> None:
    """With forks=1 it is bound in the process."""
    program = sharing(forks=1)

    assert program.stop() == 0


@pytest.mark.parametrize(
    "uri", ["unix:///tmp/x.sock?user=root", "fd://0", "systemd://x"]
)
def test_refused_anywhere(uri) -> None:
    """Nor can it take over what only the service has."""
    with pytest.raises(fork.ForkError, match=r"fork\.stage, or"):
        fork.bind(uri)


def test_anywhere() -> None:
    """Outside of a stage it is bound there and then."""
    item = fork.bind("tcp://127.0.0.1:0", backlog=5)
    with socket.create_connection(item.address[:2], 10):
        assert item.owned
    item.close()


@pytest.mark.parametrize("forks", [1, 2])
def test_options_of_files(sharing, tmp_path, forks) -> None:
    """A plugin gives no file away, in however many processes it runs."""
    program = sharing(f"unix://{tmp_path}/sock?mode=666", forks)

    assert program.wait() == 2
    assert "mode, user and group can only be given to" in program.output
    assert not tmp_path.joinpath("sock").exists()
