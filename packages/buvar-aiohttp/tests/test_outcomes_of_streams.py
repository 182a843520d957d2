"""What a handler built ends after the last byte of a body or stream."""

from __future__ import annotations

import asyncio
import typing as t

from pathlib import Path

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import di


web = aiohttp.web
TIMEOUT = 20.0  # seconds, a bound and no expectation


class Session:
    """What is committed or rolled back."""

    closed = False


@pytest.fixture
def sessions(ends):
    """Register sessions that live as long as the layer."""

    async def make() -> t.AsyncIterator[Session]:
        session = Session()
        try:
            yield session
        except BaseException as error:
            ends.append(error)
            raise
        else:
            ends.append(None)
        finally:
            session.closed = True

    async def prepare_sessions() -> None:
        di.register(make, scope="layer")

    return prepare_sessions


async def ask(session: aiohttp.ClientSession, url: str) -> t.Any:
    async with session.get(url, allow_redirects=False) as response:
        return response.status


async def read(session: aiohttp.ClientSession, url: str) -> t.Any:
    async with session.get(url) as response:
        return await response.read()


@pytest.mark.parametrize("around", [False, True])
def test_a_body_that_is_made_while_it_is_sent(
    serve, route, sessions, middleware, ends, *, around
) -> None:
    """The layer ends after the last byte, and the body can use it."""

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        async def body() -> t.AsyncIterator[bytes]:
            for _ in range(3):
                await asyncio.sleep(0)
                assert await di.nject(Session) is session
                yield b"open " if not session.closed else b"closed "

        return web.Response(body=body())

    async def keep(request: web.Request, handler: t.Any) -> t.Any:
        response = await handler(request)
        assert ends == []
        response.headers["X-Kept"] = "yes"
        return response

    plugins = [middleware(keep)] if around else []

    assert serve(read, sessions, route(handle), *plugins) == b"open open open "
    assert ends == [None]


def test_a_file_that_ends_with_the_layer(
    serve, route, middleware, tmp_path: Path
) -> None:
    """A file is sent before the layer ends that owns it."""
    path = tmp_path / "report.txt"

    class Report:
        pass

    async def make() -> t.AsyncIterator[Report]:
        path.write_text("report")
        yield Report()
        path.unlink()

    async def prepare_report() -> None:
        di.register(make, scope="layer")

    @di.inject
    async def handle(request: web.Request, report: Report) -> t.Any:
        return web.FileResponse(path)

    for plugins in ((), (middleware(keep_on),)):
        found = serve(read, prepare_report, route(handle), *plugins)
        assert found == b"report"
        assert not path.exists()


async def keep_on(request: t.Any, handler: t.Any) -> t.Any:
    return await handler(request)


def test_a_body_that_fails(serve, route, sessions, ends, caplog) -> None:
    """A body that fails cuts the connection, and is thrown in."""

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        async def body() -> t.AsyncIterator[bytes]:
            yield b"x" * 100_000
            raise ValueError("no more")

        return web.Response(body=body())

    async def visit(session: aiohttp.ClientSession, url: str) -> t.Any:
        with pytest.raises(aiohttp.ClientPayloadError):
            await read(session, url)

    serve(visit, sessions, route(handle))

    assert [type(end) for end in ends] == [ValueError]
    assert "was cut off" in caplog.text
    assert "no more" in caplog.text


def test_a_commit_that_fails_after_the_body(serve, route, caplog) -> None:
    """Where the body was sent, a failure to commit cuts the connection."""

    async def make() -> t.AsyncIterator[Session]:
        yield Session()
        raise RuntimeError("commit failed")

    async def prepare_make() -> None:
        di.register(make, scope="layer")

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        async def body() -> t.AsyncIterator[bytes]:
            yield b"all of it"

        return web.Response(body=body())

    assert serve(read, prepare_make, route(handle)) == b"all of it"
    assert "commit failed" in caplog.text


@pytest.mark.parametrize("written", [False, True])
def test_a_client_that_leaves_a_stream(
    serve, route, sessions, ends, *, written, caplog
) -> None:
    """A client that leaves in the middle is thrown in, once."""

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        async def body() -> t.AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0)
                yield b"x" * 100_000

        if not written:
            return web.Response(body=body())
        response = web.StreamResponse()
        await response.prepare(request)
        async for chunk in body():
            await response.write(chunk)
        return response

    async def visit(session: aiohttp.ClientSession, url: str) -> t.Any:
        async with asyncio.timeout(TIMEOUT):
            async with session.get(url) as response:
                await response.content.readexactly(10)
                response.close()
            while not ends:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.01)

    serve(visit, sessions, route(handle))

    assert len(ends) == 1
    assert isinstance(ends[0], ConnectionError)
    assert "was cut off" not in caplog.text


def test_a_written_stream_ends_before_its_last_chunk(
    serve, route, sessions, ends
) -> None:
    """Of what a handler has written itself a failed commit is no success."""

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        await response.write(b"sorry")
        return response

    assert serve(read, sessions, route(handle)) == b"sorry"
    assert [type(end) for end in ends] == [buvar_aiohttp.ResponseStatusError]


def test_a_stream_that_a_middleware_replaces(
    serve, route, sessions, middleware, ends
) -> None:
    """A body that is never sent ends with what was sent in its place."""

    @di.inject
    async def handle(request: web.Request, session: Session) -> t.Any:
        async def body() -> t.AsyncIterator[bytes]:
            yield b"never"

        return web.Response(body=body())

    async def replace(request: web.Request, handler: t.Any) -> t.Any:
        await handler(request)
        return web.Response(status=418)

    plugins = (sessions, route(handle), middleware(replace))

    assert serve(ask, *plugins) == 418
    assert [type(end) for end in ends] == [buvar_aiohttp.ResponseStatusError]
