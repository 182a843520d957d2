"""Clients that ask, and take in nothing of what they are sent."""

from __future__ import annotations

import asyncio
import math
import os
import socket
import sys
import typing as t

from pathlib import Path

import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context


BOUND = 30.0  # seconds, a bound and no expectation
#: More than the kernel takes of a client that reads nothing.
SIZE = 30_000_000

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the kernel has no such bound"
)


async def stream(request: aiohttp.web.Request) -> t.Any:
    response = aiohttp.web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(bytes(65_536))


async def file(request: aiohttp.web.Request) -> t.Any:
    return aiohttp.web.FileResponse(request.query["path"])


async def whole(request: aiohttp.web.Request) -> t.Any:
    return aiohttp.web.Response(body=bytes(SIZE))


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    path = tmp_path / "big"
    path.touch()
    os.truncate(path, SIZE)
    return path


@pytest.mark.parametrize("handler", [stream, file, whole])
def test_a_client_that_takes_in_nothing(
    serve, route, big_file: Path, handler: t.Any
) -> None:
    """Its connection is closed and its request ends, whatever sends."""
    transports: list[t.Any] = []

    async def noted(request: aiohttp.web.Request) -> t.Any:
        transports.append(request.transport)
        return await handler(request)

    async def visit(session: t.Any, url: str) -> object:
        server = context.get(buvar_aiohttp.Server)
        # A client of asyncio would read by itself.
        with socket.create_connection(server.address) as sock:
            sock.sendall(
                b"GET /?path=%s HTTP/1.1\r\nHost: x\r\n\r\n" % bytes(big_file)
            )
            async with asyncio.timeout(BOUND):
                while not (transports and transports[0].is_closing()):  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.01)
                while server.requests():  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.01)
        async with session.get(url + "/none") as response:
            return response.status

    assert serve(visit, route(noted), send_timeout=0.5) == 404


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0001, 1),
        (1.5, 1500),
        (60.0, 60_000),
        (1e12, 2**31 - 1),
        (math.inf, 0),
    ],
)
def test_seconds_of_the_kernel(
    serve, route, seconds: float, expected: int
) -> None:
    """Any number of seconds is one that the kernel takes."""

    async def asked(request: aiohttp.web.Request) -> t.Any:
        assert request.transport is not None
        sock = request.transport.get_extra_info("socket")
        found = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        return aiohttp.web.Response(text=str(found))

    async def visit(session: t.Any, url: str) -> object:
        async with session.get(url) as response:
            return int(await response.text())

    assert serve(visit, route(asked), send_timeout=seconds) == expected
