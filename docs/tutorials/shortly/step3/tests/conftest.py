import pytest

from buvar import config


TOKEN = "a token for tests"


@pytest.fixture
def buvar_config_source(tmp_path):
    settings = {"token": TOKEN, "database": str(tmp_path / "test.db")}
    return config.ConfigSource({"shortly": settings})


@pytest.fixture
def authorized():
    return {"Authorization": f"Bearer {TOKEN}"}
