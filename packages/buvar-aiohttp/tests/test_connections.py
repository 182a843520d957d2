"""Clients that only occupy a connection, and as many as there may be."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
import typing as t

from pathlib import Path

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar_aiohttp import _accept


TIMEOUT = 30.0  # seconds, a bound and no expectation
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"

needs_limits = pytest.mark.skipif(
    sys.platform == "win32", reason="no limit of open files"
)


async def hello(request: aiohttp.web.Request) -> t.Any:
    return aiohttp.web.Response(text="hello")


async def connect(url: str) -> t.Any:
    host, port = url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def rest(reader: t.Any) -> bytes:
    """Return what is read until the connection is closed."""
    return await asyncio.wait_for(reader.read(), TIMEOUT)


@pytest.mark.parametrize("before", [b"", HEAD + b"\r\n"])
def test_half_a_request(serve, route, before: bytes) -> None:
    """A head that does not go on is answered with 408, the first or not."""

    async def visit(session: t.Any, url: str) -> object:
        reader, writer = await connect(url)
        if before:
            writer.write(before)
            await reader.readuntil(b"hello")
        writer.write(HEAD)
        found = await rest(reader)
        writer.close()
        return found

    found = serve(visit, route(hello), header_timeout=0.2)

    assert found.startswith(b"HTTP/1.1 408 ")
    assert found.endswith(b"\r\n\r\n")
    assert b"Connection: close" in found


def test_a_head_byte_by_byte(serve, route) -> None:
    """A head has so long as a whole, however busy its client is."""

    async def visit(session: t.Any, url: str) -> object:
        reader, writer = await connect(url)
        answer = asyncio.create_task(rest(reader))
        writer.write(HEAD + b"X: ")
        while not answer.done():
            writer.write(b"x")
            await asyncio.sleep(0.01)
        writer.close()
        try:
            return await answer
        except ConnectionResetError:
            # What was sent after the answer had the system drop that.
            return b""

    found = serve(visit, route(hello), header_timeout=0.2)
    assert found == b"" or found.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("asks", [False, True])
def test_idle_connections(serve, route, asks: bool) -> None:
    """An idle connection is closed, before the first request as well."""

    async def visit(session: t.Any, url: str) -> object:
        reader, writer = await connect(url)
        if asks:
            writer.write(HEAD + b"\r\n")
            await reader.readuntil(b"hello")
        found = await rest(reader)
        writer.close()
        return found

    assert serve(visit, route(hello), keepalive_timeout=0.2) == b""


def test_what_is_not_idle(serve, route) -> None:
    """A request, its body and its answer may take as long as they need."""

    async def slow(request: aiohttp.web.Request) -> t.Any:
        body = await request.read()
        await asyncio.sleep(0.4)
        return aiohttp.web.Response(body=body * 4_000_000)

    async def visit(session: t.Any, url: str) -> object:
        reader, writer = await connect(url)
        writer.write(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na"
        )
        await asyncio.sleep(0.4)
        writer.write(b"b")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), TIMEOUT)
        await asyncio.sleep(0.4)
        length = int(re.search(rb"Content-Length: (\d+)", head)[1])
        body = await asyncio.wait_for(reader.readexactly(length), TIMEOUT)
        writer.close()
        return len(body)

    timeouts = {"header_timeout": 0.1, "keepalive_timeout": 0.1}
    found = serve(visit, route(slow, method="POST"), **timeouts)
    assert found == 8_000_000


def test_a_peer_that_vanishes(serve, route) -> None:
    """The system looks after connections that nothing is sent on."""

    async def asked(request: aiohttp.web.Request) -> t.Any:
        assert request.transport is not None
        sock = request.transport.get_extra_info("socket")
        value = sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return aiohttp.web.Response(text=str(bool(value)))

    async def visit(session: t.Any, url: str) -> object:
        async with session.get(url) as response:
            return await response.text()

    assert serve(visit, route(asked)) == "True"


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_there_is_not(port: int) -> None:
    """A port that no address has is refused when the section is loaded."""
    with pytest.raises(ValueError, match="port has to be 0 to 65535"):
        buvar_aiohttp.AioHttpConfig(port=port)


@pytest.mark.parametrize(
    "name", ["keepalive_timeout", "header_timeout", "backlog"]
)
def test_a_timeout_of_nothing(name: str) -> None:
    """A time-out that closes each connection at once is refused."""
    with pytest.raises(ValueError, match=f"{name} has to be more than 0"):
        buvar_aiohttp.AioHttpConfig(**{name: 0})


def test_as_many_as_there_may_be(serve, route, caplog) -> None:
    """One connection too many waits until another one is closed."""

    async def visit(session: t.Any, url: str) -> object:
        clients = [await connect(url) for _ in range(3)]
        for _, writer in clients:
            writer.write(HEAD + b"\r\n")
        for reader, _ in clients[:2]:
            await asyncio.wait_for(reader.readuntil(b"hello"), TIMEOUT)
        last = asyncio.create_task(clients[2][0].readuntil(b"hello"))
        await asyncio.sleep(0.1)
        waited = not last.done()
        clients[0][1].close()
        await asyncio.wait_for(last, TIMEOUT)
        for _, writer in clients:
            writer.close()
        return waited

    assert serve(visit, route(hello), max_connections=2) is True
    assert "as many as max_connections allows" in caplog.text


SERVICE = """
    import asyncio, sys
    import aiohttp.web
    from buvar import context, di, fork, plugin
    from buvar_aiohttp import AioHttpConfig, Server

    async def hello(request):
        return aiohttp.web.Response(text="hello")

    async def prepare(load: plugin.Loader):
        await load("buvar_aiohttp")
        app = await di.nject(aiohttp.web.Application)
        app.router.add_get("/", hello)

    def factory():
        if sys.argv[2] == "uvloop":
            import uvloop
            return uvloop.new_event_loop()
        return asyncio.new_event_loop()

    if __name__ == "__main__":
        context.add(AioHttpConfig(port=int(sys.argv[1])))
        plugin.stage(prepare, loop_factory=factory)
"""


def get(address: tuple[str, int]) -> bytes:
    with socket.create_connection(address, TIMEOUT) as client:
        client.sendall(HEAD + b"Connection: close\r\n\r\n")
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
        return answer


@pytest.fixture
def service(tmp_path: Path):
    """Run the service with a limit of open files."""
    script = tmp_path / "service.py"
    script.write_text(textwrap.dedent(SERVICE))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = sock.getsockname()
    log = tmp_path / "log"
    started: list[subprocess.Popen[bytes]] = []

    def service(limit: int, loop: str) -> t.Any:
        command = 'ulimit -n "$1"; shift; exec "$@"'
        program = [sys.executable, str(script), str(address[1]), loop]
        with log.open("wb") as out:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command, "sh", str(limit), *program],
                stdout=out,
                stderr=out,
            )
        started.append(process)
        end = time.monotonic() + TIMEOUT
        while True:
            try:
                get(address)
            except OSError:
                assert time.monotonic() < end, log.read_text()
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            else:
                return process, address, log

    yield service
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


@needs_limits
@pytest.mark.parametrize(
    ("loop", "limit", "clients"),
    [("asyncio", 64, 90), ("uvloop", 64, 90), ("asyncio", 1024, 1100)],
)
def test_more_idle_clients_than_descriptors(
    service, loop: str, limit: int, clients: int
) -> None:
    """Idle clients do not stop the service, nor fill its log."""
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + 200
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip("too few open files for so many clients")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        process, address, log = service(limit, loop)
        with contextlib.ExitStack() as stack:
            began = time.monotonic()
            connected = [
                stack.enter_context(socket.create_connection(address, TIMEOUT))
                for _ in range(clients)
            ]
            # Those that came first are served although others wait.
            connected[0].settimeout(TIMEOUT)
            connected[0].sendall(HEAD + b"\r\n")
            assert b"200 OK" in connected[0].recv(1000)
            # One that comes last has its turn once some were idle for long.
            assert b"200 OK" in get(address)
            seconds = time.monotonic() - began
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(TIMEOUT) == 0, log.read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    lines = log.read_text().splitlines()
    assert len(lines) < 20 + 2 * seconds, log.read_text()[:5000]
    assert not [line for line in lines if "Traceback" in line]


TERM = """
    import os, signal
    from buvar import context, plugin
    from buvar_aiohttp import AioHttpConfig

    async def stop():
        os.kill(os.getpid(), signal.SIGTERM)
        await context.get(plugin.Cancel).wait()

    async def prepare(load: plugin.Loader):
        await load("buvar_aiohttp")
        yield stop()

    context.add(AioHttpConfig(port=0, handle_signals=True))
    plugin.stage(prepare{signals})
    print("ended")
"""


@needs_limits
@pytest.mark.parametrize("signals", ["", ", signals=None"])
def test_handle_signals(signals: str) -> None:
    """TERM ends in good order, whoever handles it."""
    program = textwrap.dedent(TERM.replace("{signals}", signals))
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr


def test_nobody_is_lost_who_was_accepted(
    serve, route, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those are answered who are accepted just as the server stops to."""
    accept = _accept._Listener.accept

    def accept_and_stop(self: t.Any) -> t.Any:
        found = accept(self)
        loop = asyncio.get_running_loop()
        # Before the loop begins with the connection, in a task of its own.
        loop.call_soon(self._acceptor._pause)
        loop.call_soon(self._acceptor._lost)
        return found

    monkeypatch.setattr(_accept._Listener, "accept", accept_and_stop)

    async def visit(session: t.Any, url: str) -> object:
        clients = [await connect(url) for _ in range(20)]
        found: list[bytes] = []
        for _, writer in clients:
            writer.write(HEAD + b"\r\n")
        for reader, writer in clients:
            answer = reader.readuntil(b"hello")
            found.append((await asyncio.wait_for(answer, TIMEOUT))[:15])
            writer.close()
        return found

    assert serve(visit, route(hello)) == [b"HTTP/1.1 200 OK"] * 20
