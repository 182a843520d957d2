"""Each request runs on a layer of the context, which ends with it."""

from __future__ import annotations

import asyncio
import threading
import typing as t

import aiohttp
import aiohttp.web
import pytest

from buvar import context
from buvar import di
from buvar_aiohttp import json


class Owned:
    """Something a request owns."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.closed = False


@pytest.fixture
def owned() -> list[Owned]:
    return []


@pytest.fixture
def own(owned):
    """Register what each request owns."""

    async def make() -> t.AsyncIterator[Owned]:
        one = Owned()
        owned.append(one)
        try:
            yield one
        except BaseException as error:
            one.error = error
            raise
        finally:
            one.closed = True

    async def prepare_own() -> None:
        di.register(make, scope="layer")

    return prepare_own


async def status(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as response:
        return response.status


def test_what_a_handler_asks_for(serve, route, own, owned) -> None:
    """What a handler is given lives as long as its request."""

    @di.inject
    async def handle(request: aiohttp.web.Request, one: Owned) -> t.Any:
        assert context.get(aiohttp.web.Request) is request
        assert await di.nject(Owned) is one
        return json.response({"closed": one.closed})

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        answers = []
        for _ in range(2):
            async with session.get(url) as response:
                answers.append(json.loads(await response.read()))
        return answers

    assert serve(visit, own, route(handle)) == [{"closed": False}] * 2
    assert [(one.closed, one.error) for one in owned] == [(True, None)] * 2


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("no luck"), 500),
        (aiohttp.web.HTTPConflict(), 409),
        (StopAsyncIteration(), 500),
    ],
)
def test_layers_end_with_the_error(
    serve, route, own, owned, *, caplog, error, expected
) -> None:
    """What a request owns is given the exception that ended it."""

    @di.inject
    async def handle(request: aiohttp.web.Request, one: Owned) -> t.Any:
        raise error

    assert serve(status, own, route(handle)) == expected
    assert owned[0].closed
    assert owned[0].error is error or owned[0].error.__cause__ is error
    assert ("Traceback" in caplog.text) == (expected == 500)


def test_what_fails_to_close(serve, route, caplog) -> None:
    """A failure to close what a request owns fails the request."""

    async def make() -> t.AsyncIterator[Owned]:
        yield Owned()
        raise RuntimeError("it is stuck")

    @di.inject
    async def handle(request: aiohttp.web.Request, one: Owned) -> t.Any:
        return aiohttp.web.Response()

    async def prepare_make() -> None:
        di.register(make, scope="layer")

    assert serve(status, prepare_make, route(handle)) == 500
    assert "it is stuck" in caplog.text


def test_the_request_is_injected(serve, route) -> None:
    """The request is a component, also if nobody looked before."""

    class Path(str):
        __slots__ = ()

    async def make(request: aiohttp.web.Request) -> Path:
        return Path(request.path)

    async def handle(request: aiohttp.web.Request) -> t.Any:
        return aiohttp.web.Response(text=await di.nject(Path))

    async def prepare_path() -> None:
        di.register(make)

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async with session.get(f"{url}/some/where") as response:
            return await response.text()

    plugins = (prepare_path, route(handle, "/some/where"))
    assert serve(visit, *plugins) == "/some/where"


def test_tasks_and_threads_see_the_request(serve, route) -> None:
    """Whoever works for a request sees it, whoever looks first."""
    barrier = threading.Barrier(2)

    def look() -> t.Any:
        barrier.wait()
        return context.get(aiohttp.web.Request)

    async def task() -> t.Any:
        return context.get(aiohttp.web.Request)

    async def handle(request: aiohttp.web.Request) -> t.Any:
        threads = [asyncio.to_thread(look) for _ in range(2)]
        found = [*await asyncio.gather(*threads, task()), await task()]
        assert found == [request] * 4
        return aiohttp.web.Response()

    assert serve(status, route(handle)) == 200


def test_requests_do_not_meet(serve, route) -> None:
    """What a request adds is gone with it, and no other one sees it."""

    async def handle(request: aiohttp.web.Request) -> t.Any:
        assert context.get(str, default=None) is None
        context.add(request.path)
        assert context.get(str) == request.path
        await asyncio.sleep(0)
        with pytest.raises(AttributeError):
            _ = context.current_context().nonsense
        return aiohttp.web.Response()

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        found = await asyncio.gather(*(status(session, url) for _ in "123"))
        return found, context.get(str, default=None)

    assert serve(visit, route(handle)) == ([200] * 3, None)


def test_nothing_is_built_for_a_request_that_is_over(
    serve, route, own, owned
) -> None:
    """A task that outlives its request cannot build what would stay open."""
    failed: list[BaseException] = []

    async def late(over: asyncio.Event) -> None:
        await over.wait()
        try:
            await di.nject(Owned)
        except context.LayerEndedError as error:
            failed.append(error)

    tasks: list[t.Any] = []
    overs: list[asyncio.Event] = []

    async def handle(request: aiohttp.web.Request) -> t.Any:
        overs.append(asyncio.Event())
        layer = context.current_context()
        # A task that shares the layer of its request.
        with context.child(None, layer):
            pass
        tasks.append(asyncio.ensure_future(late(overs[-1])))
        if "fail" in request.query:
            raise aiohttp.web.HTTPConflict
        return aiohttp.web.Response()

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        found = [await status(session, url + end) for end in ("", "?fail=1")]
        for over in overs:
            over.set()
        await asyncio.gather(*tasks)
        return found

    assert serve(visit, own, route(handle)) == [200, 409]
    assert len(failed) == 2


def test_a_client_that_leaves(serve, route, own, owned) -> None:
    """A handler goes on when its client is gone; its layer ends after it."""
    entered, gone = asyncio.Event(), asyncio.Event()

    @di.inject
    async def handle(request: aiohttp.web.Request, one: Owned) -> t.Any:
        entered.set()
        await gone.wait()
        return aiohttp.web.Response()

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await entered.wait()
        writer.transport.abort()
        gone.set()
        return "gone"

    assert serve(visit, own, route(handle)) == "gone"
    assert [(one.closed, one.error) for one in owned] == [(True, None)]
