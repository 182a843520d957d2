"""The plugins of this package serve a stage on real sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
import typing as t

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import di
from buvar import fork
from buvar import plugin
from buvar_aiohttp import json


class Closed:
    """Something a request owns."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.closed = False


OWNED: list[Closed] = []


async def own() -> t.AsyncIterator[Closed]:
    owned = Closed()
    OWNED.append(owned)
    try:
        yield owned
    except ValueError as error:
        owned.error = error
        raise
    finally:
        owned.closed = True


@di.inject
async def handle(
    request: aiohttp.web.Request, owned: Closed
) -> aiohttp.web.Response:
    """Answer with what the layer of the request holds."""
    assert context.get(aiohttp.web.Request) is request
    assert await di.nject(Closed) is owned
    if "fail" in request.query:
        raise ValueError(request.query["fail"])
    return json.response({"closed": owned.closed})


async def prepare_routes(load: plugin.Loader) -> None:
    """Prepare the whole package, and a route."""
    await load("buvar_aiohttp", "buvar_aiohttp.health")
    di.register(own, scope="layer")
    app = await di.nject(aiohttp.web.Application)
    app.router.add_get("/", handle)


def serve(
    visit: t.Callable[[aiohttp.ClientSession, str], t.Awaitable[object]],
    *plugins: t.Any,
    **config: t.Any,
) -> object:
    """Serve on a free port, visit, stop, and return what was visited."""
    config = {"host": "127.0.0.1", "port": 0, **config}

    async def visitor() -> object:
        server = context.get(buvar_aiohttp.Server)
        url = "http://localhost"
        if isinstance(server.address, tuple):
            url = f"http://127.0.0.1:{server.address[1]}"
        try:
            return await visit(context.get(aiohttp.ClientSession), url)
        finally:
            context.get(plugin.Cancel).set()

    async def prepare(load: plugin.Loader) -> t.AsyncIterator[t.Any]:
        context.add(buvar_aiohttp.AioHttpConfig(**config))
        await load(prepare_routes, *plugins)
        yield visitor()

    OWNED.clear()
    with context.child():
        *_, result = plugin.stage(prepare)
    return result


def test_requests_have_a_layer() -> None:
    """A request, its handler's parameters and their end belong together."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(url) as response:
            assert response.status == 200
            return json.loads(await response.read())

    assert serve(visit) == {"closed": False}
    (owned,) = OWNED
    assert owned.closed
    assert owned.error is None


def test_layers_end_with_the_error(caplog: pytest.LogCaptureFixture) -> None:
    """What a request owns is given the exception that ended it."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(f"{url}?fail=no+luck") as response:
            return response.status

    assert serve(visit) == 500
    (owned,) = OWNED
    assert str(owned.error) == "no luck"
    assert "no luck" in caplog.text


def test_health() -> None:
    """Health tells that the process lives and is ready, or stops."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        answers: list[object] = []
        for name in ("live", "ready"):
            async with session.get(f"{url}/health/{name}") as response:
                answers.append((response.status, await response.json()))
        context.get(plugin.Cancel).set()
        async with session.get(f"{url}/health/ready") as response:
            answers.append((response.status, await response.json()))
        return answers

    assert serve(visit) == [
        (200, {"status": "live"}),
        (200, {"status": "ready"}),
        (503, {"status": "stopping"}),
    ]


def test_access_log(caplog: pytest.LogCaptureFixture) -> None:
    """Each request is logged with its facts as fields, unless not wanted."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(f"{url}/health/live") as response:
            return response.status

    caplog.set_level(logging.INFO)
    assert serve(visit) == 200
    found = [r for r in caplog.records if r.__dict__.get("status") == 200]
    assert len(found) == 1
    assert found[0].__dict__["path"] == "/health/live"

    caplog.clear()
    assert serve(visit, access_log=False) == 200
    assert not [r for r in caplog.records if "status" in r.__dict__]


def test_unix_socket(tmp_path: t.Any) -> None:
    """A path makes it a Unix socket."""
    path = str(tmp_path / "http.sock")

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        del session
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(path)
            ) as own_session,
            own_session.get(url) as response,
        ):
            return response.status

    assert serve(visit, path=path) == 200


def test_a_given_socket() -> None:
    """A listening socket may be given by code."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]

        async def visit(session: aiohttp.ClientSession, url: str) -> object:
            async with session.get(url) as response:
                assert response.status == 200
            return url

        assert serve(visit, sock=sock) == f"http://127.0.0.1:{port}"


def test_the_shared_socket() -> None:
    """The socket of the supervisor that has the address is served."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    async def ask() -> object:
        url = f"http://127.0.0.1:{port}"
        session = context.get(aiohttp.ClientSession)
        async with session.get(url) as response:
            assert response.status == 200
        shared = context.find(fork.Socket)[f"tcp://127.0.0.1:{port}"]
        assert shared.sock.getsockname() == ("127.0.0.1", port)
        context.get(plugin.Cancel).set()
        return "asked"

    async def prepare(load: plugin.Loader) -> t.AsyncIterator[t.Any]:
        context.add(buvar_aiohttp.AioHttpConfig(host="127.0.0.1", port=port))
        await load(prepare_routes)
        yield ask()

    with context.child():
        results = fork.stage(
            prepare, forks=1, sockets=[f"tcp://127.0.0.1:{port}"]
        )
    assert "asked" in results


def test_an_address_in_use() -> None:
    """An address that cannot be bound is an error that names it."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        raise AssertionError

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ExceptionGroup) as info:
            serve(visit, port=port)
    (error,) = info.value.exceptions
    assert isinstance(error, buvar_aiohttp.AddressError)
    assert error.address.endswith(f":{port}")
    assert error.exit_code == 2
    assert "section 'aiohttp'" in str(error)


@pytest.mark.parametrize(
    ("field", "value"), [("sock", 7), ("ssl_context", "cert.pem")]
)
def test_what_only_code_can_set(field: str, value: object) -> None:
    """A socket and a TLS context come from code, of the right type."""
    with pytest.raises(ValueError, match=f"{field} is set by code"):
        buvar_aiohttp.AioHttpConfig(**{field: value})


def test_open_requests_are_answered() -> None:
    """A request that runs when the stage stops gets its answer."""
    entered = asyncio.Event()

    async def slow(request: aiohttp.web.Request) -> aiohttp.web.Response:
        del request
        entered.set()
        await context.get(plugin.Cancel).wait()
        await asyncio.sleep(0)
        return aiohttp.web.Response(text="at last")

    async def prepare_slow() -> None:
        context.get(aiohttp.web.Application).router.add_get("/slow", slow)

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async def ask() -> tuple[str, str | None]:
            async with session.get(f"{url}/slow") as response:
                text = await response.text()
                return text, response.headers.get("Connection")

        asked = asyncio.create_task(ask())
        await entered.wait()
        context.get(plugin.Cancel).set()
        return await asked

    assert serve(visit, prepare_slow) == ("at last", "close")


def test_the_session_is_closed() -> None:
    """The client session ends with the stage."""
    sessions: list[aiohttp.ClientSession] = []

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        del url
        sessions.append(session)
        return session.closed

    assert serve(visit) is False
    assert sessions[0].closed
