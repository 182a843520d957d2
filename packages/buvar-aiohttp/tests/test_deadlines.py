"""What is done for a request knows how much time there is, and ends."""

from __future__ import annotations

import asyncio
import typing as t

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import di
from buvar import plugin


ends: list[object] = []


async def forever(request: aiohttp.web.Request) -> aiohttp.web.Response:
    await asyncio.Event().wait()
    raise AssertionError


@buvar_aiohttp.deadline(0.2)
async def calling(request: aiohttp.web.Request) -> aiohttp.web.Response:
    """Ask, in a task of its own, a service that does not answer."""
    found = context.get(context.Deadline)
    assert 0 < found.remaining() <= 0.2
    url = request.url.with_path("/forever")

    async def call() -> None:
        try:
            await context.get(aiohttp.ClientSession).get(url)
        except BaseException as error:
            ends.append(error)
            raise

    await asyncio.shield(asyncio.create_task(call()))
    raise AssertionError


class View(aiohttp.web.View):
    @buvar_aiohttp.deadline(60)
    @di.inject
    async def get(
        self, request: aiohttp.web.Request
    ) -> aiohttp.web.StreamResponse:
        left = context.get(context.Deadline).remaining()
        return aiohttp.web.Response(text=str(left))


async def own(request: aiohttp.web.Request) -> aiohttp.web.Response:
    raise TimeoutError


async def prepare_routes(load: plugin.Loader) -> None:
    await load(buvar_aiohttp.prepare_app)
    router = context.get(aiohttp.web.Application).router
    router.add_get("/forever", forever)
    router.add_get("/calling", calling)
    router.add_view("/view", View)
    router.add_get("/own", buvar_aiohttp.deadline(60)(own))


def test_a_route_has_its_time(serve: t.Any) -> None:
    """The handler is cancelled, 503 is answered, and its calls end."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(f"{url}/calling") as response:
            status = response.status
            assert response.headers["Retry-After"]
        async with asyncio.timeout(60):
            while not ends:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)
        async with session.get(f"{url}/own") as response:
            return status, response.status

    ends.clear()
    assert serve(visit, prepare_routes, shutdown_timeout=0.1) == (503, 504)
    assert isinstance(ends.pop(), context.DeadlineError)


def test_the_service_has_less(serve: t.Any) -> None:
    """``request_timeout`` is a deadline too, which a route cannot exceed."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(f"{url}/view") as response:
            return float(await response.text())

    assert 0 < t.cast("float", serve(visit, prepare_routes)) <= 60
    left = serve(visit, prepare_routes, request_timeout=30)
    assert 0 < t.cast("float", left) <= 30


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_no_time_at_all(seconds: float) -> None:
    """A deadline has to leave some time."""
    with pytest.raises(ValueError, match="above 0"):
        buvar_aiohttp.deadline(seconds)
