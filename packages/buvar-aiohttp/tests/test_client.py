"""Client sessions by name, and calls that end with their request."""

from __future__ import annotations

import asyncio
import pathlib
import ssl
import typing as t

import aiohttp
import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import config
from buvar import context
from buvar import di
from buvar import plugin
from buvar_aiohttp import ClientConfig


PEM = pathlib.Path(__file__).with_name("localhost.pem")


class Api:
    """What asks a service, by the session that has its name."""

    def __init__(
        self,
        session: t.Annotated[aiohttp.ClientSession, di.Named("github")],
        other: aiohttp.ClientSession,
    ) -> None:
        self.session = session
        self.other = other


async def echo(request: aiohttp.web.Request) -> aiohttp.web.Response:
    return aiohttp.web.json_response(
        {"path": request.path, "token": request.headers.get("Authorization")}
    )


def test_sessions_by_name(serve: t.Any, route: t.Any) -> None:
    """A section makes a session, which is injected by its name."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        settings = buvar_aiohttp.AioHttpConfig(
            client={
                "github": ClientConfig(
                    base_url=f"{url}/api",
                    headers={"Authorization": "token"},
                    total_timeout=60,
                    connect_timeout=50,
                    limit=3,
                )
            }
        )

        async def use() -> t.Any:
            api = await di.nject(Api)
            assert api.other is not api.session
            timeout = api.session.timeout
            assert (timeout.total, timeout.connect) == (60, 50)
            assert isinstance(api.session.connector, aiohttp.TCPConnector)
            assert api.session.connector.limit == 3
            async with api.session.get("users/1") as response:
                return await response.json(), api

        async def prepare(load: plugin.Loader) -> t.AsyncIterator[t.Any]:
            context.add(settings)
            di.register(Api)
            await load(buvar_aiohttp.prepare_client_session)
            yield use()

        token = di.buvar_adapters.set(di.Adapters())
        try:
            with context.child():
                async with plugin.Stage(prepare) as stage:
                    await stage.wait()
        finally:
            di.buvar_adapters.reset(token)
        (found,) = stage.results
        return found

    body, api = serve(visit, route(echo, "/{path:.*}"))
    assert body == {"path": "/api/users/1", "token": "token"}
    assert api.session.closed
    assert api.other.closed


def test_settings_come_from_the_configuration() -> None:
    """``aiohttp.client.<name>`` is read as any other section."""
    source = config.ConfigSource(
        {
            "aiohttp": {
                "client": {
                    "github": {
                        "base_url": "https://api.github.com",
                        "headers": {"Authorization": "hunter2"},
                    },
                    "default": {"total_timeout": 7},
                }
            }
        }
    )

    async def use() -> object:
        default = context.get(aiohttp.ClientSession)
        github = context.get(aiohttp.ClientSession, name="github")
        return default.timeout.total, github.timeout

    async def prepare(load: plugin.Loader) -> t.AsyncIterator[t.Any]:
        context.add(source)
        await load(buvar_aiohttp.prepare_client_session)
        yield use()

    with context.child():
        (found,) = plugin.stage(prepare)
    assert found == (
        7,
        aiohttp.ClientTimeout(total=30, connect=5, sock_connect=5),
    )
    assert "hunter2" not in str(source.explain())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("total_timeout", -1),
        ("base_url", "api.github.com"),
        ("base_url", "ftp://api.github.com"),
        ("base_url", "https:///v1"),
        ("headers", {"Key": "hunter2\nHost: evil.example"}),
        ("headers", {"Key:": "hunter2"}),
        ("unknown", 1),
    ],
)
def test_settings_that_make_no_sense(key: str, value: object) -> None:
    """The error names section and field, and shows no secret."""
    source = config.ConfigSource(
        {"aiohttp": {"client": {"hub": {key: value}}}}
    )
    with pytest.raises(config.ConfigError) as info:
        source.load(buvar_aiohttp.AioHttpConfig)
    assert f"aiohttp.client.hub.{key}" in str(info.value)
    assert "hunter2" not in str(info.value)


def test_tls_of_a_session(serve: t.Any) -> None:
    """A session trusts the CA that its section names, and shows itself."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        base = url.replace("http:", "https:").replace("127.0.0.1", "localhost")
        settings = {
            "mine": ClientConfig(
                base_url=base, tls_ca=str(PEM), tls_cert=str(PEM)
            ),
            "bare": ClientConfig(base_url=base, tls_ca=str(PEM)),
            "default": ClientConfig(base_url=base),
        }
        found: dict[str, object] = {}

        async def prepare(
            load: plugin.Loader,
        ) -> t.AsyncIterator[t.Any]:
            context.add(buvar_aiohttp.AioHttpConfig(client=settings))
            await load(buvar_aiohttp.prepare_client_session)
            yield use()

        async def use() -> None:
            for name in settings:
                asked = context.get(
                    aiohttp.ClientSession,
                    name=None if name == "default" else name,
                )
                try:
                    async with asked.get("/health/live") as response:
                        found[name] = response.status
                except aiohttp.ClientConnectorCertificateError:
                    found[name] = "not trusted"
                except (aiohttp.ClientError, ssl.SSLError):
                    found[name] = "refused"

        with context.child():
            async with plugin.Stage(prepare) as stage:
                await stage.wait()
        return found

    assert serve(
        visit,
        "buvar_aiohttp.health",
        tls_cert=str(PEM),
        tls_client_ca=str(PEM),
    ) == {"mine": 200, "bare": "refused", "default": "not trusted"}


def test_files_of_tls_that_are_missing(tmp_path: pathlib.Path) -> None:
    """The error names the file and the section of the session."""

    async def prepare(load: plugin.Loader) -> None:
        context.add(
            buvar_aiohttp.AioHttpConfig(
                client={"a": ClientConfig(tls_ca=str(tmp_path / "no.pem"))}
            )
        )
        await load(buvar_aiohttp.prepare_client_session)

    with context.child(), pytest.raises(ExceptionGroup) as info:
        plugin.stage(prepare)
    (failure,) = plugin.failures(info.value)
    assert isinstance(failure.error, buvar_aiohttp.CertificateError)
    assert "no.pem" in str(failure.error)
    assert "'aiohttp.client.a'" in str(failure.error)


@pytest.fixture
def slow() -> t.Any:
    """Make a plugin of a service that answers, or goes on, never."""

    async def head(request: aiohttp.web.Request) -> aiohttp.web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def body(request: aiohttp.web.Request) -> t.Any:
        response = aiohttp.web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begin")
        await asyncio.Event().wait()
        raise AssertionError

    async def prepare(load: plugin.Loader) -> None:
        await load(buvar_aiohttp.prepare_app)
        router = context.get(aiohttp.web.Application).router
        router.add_get("/head", head)
        router.add_get("/body", body)
        router.add_get("/quick", echo)

    return prepare


@pytest.mark.parametrize("path", ["head", "body"])
@pytest.mark.parametrize("own_task", [False, True])
def test_a_slow_call_ends_with_its_request(
    serve: t.Any, slow: t.Any, path: str, own_task: bool
) -> None:
    """What is left of the time of a block bounds the calls made in it."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async def call() -> bytes:
            async with session.get(f"{url}/{path}") as response:
                return await response.read()

        ended: asyncio.Task[bytes] | None = None
        with pytest.raises(context.DeadlineError):  # noqa: PT012
            async with context.child(timeout=0.3):
                async with session.get(f"{url}/quick") as response:
                    assert response.status == 200
                if own_task:
                    ended = asyncio.create_task(call())
                    await asyncio.shield(ended)
                else:
                    await call()
        if ended is not None:
            with pytest.raises(context.DeadlineError):
                await ended
        async with session.get(f"{url}/quick") as response:
            return response.status

    assert serve(visit, slow, shutdown_timeout=0.1) == 200


def test_its_own_time_counts_too(serve: t.Any, slow: t.Any) -> None:
    """A time-out of the call itself is told as such."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        async def call() -> None:
            timeout = aiohttp.ClientTimeout(total=0.1)
            await session.get(f"{url}/head", timeout=timeout)

        async with context.child(timeout=120):
            task = asyncio.create_task(call())
            with pytest.raises(TimeoutError) as info:
                await task
        return isinstance(info.value, context.DeadlineError)

    assert serve(visit, slow, shutdown_timeout=0.1) is False
