"""Where the server listens: shared sockets, its own, TLS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import typing as t

from pathlib import Path

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import config
from buvar import context
from buvar import fork
from buvar import plugin
from buvar_aiohttp._address import listen


TIMEOUT = 20.0  # seconds, a bound and no expectation
#: A key and its certificate for localhost, for these tests only.
CERTIFICATE = Path(__file__).with_name("localhost.pem")
needs_unix = pytest.mark.skipif(
    not hasattr(socket, "AF_UNIX"), reason="no Unix sockets"
)


@pytest.fixture
def shared() -> t.Iterator[t.Callable[..., fork.Socket]]:
    """Share sockets, as a supervisor does."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(context.child())

        def shared(uri: str, address: t.Any = ("127.0.0.1", 0)) -> t.Any:
            family = socket.AF_INET
            if isinstance(address, str):
                family = socket.AF_UNIX
            sock = stack.enter_context(socket.socket(family))
            sock.bind(address)
            sock.listen()
            port = "" if isinstance(address, str) else sock.getsockname()[1]
            uri = uri.format(port=port)
            return context.add(fork.Socket(uri, sock), name=uri)

        yield shared


@pytest.mark.parametrize(
    ("uri", "bound", "host"),
    [
        ("tcp://127.0.0.1:{port}", "127.0.0.1", "127.0.0.1"),
        ("tcp://localhost:{port}", "127.0.0.1", "localhost"),
        ("tcp://127.0.0.1:{port}?backlog=9", "127.0.0.1", "localhost"),
        ("tcp://:{port}", "0.0.0.0", "0.0.0.0"),
        ("tcp://:{port}", "0.0.0.0", ""),
        ("fd://3", "0.0.0.0", "::"),
    ],
)
def test_the_same_address(shared, uri: str, bound: str, host: str) -> None:
    """The shared socket is found by what it is bound to."""
    shared("tcp://127.0.0.1:{port}")
    item = shared(uri, (bound, 0))
    config = buvar_aiohttp.AioHttpConfig(host=host, port=item.address[1])

    assert listen(config) == (item, False)


def test_any_port(shared) -> None:
    """Port 0 is the shared socket that was to have any port."""
    shared("tcp://127.0.0.1:{port}")
    item = shared("tcp://127.0.0.1:0")

    config = buvar_aiohttp.AioHttpConfig(host="127.0.0.1", port=0)

    assert listen(config) == (item, False)


@needs_unix
def test_the_same_path(shared, tmp_path: Path, monkeypatch) -> None:
    """A shared Unix socket is found by its path, a relative one as well."""
    monkeypatch.chdir(tmp_path)
    shared("tcp://127.0.0.1:{port}")
    item = shared("unix://web.sock?mode=600", str(tmp_path / "web.sock"))

    assert listen(buvar_aiohttp.AioHttpConfig(path="web.sock")) == (
        item,
        False,
    )


@needs_unix
def test_another_address(shared, tmp_path: Path) -> None:
    """With no shared socket that has the address, one is bound."""
    items = [
        shared("unix://web.sock", str(tmp_path / "web.sock")),
        shared("tcp://127.0.0.1:{port}"),
    ]

    for item in items:
        # By something else.
        item.served = True

    listening = listen(buvar_aiohttp.AioHttpConfig(host="localhost", port=0))

    assert listening.own
    assert listening.item not in items
    listening.close()


@pytest.mark.parametrize("uri", ["tcp://127.0.0.1:{port}", "tcp://:{port}"])
def test_the_only_shared_socket(shared, uri: str) -> None:
    """The only shared socket is served if no other address was set."""
    item = shared(uri, ("0.0.0.0", 0))
    port = item.address[1]

    for settings in ({}, {"port": port}, {"backlog": 9}):
        config = buvar_aiohttp.AioHttpConfig(**settings)
        assert listen(config) == (item, False)
    assert item.served


def test_a_port_of_several_hosts(shared) -> None:
    """The port alone does not tell between sockets that both have it."""
    one = shared("tcp://127.0.0.2:{port}", ("127.0.0.2", 0))
    port = one.address[1]
    shared("tcp://127.0.0.3:{port}", ("127.0.0.3", port))

    with pytest.raises(buvar_aiohttp.AddressError):
        listen(buvar_aiohttp.AioHttpConfig(port=port))

    config = buvar_aiohttp.AioHttpConfig(host="127.0.0.2", port=port)
    assert listen(config) == (one, False)


@pytest.mark.parametrize(
    "settings", [{"port": 8080}, {"host": "127.0.0.1"}, {"path": "web.sock"}]
)
def test_a_socket_that_nobody_would_serve(shared, settings) -> None:
    """Another address beside a socket that nobody serves is an error."""
    item = shared("tcp://127.0.0.3:{port}", ("127.0.0.3", 0))
    config = buvar_aiohttp.AioHttpConfig(**settings)

    with pytest.raises(buvar_aiohttp.AddressError) as info:
        listen(config)

    assert info.value.shared == (item.uri,)
    assert "nothing would serve it" in str(info.value)
    assert not item.served


def test_an_unknown_host(shared) -> None:
    """A host that nobody knows is an error, which names what is shared."""
    item = shared("tcp://127.0.0.1:{port}")
    item.served = True
    config = buvar_aiohttp.AioHttpConfig(
        host="nowhere.invalid", port=item.address[1]
    )

    with pytest.raises(buvar_aiohttp.AddressError) as info:
        listen(config)

    assert info.value.shared == (item.uri,)
    first, *_, last = str(info.value).splitlines()
    assert config.address in first
    assert "unknown" in first
    assert item.uri in str(info.value)
    assert last.startswith("Set host and port")


async def ask(path: str) -> int:
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path)
        ) as session,
        session.get("http://localhost/health/live") as response,
    ):
        return response.status


@needs_unix
@pytest.mark.parametrize("name", ["web.sock", "a %41?b.sock"])
def test_a_path(serve, tmp_path: Path, name: str) -> None:
    """A Unix socket is removed at the end; one that was left is replaced."""
    path = tmp_path / name
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        return await ask(str(path))

    for _ in range(2):
        assert serve(visit, "buvar_aiohttp.health", path=str(path)) == 200
        assert not path.exists()


@needs_unix
def test_a_path_in_use(tmp_path: Path) -> None:
    """A Unix socket that is served, and any other file, is left alone."""
    served, other = tmp_path / "served", tmp_path / "other"
    other.touch()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(served))
        sock.listen()

        for path in (served, other):
            with pytest.raises(buvar_aiohttp.AddressError, match=path.name):
                listen(buvar_aiohttp.AioHttpConfig(path=str(path)))

        assert served.is_socket()
        assert other.is_file()


def test_who_waits_is_served(serve, route) -> None:
    """Whom the kernel has accepted when the stage stops gets an answer."""

    async def hello(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response(text="hello")

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        host, port = url.removeprefix("http://").split(":")
        clients = [
            socket.create_connection((host, int(port))) for _ in range(8)
        ]
        # The event loop has not come to accept them.
        context.get(plugin.Cancel).set()
        answers = []
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            reader, writer = await asyncio.open_connection(sock=client)
            answers.append(await asyncio.wait_for(reader.read(), TIMEOUT))
            writer.close()
        return [answer[-5:] for answer in answers]

    assert serve(visit, route(hello)) == [b"hello"] * 8


def test_tls(serve, route) -> None:
    """A TLS context makes it HTTPS, websockets included, until the end."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(CERTIFICATE)
    client = ssl.create_default_context(cafile=CERTIFICATE)

    async def chat(request: aiohttp.web.Request) -> t.Any:
        websocket = aiohttp.web.WebSocketResponse()
        await websocket.prepare(request)
        await websocket.send_str(request.scheme)
        async for _ in websocket:
            raise AssertionError
        return websocket

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        url = url.replace("http:", "https:")
        async with session.ws_connect(url, ssl=client) as websocket:
            scheme = await websocket.receive_str()
            context.get(plugin.Cancel).set()
            message = await websocket.receive(TIMEOUT)
            return scheme, message.data

    assert serve(visit, route(chat), ssl_context=server) == ("https", 1001)


def test_a_path_wins_over_a_port() -> None:
    """A file that sets the path cannot unset the port of an earlier one."""
    source = config.ConfigSource(
        {"aiohttp": {"host": "0.0.0.0", "port": 80}},
        {"aiohttp": {"path": "/run/web.sock"}},
    )

    settings = source.load(buvar_aiohttp.AioHttpConfig)

    assert settings.address == "unix:///run/web.sock"
