"""The command of the Dockerfile that ``buvar deploy docker`` prints."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing as t

from pathlib import Path

import pytest


SHORTLY = Path(__file__).resolve().parents[2] / "docs/tutorials/shortly/step6"


def test_entry_point(
    *,
    start: t.Callable[..., t.Any],
    http: t.Callable[..., tuple[int, str]],
    free_port: t.Callable[[], int],
    tmp_path: Path,
) -> None:
    """It serves with the copied configuration and a mounted secret."""
    pytest.importorskip("aiosqlite")
    port = free_port()
    words = (
        *("shortly.app", "-c", "shortly.toml", "--env-prefix", "APP"),
        *("--forks", "2", "--set", f"aiohttp.port={port}"),
    )
    printed = subprocess.run(
        [sys.executable, "-m", "buvar.cli", "deploy", "docker", *words],
        cwd=SHORTLY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"^ENTRYPOINT (.*)$", printed, re.MULTILINE)
    assert found
    command = [
        word.replace("/etc/shortly", str(SHORTLY)).replace(
            "/run/secrets/shortly", str(tmp_path / "secrets")
        )
        for word in json.loads(found[1])
    ]
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    secrets.joinpath("shortly_token").write_text("open-sesame")

    service = start(
        *(sys.executable, "-m", "buvar.cli", *command[1:]),
        env={"PYTHONPATH": str(SHORTLY)},
    )
    service.until(f"workers are ready on tcp://:{port}")

    assert http(port, "/health/live")[0] == 200
    assert service.stop() == 0
