"""Checks of a service's health: bounded, cached, injected."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import typing as t

import aiohttp
import pytest

from buvar import context
from buvar import di
from buvar import plugin
from buvar_aiohttp import health
from buvar_aiohttp import management


HEALTH = "buvar_aiohttp.health"


@pytest.fixture(autouse=True)
def adapters() -> t.Iterator[None]:
    """Have a registry for this test only."""
    token = di.buvar_adapters.set(di.Adapters())
    yield
    di.buvar_adapters.reset(token)


class Database:
    """What a check asks for; kept as long as its layer."""

    def __init__(self) -> None:
        self.closed = False


def with_checks(*checks: tuple[t.Any, ...], **options: t.Any) -> t.Any:
    """Make a plugin that adds checks: name, function, options."""

    async def prepare() -> None:
        for name, function, *rest in checks:
            health.add_check(name, function, **options, **dict(*rest))

    return prepare


async def ask(
    session: aiohttp.ClientSession, url: str, name: str = "ready"
) -> tuple[int, t.Any]:
    async with session.get(f"{url}/health/{name}") as response:
        return response.status, await response.json()


async def fine() -> None:
    return


async def broken() -> None:
    msg = "postgres://user:hunter2@host"
    raise ConnectionError(msg)


async def endless() -> None:
    await asyncio.Event().wait()


async def untrue() -> bool:
    return False


def test_each_check_is_told(
    serve: t.Any, caplog: pytest.LogCaptureFixture
) -> None:
    """What is critical makes it fail; a secret in an error is not told."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        return [
            await ask(session, url, name)
            for name in ("live", "ready", "ready", "startup")
        ]

    plugins = with_checks(
        ("fine", fine),
        ("broken", broken),
        ("endless", endless, {"timeout": 0.05}),
        ("untrue", untrue, {"critical": False}),
        cache=60,
    )
    answers = serve(visit, plugins, HEALTH, health_details=True)
    live, ready, again, startup = t.cast("t.Any", answers)
    assert live == (200, {"status": "live"})
    assert ready == again
    status, body = ready
    assert (status, body["status"]) == (503, "failing")
    assert startup[0] == 503
    assert startup[1]["status"] == "starting"
    for check in body["checks"].values():
        assert check.pop("seconds") >= 0
    assert body["checks"] == {
        "fine": {"status": "ok", "critical": True},
        "broken": {
            "status": "failed",
            "critical": True,
            "error": "ConnectionError",
        },
        "endless": {
            "status": "timeout",
            "critical": True,
            "error": "TimeoutError",
        },
        "untrue": {"status": "failed", "critical": False},
    }
    told = [r for r in caplog.records if "has not passed" in r.getMessage()]
    assert sorted(r.__dict__["check"] for r in told) == [
        "broken",
        "endless",
        "untrue",
    ]


def test_details_are_not_for_everybody(serve: t.Any) -> None:
    """Without the setting only the whole is told."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        return await ask(session, url)

    checks = with_checks(("broken", broken), ("fine", fine))
    assert serve(visit, checks, HEALTH) == (503, {"status": "failing"})
    optional = with_checks(("broken", broken, {"critical": False}))
    assert serve(visit, optional, HEALTH) == (200, {"status": "ready"})


def test_details_on_the_management_listener(serve: t.Any) -> None:
    """Operators are told of each check, and the public of none."""

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        port = context.get(management.Management).address[1]
        async with session.get(f"{url}/health/ready") as response:
            assert response.status == 404
        return await ask(session, f"http://127.0.0.1:{port}")

    checks = with_checks(("fine", fine))
    status, body = t.cast(
        "t.Any", serve(visit, checks, HEALTH, management="tcp://127.0.0.1:0")
    )
    assert status == 200
    assert body["checks"]["fine"]["status"] == "ok"


def test_a_service_starts_and_recovers(
    serve: t.Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It has started once its checks have passed, whatever comes later."""
    caplog.set_level(logging.INFO)
    works = False

    async def sometimes() -> bool:
        return works

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        nonlocal works
        found = []
        for now in (False, True, False):
            works = now
            for name in ("startup", "ready"):
                answer = await ask(session, url, name)
                found += [answer[1]["status"]]
        context.get(plugin.Cancel).set()
        found.append((await ask(session, url))[1]["status"])
        return found

    checks = with_checks(("sometimes", sometimes), cache=0)
    assert serve(visit, checks, HEALTH) == [
        "starting",
        "failing",
        "started",
        "ready",
        "started",
        "failing",
        "stopping",
    ]
    texts = [record.getMessage() for record in caplog.records]
    assert sum("passes again" in text for text in texts) == 1
    assert sum("has not passed" in text for text in texts) == 2


def test_checks_run_at_once_and_once_for_all(serve: t.Any) -> None:
    """Checks wait for each other's start here; probes share one run."""
    calls = 0
    both = asyncio.Barrier(2)

    async def meet() -> None:
        nonlocal calls
        calls += 1
        await both.wait()

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        probes = [ask(session, url) for _ in range(5)]
        return {status for status, _ in await asyncio.gather(*probes)}

    checks = with_checks(("a", meet), ("b", meet), cache=60, timeout=60)
    assert serve(visit, checks, HEALTH) == {200}
    assert calls == 2


def test_a_check_that_does_not_end(
    serve: t.Any, caplog: pytest.LogCaptureFixture
) -> None:
    """One that ignores its time-out holds nobody up, and runs once only."""
    free = asyncio.Event()
    calls = 0

    async def hang() -> None:
        nonlocal calls
        calls += 1
        while not free.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await free.wait()

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        found = [await ask(session, url) for _ in range(2)]
        free.set()
        async with asyncio.timeout(60):
            while (answer := await ask(session, url))[0] != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return [status for status, _ in (*found, answer)]

    checks = with_checks(("hang", hang), cache=0, timeout=0.05)
    assert serve(visit, checks, HEALTH) == [503, 503, 200]
    assert calls == 2
    texts = [record.getMessage() for record in caplog.records]
    assert sum("it took too long" in text for text in texts) == 1


def test_a_check_that_hangs_at_the_end(
    serve: t.Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It does not keep the service from its end, and is named."""
    free = asyncio.Event()

    async def hang() -> None:
        while not free.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await free.wait()

    async def last(teardown: plugin.Teardown) -> None:
        teardown.add(free.set)

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        return (await ask(session, url))[0]

    checks = with_checks(("hang", hang), timeout=0.05)
    assert serve(visit, last, checks, HEALTH) == 503
    texts = [record.getMessage() for record in caplog.records]
    assert "The check 'hang' goes on although it was cancelled." in texts


def test_a_check_that_is_cancelled(serve: t.Any) -> None:
    """What a check cancels itself is a failure of it, not of the probe."""

    async def fail() -> None:
        raise asyncio.CancelledError

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        status, answer = await ask(session, url)
        return status, answer["checks"]["fail"]["error"]

    checks = with_checks(("fail", fail))
    assert serve(visit, checks, HEALTH, health_details=True) == (
        503,
        "CancelledError",
    )


def test_parameters_are_injected(serve: t.Any) -> None:
    """Each run of a check has a layer of its own, which ends with it."""
    seen: list[Database] = []

    async def connect() -> t.AsyncIterator[Database]:
        database = Database()
        yield database
        database.closed = True

    async def ping(database: Database) -> None:
        assert not database.closed
        seen.append(database)

    async def register() -> None:
        di.register(connect, scope="layer")

    async def visit(session: aiohttp.ClientSession, url: str) -> object:
        return [(await ask(session, url))[0] for _ in range(2)]

    checks = with_checks(("database", ping), cache=0)
    assert serve(visit, register, checks, HEALTH) == [200, 200]
    assert len(set(map(id, seen))) == 2
    assert all(database.closed for database in seen)


def test_what_cannot_be_injected() -> None:
    """``buvar check`` names the check's function, and its file."""

    async def ping(missing: Database) -> None:
        raise AssertionError

    with context.child(), pytest.raises(BaseExceptionGroup) as info:
        plugin.check(
            HEALTH,
            with_checks(("database", ping)),
            look=lambda: di.check(),  # noqa: PLW0108 - of this registry
        )
    (error,) = info.value.exceptions
    assert "ping" in str(error)
    assert __file__ in str(error)


@pytest.mark.parametrize("options", [{"timeout": 0}, {"cache": -1}])
def test_times_that_make_no_sense(options: dict[str, float]) -> None:
    """A check needs time, and cannot be kept for less than none."""
    with pytest.raises(ValueError, match="is a number of seconds"):
        health.Check("a", fine, **t.cast("t.Any", options))
