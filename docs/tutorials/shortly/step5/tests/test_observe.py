import pytest


pytestmark = pytest.mark.buvar_plugins("shortly.app")


async def test_it_is_ready(buvar_aiohttp_client):
    response = await buvar_aiohttp_client.get("/health/ready")

    assert response.status == 200


async def test_created_links_are_counted(buvar_aiohttp_client, authorized):
    for _ in range(2):
        await buvar_aiohttp_client.post(
            "/links",
            data={"target": "https://example.org"},
            headers=authorized,
        )

    response = await buvar_aiohttp_client.get("/metrics")

    assert "shortly_links_created_total 2.0" in await response.text()
