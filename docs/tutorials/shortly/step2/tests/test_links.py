import pytest


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
