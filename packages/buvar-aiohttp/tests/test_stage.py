"""The plugins of this package serve a stage on real sockets."""

from __future__ import annotations

import logging
import socket
import typing as t

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import fork
from buvar import plugin


HEALTH = "buvar_aiohttp.health"
LIVE = "/health/live"


def test_health(serve) -> None:
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

    assert serve(visit, HEALTH) == [
        (200, {"status": "live"}),
        (200, {"status": "ready"}),
        (503, {"status": "stopping"}),
    ]


def test_access_log(serve, caplog: pytest.LogCaptureFixture) -> None:
    """Each request is logged with its facts as fields, unless not wanted."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(f"{url}{LIVE}") as response:
            return response.status

    caplog.set_level(logging.INFO)
    assert serve(visit, HEALTH) == 200
    found = [r for r in caplog.records if r.__dict__.get("status") == 200]
    assert len(found) == 1
    assert found[0].__dict__["path"] == LIVE

    caplog.clear()
    assert serve(visit, HEALTH, access_log=False) == 200
    assert not [r for r in caplog.records if "status" in r.__dict__]


def test_unix_socket(serve, tmp_path: t.Any) -> None:
    """A path makes it a Unix socket."""
    path = str(tmp_path / "http.sock")

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        del session
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(path)
            ) as own_session,
            own_session.get(f"{url}{LIVE}") as response,
        ):
            return response.status

    assert serve(visit, HEALTH, path=path) == 200


def test_a_given_socket(serve) -> None:
    """A listening socket may be given by code."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]

        async def visit(session: aiohttp.ClientSession, url: str) -> object:
            async with session.get(f"{url}{LIVE}") as response:
                assert response.status == 200
            return url

        assert serve(visit, HEALTH, sock=sock) == f"http://127.0.0.1:{port}"


def test_the_shared_socket(serve) -> None:
    """The socket of the supervisor that has the address is served."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    async def ask() -> object:
        url = f"http://127.0.0.1:{port}"
        session = context.get(aiohttp.ClientSession)
        async with session.get(f"{url}{LIVE}") as response:
            assert response.status == 200
        shared = context.find(fork.Socket)[f"tcp://127.0.0.1:{port}"]
        assert shared.sock.getsockname() == ("127.0.0.1", port)
        context.get(plugin.Cancel).set()
        return "asked"

    async def prepare(load: plugin.Loader) -> t.AsyncIterator[t.Any]:
        context.add(buvar_aiohttp.AioHttpConfig(host="127.0.0.1", port=port))
        await load("buvar_aiohttp", HEALTH)
        yield ask()

    with context.child():
        results = fork.stage(
            prepare, forks=1, sockets=[f"tcp://127.0.0.1:{port}"]
        )
    assert "asked" in results


def test_an_address_in_use(serve) -> None:
    """An address that cannot be bound is an error that names it."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        raise AssertionError

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ExceptionGroup) as info:
            serve(visit, HEALTH, port=port)
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


def test_the_session_is_closed() -> None:
    """The client session ends with the stage."""

    async def use() -> aiohttp.ClientSession:
        session = context.get(aiohttp.ClientSession)
        assert not session.closed
        return session

    async def prepare(load: plugin.Loader) -> t.AsyncIterator[t.Any]:
        await load(buvar_aiohttp.prepare_client_session)
        yield use()

    (session,) = plugin.stage(prepare)
    assert session.closed
