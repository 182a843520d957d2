"""Several addresses for one application, and one for its operation."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import typing as t

from pathlib import Path

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import fork
from buvar import plugin
from buvar_aiohttp.management import Management


TIMEOUT = 30.0  # seconds, a bound and no expectation
PEM = Path(__file__).with_name("localhost.pem")

needs_unix = pytest.mark.skipif(
    not hasattr(socket, "AF_UNIX"), reason="no Unix sockets"
)


async def hello(request: aiohttp.web.Request) -> t.Any:
    return aiohttp.web.Response(text=f"hello by {request.scheme}")


async def get(url: str, path: str | None = None) -> t.Any:
    """Return status and text of an answer, on a connection of its own."""
    connector = aiohttp.UnixConnector(path) if path else aiohttp.TCPConnector()
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(url, ssl=False) as answer,
    ):
        return answer.status, await answer.text()


@pytest.fixture
def certificate() -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(PEM)
    return made


def port_of(address: t.Any) -> int:
    return address[1]


@needs_unix
def test_tcp_and_unix(serve, route, tmp_path) -> None:
    """All addresses answer; the file of a Unix socket is removed."""
    path = str(tmp_path / "sock")

    async def visit(session: t.Any, url: str) -> object:
        server = context.get(buvar_aiohttp.Server)
        other = f"http://127.0.0.1:{port_of(server.addresses[1])}"
        assert server.addresses[2] == path
        return [await get(url), await get(other), await get(url, path)]

    found = serve(
        visit, route(hello), listeners=["tcp://127.0.0.1:0", f"unix://{path}"]
    )
    assert found == [(200, "hello by http")] * 3
    assert not Path(path).exists()


def test_http_and_https(serve, route, certificate) -> None:
    """One is HTTPS, the other is not."""

    async def visit(session: t.Any, url: str) -> object:
        server = context.get(buvar_aiohttp.Server)
        first, plain, secure = map(port_of, server.addresses)
        return [
            await get(f"https://127.0.0.1:{first}"),
            await get(f"http://127.0.0.1:{plain}"),
            await get(f"https://127.0.0.1:{secure}"),
        ]

    found = serve(
        visit,
        route(hello),
        ssl_context=certificate,
        listeners=["http://127.0.0.1:0", "https://127.0.0.1:0"],
    )
    assert found == [
        (200, "hello by https"),
        (200, "hello by http"),
        (200, "hello by https"),
    ]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("https://127.0.0.1:0", "tls_cert names no certificate"),
        ("tcp://127.0.0.1:nonsense", "listen on tcp://127.0.0.1:nonsense"),
        ("nonsense", "listen on nonsense"),
    ],
)
@pytest.mark.parametrize("setting", ["listeners", "management"])
@pytest.mark.parametrize("checking", [False, True])
def test_addresses_that_make_no_sense(
    serve, address: str, reason: str, setting: str, checking: bool
) -> None:
    """One error names the address, of a check as well; nothing is served."""
    settings = {setting: [address] if setting == "listeners" else address}

    async def prepare(load: plugin.Loader) -> None:
        context.add(buvar_aiohttp.AioHttpConfig(**settings))
        await load("buvar_aiohttp")

    def check() -> None:
        with context.child():
            plugin.check(prepare)

    with pytest.raises(ExceptionGroup) as caught:
        check() if checking else serve(None, **settings)
    error = caught.value
    while isinstance(error, ExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, buvar_aiohttp.AddressError)
    assert reason in str(error)


def test_management(serve, route) -> None:
    """Health and metrics are served there, and nowhere else."""
    pytest.importorskip("prometheus_client")

    async def visit(session: t.Any, url: str) -> object:
        address = context.get(Management).address
        other = f"http://127.0.0.1:{port_of(address)}"
        found = []
        for path in ("/", "/health/ready", "/metrics"):
            found += [(await get(where + path))[0] for where in (url, other)]
        return found

    assert serve(
        visit,
        "buvar_aiohttp.health",
        "buvar_aiohttp.metrics",
        route(hello),
        management="tcp://127.0.0.1:0",
        max_concurrent_requests=1,
    ) == [200, 404, 404, 200, 404, 200]


def test_management_stays(serve, route) -> None:
    """It answers until the service has stopped, with 503 for ready."""
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: aiohttp.web.Request) -> t.Any:
        arrived.set()
        await go_on.wait()
        return aiohttp.web.Response(text="done")

    async def visit(session: t.Any, url: str) -> object:
        address = context.get(Management).address
        ready = f"http://127.0.0.1:{port_of(address)}/health/ready"
        answer = asyncio.create_task(get(url))
        await arrived.wait()
        context.get(plugin.Cancel).set()
        server = context.get(buvar_aiohttp.Server)
        async with asyncio.timeout(TIMEOUT):
            while not server.stopping:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.01)
            found = [(await get(ready))[0]]
            go_on.set()
            found.append(await answer)
        return found

    found = serve(
        visit,
        "buvar_aiohttp.health",
        route(slow),
        management="tcp://127.0.0.1:0",
    )
    assert found == [503, (200, "done")]


@pytest.mark.skipif(sys.platform == "win32", reason="it does not fork")
def test_workers() -> None:
    """Workers share all of them, whether bound before the fork or after."""
    with socket.socket() as one, socket.socket() as two:
        ports = []
        for sock in (one, two):
            sock.bind(("127.0.0.1", 0))
            ports.append(sock.getsockname()[1])
    main, more, own = (
        f"tcp://127.0.0.1:{ports[0]}",
        *(f"tcp://127.0.0.1:{port}" for port in (ports[1], 0)),
    )

    async def visit() -> list[t.Any]:
        server = context.get(buvar_aiohttp.Server)
        found = [
            await get(f"http://127.0.0.1:{port_of(address)}")
            for address in (
                *server.addresses,
                context.get(Management).address,
            )
        ]
        context.get(plugin.Cancel).set()
        return [status for status, _ in found]

    async def prepare(load: plugin.Loader) -> t.AsyncIterator[t.Any]:
        context.add(
            buvar_aiohttp.AioHttpConfig(
                host="127.0.0.1",
                port=ports[0],
                listeners=[more],
                management=own,
            )
        )
        await load("buvar_aiohttp", "buvar_aiohttp.health")
        app = context.get(aiohttp.web.Application)
        app.router.add_get("/", hello)
        yield visit()

    with context.child():
        results = fork.stage(prepare, forks=2, sockets=[main, more])
    assert results.count([200, 200, 404]) == 2
