"""What an application calls is known to a check of what is injected."""

from __future__ import annotations

import typing as t

import aiohttp.web
import pytest

import buvar_aiohttp

from buvar import context
from buvar import di
from buvar import plugin


@pytest.fixture(autouse=True)
def adapters() -> t.Iterator[None]:
    """Have a registry for this test only."""
    token = di.buvar_adapters.set(di.Adapters())
    yield
    di.buvar_adapters.reset(token)


class Missing:
    """What nobody can build."""


@di.inject
async def handle(request: aiohttp.web.Request, missing: Missing) -> t.Any:
    raise AssertionError


@aiohttp.web.middleware
@di.inject
async def around(request: t.Any, handler: t.Any, missing: Missing) -> t.Any:
    raise AssertionError


class View(aiohttp.web.View):
    @di.inject
    async def get(self, missing: Missing) -> t.Any:
        raise AssertionError


def add_handler(app: aiohttp.web.Application) -> None:
    app.router.add_get("/", handle)


def add_view(app: aiohttp.web.Application) -> None:
    app.router.add_view("/", View)


def add_middleware(app: aiohttp.web.Application) -> None:
    app.middlewares.append(around)


def add_below(app: aiohttp.web.Application) -> None:
    sub = aiohttp.web.Application(middlewares=[around])
    app.add_subapp("/sub", sub)


@pytest.mark.parametrize(
    ("add", "name"),
    [
        (add_handler, "handle"),
        (add_view, "View.get"),
        (add_middleware, "around"),
        (add_below, "around"),
    ],
)
def test_what_cannot_be_injected(add: t.Any, name: str) -> None:
    """A check names the function, its file, and what is missing."""

    async def prepare(load: plugin.Loader) -> None:
        await load(buvar_aiohttp.prepare_app)
        add(context.get(aiohttp.web.Application))

    with context.child(), pytest.raises(BaseExceptionGroup) as info:
        plugin.check(prepare, look=di.check)

    text = "".join(str(failure) for failure in info.value.exceptions)
    assert name in text
    assert __file__ in text
    assert "missing: " in text


def test_the_request_is_there() -> None:
    """What needs the request of a layer can be built."""

    class User:
        pass

    async def user(request: aiohttp.web.Request) -> User:
        raise AssertionError

    @di.inject
    async def show(request: aiohttp.web.Request, user: User) -> t.Any:
        raise AssertionError

    async def prepare(load: plugin.Loader) -> None:
        await load(buvar_aiohttp.prepare_app)
        di.register(user, scope="layer")
        context.get(aiohttp.web.Application).router.add_get("/", show)

    with context.child():
        plugin.check(prepare, look=di.check)
