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
