"""A server that stops behind a load balancer, which needs time to notice."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import textwrap
import time
import typing as t

from pathlib import Path

import aiohttp
import pytest

import buvar_aiohttp

from buvar import context
from buvar import plugin
from buvar_aiohttp.management import Management


TIMEOUT = 30.0  # seconds, a bound and no expectation
READY = "/health/ready"

needs_signals = pytest.mark.skipif(
    sys.platform == "win32", reason="TERM ends a process at once"
)


@pytest.mark.parametrize("management", [None, "tcp://127.0.0.1:0"])
def test_it_still_accepts(serve, management: str | None) -> None:
    """New connections are answered, each for the last time, with 503."""

    async def visit(session: t.Any, url: str) -> object:
        del session
        context.get(plugin.Cancel).set()
        if management is not None:
            port = context.get(Management).address[1]
            url = f"http://127.0.0.1:{port}"
        found: list[object] = []
        for path in (READY, "/health/live"):
            async with (
                aiohttp.ClientSession() as one,
                one.get(url + path) as response,
            ):
                found.append(
                    (response.status, response.headers.get("Connection"))
                )
        return found

    assert serve(
        visit, "buvar_aiohttp.health", drain_delay=1.0, management=management
    ) == [(503, "close"), (200, "close")]


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_delay_that_makes_no_sense(value: float) -> None:
    """A delay is 0 or more, and has an end."""
    with pytest.raises(ValueError, match="drain_delay has to be 0 or more"):
        buvar_aiohttp.AioHttpConfig(drain_delay=value)


SERVICE = """
    import asyncio, sys
    import aiohttp.web
    from buvar import context, di, fork, plugin
    from buvar_aiohttp import AioHttpConfig, _lame_duck

    # For tests to see what ends it, other than that it is over.
    _lame_duck.BUSY = 60.0

    async def slow(request):
        await asyncio.sleep(0.05)
        return aiohttp.web.Response(text="hello")

    async def upload(request):
        return aiohttp.web.Response(text=await request.text())

    async def chat(request):
        socket = aiohttp.web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    async def generation(request):
        text = str(context.get(fork.Worker).generation)
        return aiohttp.web.Response(text=text)

    async def prepare(load: plugin.Loader):
        await load("buvar_aiohttp", "buvar_aiohttp.health")
        app = await di.nject(aiohttp.web.Application)
        app.router.add_get("/", slow)
        app.router.add_post("/", upload)
        app.router.add_get("/chat", chat)
        app.router.add_get("/generation", generation)

    if __name__ == "__main__":
        port, workers = map(int, sys.argv[1:3])
        settings = {"drain_delay": float(text) for text in sys.argv[3:]}
        context.add(AioHttpConfig(port=port, **settings))
        if workers:
            fork.stage(
                # A role of one worker has a supervisor as well.
                fork.Role("web", prepare, forks=workers),
                sockets=[f"tcp://127.0.0.1:{port}"],
            )
        else:
            plugin.stage(prepare)
"""


@pytest.fixture
def service(tmp_path: Path):
    """Run the service in a process of its own, with a delay."""
    script = tmp_path / "service.py"
    script.write_text(textwrap.dedent(SERVICE))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    started: list[subprocess.Popen[bytes]] = []

    def service(delay: float | None, workers: int = 0) -> t.Any:
        words = [str(port), str(workers)]
        words += [] if delay is None else [str(delay)]
        process = subprocess.Popen([sys.executable, str(script), *words])
        started.append(process)
        return process, f"http://127.0.0.1:{port}"

    yield service
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


async def status(url: str) -> int:
    """Return the status of an answer to a connection of its own, else 0."""
    timeout = aiohttp.ClientTimeout(TIMEOUT)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url) as response,
        ):
            return response.status
    except aiohttp.ClientError:
        return 0


async def until_ready_says(expected: int, url: str) -> None:
    async with asyncio.timeout(TIMEOUT):
        while await status(url + READY) != expected:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.05)


async def balance(process: t.Any, url: str) -> list[int]:
    """Send requests until ready was answered with 503 twice, or not."""
    await until_ready_says(200, url)
    out = asyncio.Event()
    found: list[int] = []

    async def probe() -> None:
        failures = 0
        while failures < 2:
            await asyncio.sleep(0.1)
            failed = await status(url + READY) != 200
            failures = failures + 1 if failed else 0
        out.set()

    async def ask() -> None:
        while not out.is_set():
            found.append(await status(url))

    async with asyncio.timeout(TIMEOUT), asyncio.TaskGroup() as group:
        group.create_task(probe())
        for _ in range(4):
            group.create_task(ask())
        await asyncio.sleep(0.3)
        process.send_signal(signal.SIGTERM)
    return found


async def stop_balanced(
    service: t.Any, delay: float, workers: int = 0
) -> list[int]:
    """Stop the service while it is asked, and return what was answered."""
    process, url = service(delay, workers)
    found = await balance(process, url)
    assert process.wait(TIMEOUT) == 0
    return found


@needs_signals
def test_a_load_balancer_loses_nothing(service) -> None:
    """With a delay it loses no request, and without one it loses some."""
    for _ in range(2):
        found = asyncio.run(stop_balanced(service, 3.0))
        assert set(found) == {200}
    assert 0 in asyncio.run(stop_balanced(service, 0.0))


@needs_signals
def test_workers_lose_nothing(service) -> None:
    """With a supervisor it is the same: all workers go on to accept."""
    assert set(asyncio.run(stop_balanced(service, 3.0, 2))) == {200}
    assert 0 in asyncio.run(stop_balanced(service, 0.0, 2))


@needs_signals
@pytest.mark.parametrize("workers", [0, 2])
def test_a_second_signal_skips_it(service, workers: int) -> None:
    """A second TERM ends the delay, not the request that is under way."""

    async def visit() -> object:
        process, url = service(60.0, workers)
        await until_ready_says(200, url)
        process.send_signal(signal.SIGTERM)
        await until_ready_says(503, url)
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, TIMEOUT)
        found = await asyncio.wait_for(reader.read(), TIMEOUT)
        writer.close()
        return found[:12], code, time.monotonic() - start < TIMEOUT

    assert asyncio.run(visit()) == (b"HTTP/1.1 200", 0, True)


class Upload:
    """A request that is handled until the rest of its body is sent."""

    async def begin(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self.reader, self.writer = await asyncio.open_connection(
            host, int(port)
        )
        self.writer.write(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
            b"Expect: 100-continue\r\n\r\nhell"
        )
        async with asyncio.timeout(TIMEOUT):
            line = await self.reader.readline()
        assert line == b"HTTP/1.1 100 Continue\r\n"

    async def end(self) -> bytes:
        """Send the rest, and return the answer."""
        self.writer.write(b"o")
        return await self.answer()

    async def answer(self) -> bytes:
        try:
            return await asyncio.wait_for(self.reader.read(), TIMEOUT)
        finally:
            self.writer.close()


async def uploading_to(
    service: t.Callable[..., tuple[t.Any, str]], workers: int
) -> tuple[t.Any, str, Upload]:
    """Start a service without a delay, and an upload to it."""
    process, url = service(None, workers)
    await until_ready_says(200, url)
    upload = Upload()
    await upload.begin(url)
    return process, url, upload


@needs_signals
def test_busy_workers_answer_probes(service) -> None:
    """Without a delay they accept as long as a request is under way."""

    async def visit() -> None:
        process, url, upload = await uploading_to(service, 2)
        process.send_signal(signal.SIGTERM)
        await until_ready_says(503, url)
        async with (
            aiohttp.ClientSession() as session,
            session.get(url + READY) as probe,
        ):
            assert probe.headers["Connection"] == "close"
        assert await status(url) == 200

        answer = await upload.end()
        assert answer.endswith(b"\r\n\r\nhello")
        assert b"\r\nConnection: close\r\n" in answer
        assert await asyncio.to_thread(process.wait, TIMEOUT) == 0

    asyncio.run(visit())


@needs_signals
def test_idle_workers_end_at_once(service) -> None:
    """Kept connections and websockets do not delay the end."""

    async def visit() -> object:
        process, url = service(None, 2)
        await until_ready_says(200, url)
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{url}/chat") as chat,
        ):
            async with session.get(url) as response:
                assert response.status == 200
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(TIMEOUT):
                message = await chat.receive()
        return message.data, await asyncio.to_thread(process.wait, TIMEOUT)

    assert asyncio.run(visit()) == (aiohttp.WSCloseCode.GOING_AWAY, 0)


@needs_signals
def test_busy_workers_are_forced_to_end(service) -> None:
    """A second TERM ends them, and does not only skip the delay."""

    async def visit() -> object:
        process, url, upload = await uploading_to(service, 2)
        process.send_signal(signal.SIGTERM)
        await until_ready_says(503, url)
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, TIMEOUT)
        return b"hell" in await upload.answer(), code

    assert asyncio.run(visit()) == (False, 0)


@needs_signals
def test_a_worker_that_is_replaced_is_ready(service) -> None:
    """A probe on a kept connection is told to connect to the successor."""

    async def visit() -> object:
        # So that the first worker stays a while.
        process, url, upload = await uploading_to(service, 1)
        async with (
            asyncio.timeout(TIMEOUT),
            aiohttp.ClientSession() as session,
        ):
            async with session.get(url + READY):
                pass  # a connection that is kept, to the first worker
            process.send_signal(signal.SIGHUP)
            statuses, closed = set[int](), False
            while not closed:
                async with session.get(url + READY) as probe:
                    statuses.add(probe.status)
                    closed = probe.headers.get("Connection") == "close"
                await asyncio.sleep(0.05)
            async with session.get(f"{url}/generation") as response:
                generation = int(await response.text())
        answer = await upload.end()
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, TIMEOUT)
        return statuses, generation, b" 200 OK\r\n" in answer, code

    assert asyncio.run(visit()) == ({200}, 1, True, 0)
