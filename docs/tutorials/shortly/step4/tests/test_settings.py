import pytest

from buvar import config


@pytest.fixture
def buvar_config_source():
    return config.ConfigSource({"shortly": {}})


@pytest.mark.buvar_plugins
async def test_it_does_not_start_without_a_token(buvar_load):
    with pytest.raises(config.ConfigError, match=r"shortly\.token: missing"):
        await buvar_load("shortly.app")
