import pytest

from buvar import config


TOKEN = "a token for tests"


@pytest.fixture
def buvar_config_source():
    return config.ConfigSource({"shortly": {"token": TOKEN}})


@pytest.fixture
def authorized():
    return {"Authorization": f"Bearer {TOKEN}"}
