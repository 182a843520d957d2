"""Ids of requests: taken over or made, and where they are found."""

from __future__ import annotations

import asyncio
import logging
import re
import typing as t

import aiohttp.web
import pytest

from buvar import context
from buvar import di
from buvar_aiohttp.request_ids import RequestId


contextvars: t.Any = pytest.importorskip("structlog.contextvars")

PLUGIN = "buvar_aiohttp.request_ids"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


async def tell(request: aiohttp.web.Request) -> t.Any:
    await asyncio.sleep(0)
    fields = contextvars.get_contextvars()
    component = await di.nject(RequestId)
    return aiohttp.web.json_response(
        [str(context.get(RequestId)), str(component), fields["request_id"]]
    )


@pytest.fixture
def ask(serve, route):
    """Ask with headers, and return the header and what the handler saw."""

    def ask(headers: t.Any, *plugins: t.Any, **config: t.Any) -> t.Any:
        async def visit(session: t.Any, url: str) -> object:
            async with session.get(url, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
                header = answer.headers["X-Request-ID"]
                return [header, *await answer.json()]

        return serve(visit, route(tell), PLUGIN, *plugins, **config)

    return ask


def test_made(ask, middleware) -> None:
    """Without one it is made, with middlewares and without."""

    async def nothing(request: t.Any, handler: t.Any) -> t.Any:
        assert str(context.get(RequestId))
        return await handler(request)

    ids = set()
    for plugins in ((), (middleware(nothing),)):
        first, *others = ask({}, *plugins)
        assert re.fullmatch(r"[0-9a-f]{32}", first)
        assert others == [first] * 3
        ids.add(first)
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"traceparent": TRACEPARENT}, TRACE),
        ({"traceparent": TRACEPARENT, "X-Request-ID": "r1"}, TRACE),
        ({"X-Request-ID": "r1"}, "r1"),
        ({"X-Request-ID": "x" * 128}, "x" * 128),
        ({"X-Request-ID": "x" * 129}, None),
        ({"X-Request-ID": "a b"}, None),
        ({"X-Request-ID": ""}, None),
        ({"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"}, None),
        ({"traceparent": f"ff-{TRACE}-00f067aa0ba902b7-01"}, None),
        ({"traceparent": TRACE}, None),
    ],
)
def test_taken_over(ask, headers: dict[str, str], expected: str) -> None:
    """It is that of the trace, or what a trusted proxy says, if sane."""
    found = ask(headers, trusted_proxies=["127.0.0.1"])
    assert len(set(found)) == 1
    if expected is None:
        assert re.fullmatch(r"[0-9a-f]{32}", found[0])
    else:
        assert found[0] == expected


def test_of_anybody(ask) -> None:
    """A client cannot choose an id."""
    assert ask({"X-Request-ID": "r1"})[0] != "r1"
    assert ask({"X-Request-ID": "r1"}, trusted_proxies=["10.0.0.1"])[0] != "r1"


def test_logs(serve, route, caplog) -> None:
    """The access log has it, also of what is not found, and the error."""

    async def fail(request: aiohttp.web.Request) -> t.NoReturn:
        raise ValueError("secret")

    async def visit(session: t.Any, url: str) -> object:
        found = []
        for path in ("/", "/missing"):
            async with session.get(url + path) as answer:
                found.append(answer.headers["X-Request-ID"])
        return found

    with caplog.at_level(logging.INFO, "buvar_aiohttp"):
        ids = serve(visit, route(fail), PLUGIN)
    access = [r for r in caplog.records if r.name == "buvar_aiohttp.access"]
    assert [r.request_id for r in access] == ids
    (error,) = [r for r in caplog.records if r.levelname == "ERROR"]
    assert error.request_id == ids[0]
    assert error.exc_info
    assert contextvars.get_contextvars() == {}


@pytest.mark.buvar_plugins(PLUGIN)
async def test_without_a_server(buvar_aiohttp_app, aiohttp_client) -> None:
    """They are the same where a test serves the application."""
    buvar_aiohttp_app.router.add_get("/", tell)
    client = await aiohttp_client(buvar_aiohttp_app)
    async with client.get("/", headers={"traceparent": TRACEPARENT}) as answer:
        assert await answer.json() == [TRACE] * 3
        assert answer.headers["X-Request-ID"] == TRACE
