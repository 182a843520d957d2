"""The guide to durable jobs, beside a real server."""

from __future__ import annotations

import os
import signal
import typing as t

from pathlib import Path

import pytest


pytest.importorskip("taskiq_redis")


@pytest.fixture
def shop(
    page: t.Callable[[str], Path],
    redis: t.Callable[[int], t.Any],
    free_port: t.Callable[[], int],
) -> tuple[Path, dict[str, str]]:
    """Write the programs of the guide; return their folder and settings."""
    folder = page("durable-jobs.md")
    folder.joinpath("shop/__init__.py").touch()
    redis(database := free_port())
    return folder, {
        "APP_QUEUE_URL": f"redis://127.0.0.1:{database}/0",
        "APP_QUEUE_LONGEST": "2s",
    }


def test_killed_in_the_middle(
    *,
    shop: tuple[Path, dict[str, str]],
    buvar: t.Callable[..., t.Any],
    http: t.Callable[..., tuple[int, str]],
    free_port: t.Callable[[], int],
    eventually: t.Callable[[t.Callable[[], object]], None],
) -> None:
    """A job whose worker is killed runs again, on a layer of its own."""
    folder, env = shop
    log = folder / "receipts.log"
    workers = buvar(
        *("shop.worker", "--env-prefix", "APP", "--forks", "2"), env=env
    )
    web = buvar(
        *("shop.web", "--env-prefix", "APP"),
        *("--bind", f"tcp://127.0.0.1:{(port := free_port())}"),
        env=env,
    )
    workers.until("workers are ready")
    web.until("ready")

    assert http(port, "/orders/7", "POST")[0] == 202
    eventually(lambda: log.exists() and "sending" in log.read_text())
    first = int(log.read_text().split()[0])
    os.kill(first, signal.SIGKILL)
    # As often as it takes longer than is allowed, it is delivered again.
    eventually(lambda: log.read_text().count("sending") >= 2)
    folder.joinpath("printer").touch()
    eventually(lambda: "committed" in log.read_text())

    lines = log.read_text().splitlines()
    assert f"{first} sent 7" not in lines
    assert any(line.endswith(" sent 7") for line in lines)
    assert web.stop() == 0
    assert workers.stop() == 0
    assert workers.output.count("started, process") == 3


def test_stopped_in_the_middle(
    *,
    shop: tuple[Path, dict[str, str]],
    buvar: t.Callable[..., t.Any],
    http: t.Callable[..., tuple[int, str]],
    free_port: t.Callable[[], int],
    eventually: t.Callable[[t.Callable[[], object]], None],
) -> None:
    """A job that the end of the service cuts off is rolled back, not lost."""
    folder, env = shop
    log = folder / "receipts.log"
    words = "shop.worker", "shop.web", "--env-prefix", "APP"
    address = f"tcp://127.0.0.1:{(port := free_port())}"
    service = buvar(*words, "--bind", address, env=env)
    eventually(lambda: "ready" in service.output.lower())
    assert http(port, "/orders/8", "POST")[0] == 202
    eventually(lambda: log.exists() and "sending 8" in log.read_text())

    service.popen.send_signal(signal.SIGINT)
    service.until("topping")
    service.popen.send_signal(signal.SIGINT)
    service.popen.wait(30)
    assert "rolled back" in log.read_text()

    folder.joinpath("printer").touch()
    buvar(*words, "--bind", address, env=env)
    eventually(lambda: "sent 8" in log.read_text())
