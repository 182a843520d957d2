"""The access log: structure, and nothing that a client could forge."""

from __future__ import annotations

import asyncio
import logging
import typing as t

import aiohttp.web
import pytest
import yarl

from buvar_aiohttp._access import printable
from buvar_aiohttp._access import raw_path


async def hello(request: aiohttp.web.Request) -> t.Any:
    return aiohttp.web.Response()


@pytest.fixture
def logged(serve, route, caplog):
    """Send a target and a header as they are, and return what was logged."""

    def logged(target: bytes, agent: bytes = b"me") -> logging.LogRecord:
        async def visit(session: t.Any, url: str) -> object:
            host, port = url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                b"GET %s HTTP/1.1\r\nHost: x\r\nUser-Agent: %s\r\n"
                b"Connection: close\r\n\r\n" % (target, agent)
            )
            await reader.read()
            writer.close()
            return None

        with caplog.at_level(logging.INFO, "buvar_aiohttp.access"):
            serve(visit, route(hello, "/{any:.*}"))
        (record,) = [
            r for r in caplog.records if r.name == "buvar_aiohttp.access"
        ]
        return record

    return logged


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/a/b", "/a/b"),
        (b"/a%0aGET%20/forged%20200", "/a%0AGET%20/forged%20200"),
        (b"/%1b%5b2J", "/%1B%5B2J"),
        (b"/%E2%80%AE", "/%E2%80%AE"),
        (b"/%0d%0a", "/%0D%0A"),
    ],
)
def test_paths(logged, target: bytes, path: str) -> None:
    """A path is logged as visible ASCII, whatever was sent."""
    record = logged(target)

    assert record.path.upper() == path.upper()
    message = record.getMessage()
    assert message.isprintable()
    assert message.isascii()
    assert message.count(" ") == 2


def test_paths_that_only_some_parsers_take() -> None:
    """What is not ASCII is encoded, also where it came as it is."""
    url = yarl.URL("/\u202e\x1b \udcff", encoded=True)

    assert raw_path(url) == "/%E2%80%AE%1B%20%FF"


def test_queries(logged, caplog) -> None:
    """A query, which may contain a token, is not logged."""
    record = logged(b"/a?access_token=s3cret&next=/")

    assert record.path == "/a"
    assert "s3cret" not in caplog.text
    assert "s3cret" not in str(vars(record))


def test_user_agents(logged) -> None:
    """A header is logged with what cannot be printed escaped."""
    record = logged(b"/", "me \u202e".encode() + b"\xff")

    assert record.user_agent == "me \\u202e\\udcff"
    assert printable("as it is \u00e9") == "as it is \u00e9"


@pytest.fixture
def records(serve, route, caplog):
    """Ask for some paths, and return the records of the access log."""

    def records(*paths: str, **config: t.Any) -> list[t.Any]:
        async def visit(session: t.Any, url: str) -> object:
            for path in paths:
                async with session.get(url + path) as answer:
                    await answer.read()
            return None

        with caplog.at_level(logging.INFO, "buvar_aiohttp.access"):
            serve(
                visit,
                "buvar_aiohttp.health",
                route(hello, "/items/{name}"),
                **config,
            )
        return [r for r in caplog.records if r.name == "buvar_aiohttp.access"]

    return records


def test_routes(records) -> None:
    """The template of the route is a field, if there is one."""
    found = records("/items/1", "/missing")
    assert [r.route for r in found] == ["/items/{name}", None]


def test_names_of_fields(records) -> None:
    """They may be those of OpenTelemetry's semantic conventions."""
    (found,) = records("/items/1", access_log_names="opentelemetry")
    fields = vars(found)
    assert fields["http.request.method"] == "GET"
    assert fields["url.path"] == "/items/1"
    assert fields["http.route"] == "/items/{name}"
    assert fields["http.response.status_code"] == 200
    assert fields["http.response.size"] > 0
    assert fields["client.address"] == "127.0.0.1"
    assert fields["http.server.request.duration"] >= 0
    assert "aiohttp" in fields["user_agent.original"]
    assert "status" not in fields


@pytest.mark.parametrize(("share", "expected"), [(1, 6), (3, 2), (0, 0)])
def test_health_probes(records, share: int, expected: int) -> None:
    """Those that succeed may be sampled, or left out; all else is logged."""
    live = ["/health/live"] * 6
    found = records(*live, "/items/1", "/missing", access_log_health=share)
    routes = [r.route for r in found]
    assert routes.count("/health/live") == expected
    assert routes[-2:] == ["/items/{name}", None]
