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


@buvar_aiohttp.deadline(0.2)
async def going_on(request: aiohttp.web.Request) -> aiohttp.web.Response:
    """Ask a service that does not answer, when the time is over."""
    with pytest.raises(asyncio.CancelledError):
        await asyncio.Event().wait()
    url = request.url.with_path("/forever")
    await context.get(aiohttp.ClientSession).get(url)
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
    router.add_get("/going_on", going_on)
    router.add_view("/view", View)
    router.add_get("/own", buvar_aiohttp.deadline(60)(own))
    router.add_get("/stream", buvar_aiohttp.deadline(0.2)(stream))


def test_a_route_has_its_time(serve: t.Any) -> None:
    """The handler is cancelled, 503 is answered, and its calls end."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(f"{url}/calling") as response:
            status = response.status
            assert response.headers["Retry-After"]
        async with asyncio.timeout(60):
            while not ends:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)
        async with session.get(f"{url}/going_on") as response:
            assert response.status == status
        # It is too late for a status, so the response is cut off.
        async with session.get(f"{url}/stream") as response:
            with pytest.raises(aiohttp.ClientError):
                await response.read()
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
@pytest.mark.parametrize(
    "bound", [buvar_aiohttp.deadline, buvar_aiohttp.deadline_middleware]
)
def test_no_time_at_all(bound: t.Any, seconds: float) -> None:
    """A deadline has to leave some time."""
    with pytest.raises(ValueError, match="above 0"):
        bound(seconds)


# --- of applications -------------------------------------------------------


def app_of(*middlewares: t.Any, **seconds: float) -> aiohttp.web.Application:
    """Make an application, with routes that have a deadline of their own."""
    app = aiohttp.web.Application(middlewares=middlewares)
    app.router.add_get("/left", tell_left)
    app.router.add_get("/forever", hold)
    app.router.add_get("/own", own)
    app.router.add_get("/chat", chat)
    app.router.add_get("/stream", stream)
    for name, time in seconds.items():
        handler = buvar_aiohttp.deadline(time)(tell_left)
        app.router.add_get(f"/{name}", handler)
    return app


async def tell_left(request: aiohttp.web.Request) -> aiohttp.web.Response:
    deadline = context.get(context.Deadline, default=None)
    left = None if deadline is None else deadline.remaining()
    return aiohttp.web.json_response(left)


class Held:
    """Notes why the layer of a handler ended."""


async def hold(request: aiohttp.web.Request) -> aiohttp.web.Response:
    await di.nject(Held)
    await asyncio.Event().wait()
    raise AssertionError


async def chat(request: aiohttp.web.Request) -> aiohttp.web.WebSocketResponse:
    socket = aiohttp.web.WebSocketResponse()
    await socket.prepare(request)
    await asyncio.sleep(0.4)
    await socket.send_json(context.get(context.Deadline, default=None))
    await socket.close()
    return socket


async def stream(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
    """Send the head of a response, and no more."""
    response = aiohttp.web.StreamResponse()
    await response.prepare(request)
    await asyncio.Event().wait()
    raise AssertionError


@aiohttp.web.middleware
async def around(request: aiohttp.web.Request, handler: t.Any) -> t.Any:
    """Tell what there is left outside of an application, afterwards."""
    response = await handler(request)
    deadline = context.get(context.Deadline, default=None)
    response.headers["Around"] = str(deadline and deadline.timeout)
    return response


async def prepare_apps(load: plugin.Loader) -> None:
    await load(buvar_aiohttp.prepare_app)

    async def held() -> t.AsyncIterator[Held]:
        try:
            yield Held()
        except BaseException as error:
            ends.append(error)
            raise

    di.register(held, scope="layer")
    bound = buvar_aiohttp.deadline_middleware
    app = context.get(aiohttp.web.Application)
    app.router.add_get("/left", tell_left)
    app.add_subapp("/fast", app_of(around, bound(0.2)))
    app.add_subapp("/slow", app_of(around, bound(60), less=20, more=600))
    outer = app_of(around, bound(40))
    outer.add_subapp("/less", app_of(bound(20)))
    outer.add_subapp("/more", app_of(bound(600)))
    app.add_subapp("/outer", outer)


@pytest.mark.parametrize(
    ("path", "most", "around"),
    [
        ("/slow/left", 60, "None"),
        ("/slow/less", 20, "None"),
        ("/slow/more", 60, "None"),
        ("/outer/left", 40, "None"),
        ("/outer/less/left", 20, "None"),
        ("/outer/more/left", 40, "None"),
    ],
)
def test_the_nearest_deadline(
    serve: t.Any, path: str, most: float, around: str
) -> None:
    """That of the application and the route; no more than outer ones have."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(f"{url}/left") as response:
            assert await response.json() is None
        async with session.get(url + path) as response:
            assert response.headers["Around"] == around
            return await response.json()

    assert most / 2 < t.cast("float", serve(visit, prepare_apps)) <= most


def test_applications_have_less(serve: t.Any) -> None:
    """``request_timeout`` bounds them, and counts again around them."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(f"{url}/slow/left") as response:
            return response.headers["Around"], await response.json()

    around, left = t.cast(
        "tuple[str, float]", serve(visit, prepare_apps, request_timeout=30)
    )
    assert around == "30"
    assert 0 < left <= 30


def test_applications_are_bounded(serve: t.Any) -> None:
    """A handler is cancelled; its own time-outs and websockets are not."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        found: list[object] = []
        # That a client asks for a websocket does not make it one.
        for headers in ({}, {"Upgrade": "websocket"}):
            async with session.get(
                f"{url}/fast/forever", headers=headers
            ) as response:
                assert "longer than 0.2 s" in await response.text()
                found.append(response.status)
                assert response.headers["Retry-After"] == "1"
        async with session.get(f"{url}/fast/own") as response:
            found.append(response.status)
        async with session.ws_connect(f"{url}/fast/chat") as socket:
            found.append(await socket.receive_json())
        # It is too late for a status, so the response is cut off.
        async with session.get(f"{url}/fast/stream") as response:
            with pytest.raises(aiohttp.ClientError):
                await response.read()
        return found

    ends.clear()
    assert serve(visit, prepare_apps) == [503, 503, 504, None]
    assert [type(error) for error in ends] == [
        buvar_aiohttp.RequestTimeoutError
    ] * 2
    assert {error.seconds for error in ends} == {0.2}
