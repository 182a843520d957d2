import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.parse
import urllib.request

import pytest


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


@pytest.fixture
def service(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "buvar.cli", "run", "shortly.app"]
    command += ["--forks", "2", "--bind", f"tcp://127.0.0.1:{port}"]
    command += ["--env-prefix", "APP"]
    metrics = tmp_path / "metrics"
    metrics.mkdir()
    environment = {
        **os.environ,
        "APP_SHORTLY_TOKEN": "secret",
        "APP_SHORTLY_DATABASE": str(tmp_path / "shortly.db"),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
    }
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        ready = "workers are ready"
        while (line := process.stderr.readline()) and ready not in line:
            pass
        assert line, "it has not started"
        yield process, f"http://127.0.0.1:{port}"
        process.kill()


def test_two_workers_lose_nothing(service, tmp_path):
    process, url = service
    request = urllib.request.Request(
        f"{url}/links",
        data=urllib.parse.urlencode({"target": "https://a.org"}).encode(),
        headers={"Authorization": "Bearer secret"},
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        assert response.status == 201

    with sqlite3.connect(tmp_path / "shortly.db") as database:
        [(code,)] = database.execute("SELECT code FROM links")
        opener = urllib.request.build_opener(NoRedirect)
        for _ in range(20):
            with pytest.raises(urllib.error.HTTPError, match="302"):
                opener.open(f"{url}/{code}", timeout=20)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)

        assert process.returncode == 0
        [(visits,)] = database.execute("SELECT visits FROM links")
        assert visits == 20
    database.close()
