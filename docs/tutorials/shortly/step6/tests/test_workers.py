import json
import sqlite3
import urllib.parse
import urllib.request

import pytest


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


@pytest.fixture
def service(buvar_service, tmp_path):
    metrics = tmp_path / "metrics"
    metrics.mkdir()
    settings = {"token": "secret", "database": str(tmp_path / "shortly.db")}
    return buvar_service(
        "shortly.app",
        forks=2,
        config={"shortly": settings},
        env={"PROMETHEUS_MULTIPROC_DIR": str(metrics)},
    )


def create(url):
    request = urllib.request.Request(
        f"{url}/links",
        data=urllib.parse.urlencode({"target": "https://a.org"}).encode(),
        headers={"Authorization": "Bearer secret"},
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)["code"]


def follow(url):
    opener = urllib.request.build_opener(NoRedirect)
    with pytest.raises(urllib.error.HTTPError, match="302") as caught:
        opener.open(url, timeout=20)
    caught.value.close()


def test_two_workers_lose_nothing(service, tmp_path):
    code = create(service.url)
    for _ in range(10):
        follow(f"{service.url}/{code}")
    service.reload()
    for _ in range(10):
        follow(f"{service.url}/{code}")

    assert service.stop() == 0

    database = sqlite3.connect(tmp_path / "shortly.db")
    assert database.execute("SELECT visits FROM links").fetchall() == [(20,)]
    database.close()
