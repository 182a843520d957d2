"""Where requests come from behind proxies, and whom the server believes."""

from __future__ import annotations

import logging
import typing as t

import aiohttp.web
import multidict
import pytest

import buvar_aiohttp

from buvar_aiohttp._proxies import NOTHING
from buvar_aiohttp._proxies import Origin
from buvar_aiohttp._proxies import TrustedProxies


PROXY = "10.0.0.1"
CLIENT = "192.0.2.7"


def origin(*lines: str, peer: str = PROXY, family: str = "auto") -> Origin:
    """Return where a request comes from that has these headers."""
    headers = multidict.CIMultiDict(
        t.cast("t.Any", [line.split(": ", 1) for line in lines])
    )
    proxies = TrustedProxies(["10.0.0.0/8", "fd00::/8", "unix"], family)
    return proxies.origin(peer, multidict.CIMultiDictProxy(headers))


@pytest.mark.parametrize(
    ("lines", "remote"),
    [
        ((), None),
        (("X-Forwarded-For: 192.0.2.7",), CLIENT),
        (("X-Forwarded-For: 6.6.6.6, 192.0.2.7",), CLIENT),
        (("X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.1.1.1",), CLIENT),
        (("X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 192.0.2.7"), CLIENT),
        (("X-Forwarded-For: 192.0.2.7:4711",), CLIENT),
        (("X-Forwarded-For: 10.2.2.2, 10.1.1.1",), "10.2.2.2"),
        (("X-Forwarded-For: nonsense, 10.1.1.1",), "10.1.1.1"),
        (("X-Forwarded-For: ",), None),
        (("X-Forwarded-For: ::ffff:192.0.2.7",), CLIENT),
        (("X-Forwarded-For: 2001:db8::1",), "2001:db8::1"),
        (("Forwarded: for=192.0.2.7",), CLIENT),
        (("Forwarded: For=192.0.2.7;Proto=https;by=10.0.0.1",), CLIENT),
        (('Forwarded: for="[2001:db8::1]:4711"',), "2001:db8::1"),
        (("Forwarded: for=6.6.6.6, for=192.0.2.7, for=10.1.1.1",), CLIENT),
        (("Forwarded: for=6.6.6.6", "Forwarded: for=192.0.2.7"), CLIENT),
        (("Forwarded: for=unknown",), None),
        (("Forwarded: for=_hidden, for=10.1.1.1",), "10.1.1.1"),
        # What the client has sent cannot swallow what the proxy adds.
        (('Forwarded: for="6.6.6.6, for=192.0.2.7',), CLIENT),
        (("Forwarded: for=192.0.2.7;for=6.6.6.6",), None),
        (("Forwarded: nonsense",), None),
    ],
)
def test_remote(lines: tuple[str, ...], remote: str | None) -> None:
    """The client is the right-most address that is no trusted proxy."""
    assert origin(*lines).remote == remote


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ("X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example"),
            ("https", "shop.example"),
        ),
        (
            (
                "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.1.1.1",
                "X-Forwarded-Proto: ftp, https, http",
                "X-Forwarded-Host: evil.example, shop.example, inner:80",
            ),
            ("https", "shop.example"),
        ),
        (("Forwarded: for=192.0.2.7;proto=wss;host=a:80",), ("https", "a:80")),
        (('Forwarded: proto=http;host="[::1]:80"',), ("http", "[::1]:80")),
        (
            ("X-Forwarded-Proto: javascript", "X-Forwarded-Host: a/b"),
            (None,) * 2,
        ),
        (("X-Forwarded-Host: a b",), (None, None)),
    ],
)
def test_scheme_and_host(lines: tuple[str, ...], expected: t.Any) -> None:
    """They are those of the same hop, and make sense."""
    assert origin(*lines)[1:] == expected


def test_who_is_trusted() -> None:
    """Headers of anybody else are not read at all."""
    line = "X-Forwarded-For: 192.0.2.7"
    assert origin(line, peer="8.8.8.8") == NOTHING
    assert origin(line, peer="fd00::1").remote == CLIENT
    assert origin(line, peer="::ffff:10.0.0.1").remote == CLIENT
    assert origin(line, peer="").remote == CLIENT
    assert TrustedProxies(["10.0.0.1"]).trusts("") is False


def test_two_families() -> None:
    """Where both are there and disagree, one is the client's own: neither."""
    lines = ("X-Forwarded-For: 192.0.2.7", "Forwarded: for=6.6.6.6")
    assert origin(*lines) == NOTHING
    assert origin(*lines, family="x-forwarded").remote == CLIENT
    assert origin(*lines, family="forwarded").remote == "6.6.6.6"
    assert origin(lines[0], "Forwarded: for=192.0.2.7").remote == CLIENT


def test_no_network() -> None:
    """What is no network is an error that names it."""
    with pytest.raises(ValueError, match=r"trusted_proxies: '10\.0\.0\.0/99'"):
        buvar_aiohttp.AioHttpConfig(trusted_proxies=["10.0.0.0/99"])


async def whoami(request: aiohttp.web.Request) -> t.Any:
    body = await request.text()
    return aiohttp.web.Response(
        text=f"{request.remote} {request.scheme} {request.host} "
        f"{request.url} {len(body)}"
    )


@pytest.mark.parametrize("trusted", [True, False])
def test_a_request(serve, route, caplog, trusted: bool) -> None:
    """Handlers and the access log see the client, if the proxy is trusted."""
    headers = {
        "X-Forwarded-For": f"6.6.6.6, {CLIENT}",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.example",
    }

    async def visit(session: t.Any, url: str) -> object:
        found = []
        for _ in range(2):
            async with session.post(url, headers=headers, data=b"x") as answer:
                found.append((await answer.text()).replace(url[7:], "here"))
        return found

    config = {"trusted_proxies": ["127.0.0.0/8"]} if trusted else {}
    with caplog.at_level(logging.INFO, "buvar_aiohttp.access"):
        found = serve(visit, route(whoami, method="POST"), **config)
    seen = [r.remote for r in caplog.records if "access" in r.name]
    if trusted:
        said = f"{CLIENT} https shop.example https://shop.example/ 1"
        assert found == [said] * 2
        assert seen == [CLIENT] * 2
    else:
        assert found == ["127.0.0.1 http here http://here/ 1"] * 2
        assert seen == ["127.0.0.1"] * 2


def test_a_clone(serve, route, middleware, caplog) -> None:
    """The access log knows what a middleware says who the client is."""

    async def proxied(request: t.Any, handler: t.Any) -> t.Any:
        return await handler(request.clone(remote=CLIENT))

    async def visit(session: t.Any, url: str) -> object:
        async with session.get(url) as answer:
            return (await answer.text()).split()[0]

    with caplog.at_level(logging.INFO, "buvar_aiohttp.access"):
        assert serve(visit, route(whoami), middleware(proxied)) == CLIENT
    (seen,) = [r.remote for r in caplog.records if "access" in r.name]
    assert seen == CLIENT


def test_the_size_of_bodies(serve, route) -> None:
    """A body that is too large is a 413, also without its length."""

    async def visit(session: t.Any, url: str) -> object:
        async def chunks() -> t.AsyncIterator[bytes]:
            yield b"x" * 101

        found = []
        for data in (b"x" * 100, b"x" * 101, chunks()):
            async with session.post(url, data=data) as answer:
                found.append(answer.status)
        return found

    found = serve(visit, route(whoami, method="POST"), client_max_size=100)
    assert found == [200, 413, 413]
