"""
The application of the test's stage, and a client of it.

The stage is that of buvar-pytest, so that the plugins of the marker are
prepared; the client and the server it asks are those of pytest-aiohttp.
"""

from __future__ import annotations

import typing as t

import pytest
import pytest_asyncio


if t.TYPE_CHECKING:
    import aiohttp.test_utils
    import aiohttp.web

    from buvar.components import Components
    from buvar.testing import Load

    Client: t.TypeAlias = aiohttp.test_utils.TestClient[t.Any, t.Any]
    MakeClient: t.TypeAlias = t.Callable[..., t.Awaitable[Client]]

_ELSEWHERE: t.Final = "_buvar_aiohttp_elsewhere"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Say who serves before any plugin is prepared, those of markers first."""
    names: list[str] = getattr(item, "fixturenames", [])
    if "buvar_aiohttp_app" in names:
        names.insert(0, _ELSEWHERE)


@pytest.fixture(name=_ELSEWHERE)
def buvar_aiohttp_elsewhere(buvar_context: Components) -> None:
    """Have the stage serve nothing: no port is bound, no route is final."""
    from buvar_aiohttp._server import ExternallyServed  # noqa: PLC0415

    buvar_context.add(ExternallyServed())


@pytest_asyncio.fixture
async def buvar_aiohttp_app(
    buvar_plugin_context: Components, buvar_load: Load
) -> aiohttp.web.Application:
    """Return the application, to which routes can be added still."""
    import aiohttp.web  # noqa: PLC0415

    await buvar_load("buvar_aiohttp:prepare_app")
    return buvar_plugin_context.get(aiohttp.web.Application)


@pytest_asyncio.fixture
async def buvar_aiohttp_client(
    buvar_aiohttp_app: aiohttp.web.Application, aiohttp_client: MakeClient
) -> Client:
    """Return a client of the application, which is served from now on."""
    return await aiohttp_client(buvar_aiohttp_app)
