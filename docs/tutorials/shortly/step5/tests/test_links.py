import pytest

from shortly.links import Links

from buvar import context
from buvar import di
from buvar import plugin


pytestmark = pytest.mark.buvar_plugins("shortly.app")
TARGET = "https://example.org/a/long/path"


@pytest.fixture
def create(buvar_aiohttp_client, authorized):
    async def create(target=TARGET):
        async with buvar_aiohttp_client.post(
            "/links", data={"target": target}, headers=authorized
        ) as response:
            assert response.status == 201
            return (await response.json())["code"]

    return create


async def test_a_link_leads_to_its_target(buvar_aiohttp_client, create):
    code = await create()

    response = await buvar_aiohttp_client.get(
        f"/{code}", allow_redirects=False
    )

    assert response.status == 302
    assert response.headers["Location"] == TARGET


async def test_an_unknown_code_is_not_found(buvar_aiohttp_client):
    assert (await buvar_aiohttp_client.get("/nowhere")).status == 404
    assert (await buvar_aiohttp_client.get("/links/nowhere")).status == 404


async def test_creating_takes_the_token(buvar_aiohttp_client):
    response = await buvar_aiohttp_client.post(
        "/links", data={"target": TARGET}
    )

    assert response.status == 401


async def test_a_target_is_a_url(buvar_aiohttp_client, authorized):
    response = await buvar_aiohttp_client.post(
        "/links", data={"target": "javascript:"}, headers=authorized
    )

    assert response.status == 400


async def test_a_failed_transaction_is_rolled_back(buvar_aiohttp_app):
    with pytest.raises(ValueError, match="on purpose"):
        async with context.child():
            links = await di.nject(Links)
            code = await links.add(TARGET)
            raise ValueError("on purpose")

    async with context.child():
        links = await di.nject(Links)
        assert await links.find(code) is None


async def test_visits_are_counted(buvar_aiohttp_client, create):
    code = await create()
    for _ in range(3):
        await buvar_aiohttp_client.get(f"/{code}", allow_redirects=False)
    await context.get(plugin.Jobs).join()

    response = await buvar_aiohttp_client.get(f"/links/{code}")

    assert await response.json() == {"code": code, "visits": 3}
