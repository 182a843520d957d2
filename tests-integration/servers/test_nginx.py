"""What ``buvar deploy nginx`` prints, in front of the tutorial's service."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import typing as t

from pathlib import Path

import pytest


SHORTLY = Path(__file__).resolve().parents[2] / "docs/tutorials/shortly/step6"
MAIN = """\
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/shortly.conf;
}}
"""


def test_nginx(
    *,
    start: t.Callable[..., t.Any],
    http: t.Callable[..., tuple[int, str]],
    free_port: t.Callable[[], int],
    eventually: t.Callable[[t.Callable[[], object]], None],
    tmp_path: Path,
) -> None:
    """Requests reach the workers, metrics stay inside, a reload loses none."""
    command = shutil.which("nginx")
    if command is None:
        pytest.skip("nginx is not installed")
    pytest.importorskip("aiosqlite")
    inside, outside = free_port(), free_port()
    run = sys.executable, "-m", "buvar.cli"
    words = (
        *("shortly.app", "-c", "shortly.toml", "--env-prefix", "APP"),
        *("--set", f"shortly.database={tmp_path}/links.db"),
        *("--set", f"aiohttp.port={inside}"),
        *("--forks", "2", "--bind", f"tcp://127.0.0.1:{inside}"),
    )
    printed = subprocess.run(
        [*run, "deploy", "nginx", *words],
        cwd=SHORTLY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    tmp_path.joinpath("shortly.conf").write_text(
        printed.replace("listen 80", f"listen 127.0.0.1:{outside}"), "utf-8"
    )
    main = tmp_path / "nginx.conf"
    main.write_text(MAIN.format(folder=tmp_path), "utf-8")
    service = start(
        *(*run, "run", *words), cwd=SHORTLY, env={"APP_SHORTLY_TOKEN": "open"}
    )
    service.until("workers are ready")
    start(command, "-p", str(tmp_path), "-c", str(main))

    def answers() -> bool:
        try:
            return http(outside, "/health/ready")[0] == 200
        except OSError:
            return False

    eventually(answers)
    assert http(outside, "/metrics")[0] == 404
    assert http(outside, "/links/nothing")[0] == 404

    service.popen.send_signal(signal.SIGHUP)
    while service.output.count("started, process") < 4:
        assert http(outside, "/links/nothing")[0] == 404
    assert service.stop() == 0
