"""A service that has run out of file descriptors."""

from __future__ import annotations

import resource
import signal
import socket

import pytest


def limit(number: int):
    """Return what starts a program with few file descriptors."""
    return {
        "preexec_fn": lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (number, number)
        )
    }


SERVING = """
import asyncio, logging
from buvar import context, fork, plugin
logging.basicConfig(level="INFO", format="%(message)s")
async def serve():
    async def handle(reader, writer):
        connections.append(writer)
    connections = []
    cancel = context.get(plugin.Cancel)
    sockets = list(context.find(fork.Socket).values())
    servers = [await asyncio.start_server(handle, sock=item.sock, backlog=999)
               for item in sockets]
    print("up", flush=True)
    await cancel.wait()
    for item in sockets:
        await item.drain()
    for server in servers:
        server.close()
async def prepare(): yield serve()
fork.stage(prepare, forks={forks}, sockets=["tcp://127.0.0.1:0{query}"])
"""


@pytest.mark.parametrize("query", ["", "?reuse_port=true"])
def test_more_workers_than_files(start, eventually, query) -> None:
    """Starts that fail leave the service as it is, and say so calmly."""
    program = start(SERVING.format(forks=2, query=query), **limit(24))
    program.until("up", 2)
    for number in range(1, 21):
        program.signal(signal.SIGTTIN)
        eventually(
            lambda number=number: len(program.workers()) >= min(number, 5)
        )
    program.until("cannot be started")
    with pytest.raises(AssertionError):
        program.until("cannot be started", 10, seconds=3)

    def few() -> bool:
        # Signals of a kind that come together count once.
        program.signal(signal.SIGTTOU)
        return len(program.workers()) <= 4

    eventually(few)

    assert program.stop() == 0


@pytest.mark.parametrize("forks", [1, 2])
def test_idle_connections(start, forks) -> None:
    """Connections beyond the limit make no flood, TERM works."""
    program = start(SERVING.format(forks=forks, query=""), **limit(30))
    program.until("up", forks)
    address = program.address()
    clients = [socket.create_connection(address, 10) for _ in range(80)]
    try:
        program.until("out of system resource", forks)
        with pytest.raises(AssertionError):
            program.until("out of system resource", 5 * forks, seconds=3)

        assert program.stop() == 0
    finally:
        for client in clients:
            client.close()


def test_pending_without_a_descriptor(listen, monkeypatch) -> None:
    """Looking whether somebody waits opens no file."""
    (item,) = listen("tcp://127.0.0.1:0").for_slot(1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.create_connection(item.address[:2], 10):
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            assert item.pending()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
