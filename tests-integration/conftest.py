"""Servers under load: the programs, and a client that counts exactly."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import os
import re
import signal
import socket
import subprocess
import sys
import time
import typing as t

from pathlib import Path

import pytest


TIMEOUT = 20.0  # seconds, a bound and no expectation

#: The seed program, answering with the process that served.
SERVER = """\
import logging, os, signal, time
import aiohttp.web
from buvar import context, di, fork, plugin
from buvar_aiohttp import AioHttpConfig
logging.basicConfig(level="WARNING")
logging.getLogger("buvar.fork").setLevel("INFO")
async def hello(request):
    return aiohttp.web.Response(text=str(os.getpid()))
async def block(request):
    time.sleep(60)
async def prepare_aiohttp(load: plugin.Loader):
    await load("buvar_aiohttp")
    app = await di.nject(aiohttp.web.Application)
    app.router.add_route("GET", "/", hello)
    app.router.add_route("GET", "/block", block)
context.add(AioHttpConfig(host="127.0.0.1", port={port}))
fork.stage(prepare_aiohttp, sockets=["tcp://127.0.0.1:{port}"], {options})
"""


@dataclasses.dataclass
class Counts:
    """What became of the requests of a client."""

    sent: int = 0
    ok: int = 0
    refused: int = 0
    failed: list[str] = dataclasses.field(default_factory=list)
    #: The process that served, by request.
    served: collections.Counter[int] = dataclasses.field(
        default_factory=collections.Counter
    )


class Load:
    """
    Clients that send requests until they are told to stop.

    A request counts as sent when its connection was accepted; one that was
    refused was never promised anything.
    """

    def __init__(self, port: int, clients: int, *, keep_alive: bool) -> None:
        self.counts = Counts()
        self._port = port
        self._keep_alive = keep_alive
        self._stop = False
        self._tasks = [
            asyncio.create_task(self._client()) for _ in range(clients)
        ]

    async def stop(self) -> Counts:
        """Let each client finish its request, and return the counts."""
        self._stop = True
        await asyncio.wait_for(asyncio.gather(*self._tasks), TIMEOUT)
        return self.counts

    async def served(self, number: int) -> None:
        """Wait until so many more requests were answered."""
        async with asyncio.timeout(TIMEOUT):
            end = self.counts.ok + number
            while self.counts.ok < end:  # noqa: ASYNC110 - counts have no event
                await asyncio.sleep(0.005)

    async def _client(self) -> None:
        while not self._stop:
            try:
                async with asyncio.timeout(TIMEOUT):
                    streams = await asyncio.open_connection(
                        "127.0.0.1", self._port
                    )
            except ConnectionRefusedError:
                self.counts.refused += 1
                await asyncio.sleep(0.01)
                continue
            except OSError as error:
                # Reset while it connected: the kernel had said yes.
                self.counts.sent += 1
                self.counts.failed.append(repr(error))
                continue
            await self._connection(*streams)

    async def _connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Use a connection as often as the server allows."""
        close = not self._keep_alive
        head = b"Connection: close\r\n" if close else b""
        request = b"GET / HTTP/1.1\r\nHost: x\r\n%s\r\n" % head
        number = 0
        try:
            while number == 0 or not (close or self._stop):
                self.counts.sent += 1
                number += 1
                writer.write(request)
                async with asyncio.timeout(TIMEOUT):
                    close = await self._response(reader) or close
        except (OSError, EOFError, TimeoutError) as error:
            self.counts.failed.append(f"request {number}: {error!r}")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _response(self, reader: asyncio.StreamReader) -> bool:
        """Read a response, and tell whether it is the last one."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith("http/1.1 200"), head
        length = re.search(r"content-length: (\d+)", head)
        assert length is not None
        body = await reader.readexactly(int(length[1]))
        self.counts.ok += 1
        self.counts.served[int(body)] += 1
        return "connection: close" in head


class Server:
    """The program, and what it has logged."""

    def __init__(
        self, process: subprocess.Popen[bytes], port: int, log: Path
    ) -> None:
        self.process = process
        self.pid = process.pid
        self.port = port
        self._log = log

    @property
    def output(self) -> str:
        return self._log.read_text()

    def children(self) -> list[int]:
        """Return its workers, those that have ended excepted."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [pid for pid in map(int, path.read_text().split()) if up(pid)]

    async def until(self, text: str, number: int = 1) -> None:
        """Wait until it has logged something so many times."""
        await eventually(lambda: self.output.count(text) >= number)

    async def wait(self) -> int:
        """Wait for its end and return its exit code."""
        await eventually(lambda: self.process.poll() is not None)
        return self.process.returncode

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await self.wait()

    def load(self, clients: int = 16, *, keep_alive: bool) -> Load:
        return Load(self.port, clients, keep_alive=keep_alive)


def up(pid: int) -> bool:
    """Tell whether a process runs and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def eventually(
    condition: t.Callable[[], object], seconds: float = TIMEOUT
) -> None:
    """Wait for another process, which has no event for that."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


@pytest.fixture(name="eventually")
def _eventually() -> t.Callable[..., t.Awaitable[None]]:
    return eventually


@pytest.fixture(name="up")
def _up() -> t.Callable[[int], bool]:
    return up


@pytest.fixture
async def serve(
    tmp_path: Path,
) -> t.AsyncIterator[t.Callable[..., t.Awaitable[Server]]]:
    """Start servers, wait until their workers are ready, end them."""
    processes: list[subprocess.Popen[bytes]] = []

    async def serve(options: str = "forks=2") -> Server:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        script = tmp_path / "server.py"
        script.write_text(SERVER.format(port=port, options=options))
        log = tmp_path / "log"
        with log.open("w") as file:
            process = subprocess.Popen(  # noqa: ASYNC220 - it does not block
                [sys.executable, str(script)],
                stdout=file,
                stderr=file,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        processes.append(process)
        server = Server(process, port, log)
        await server.until("workers are ready")
        return server

    yield serve
    for process in processes:
        process.kill()
        process.wait()
