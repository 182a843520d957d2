"""The numbers in the pages about deployment follow our time-outs."""

from __future__ import annotations

import inspect
import re

from pathlib import Path

from buvar import fork
from buvar_aiohttp import AioHttpConfig


HOW_TO = Path(__file__).resolve().parent.parent / "docs" / "how-to"


def default(name: str) -> float:
    return float(inspect.signature(fork.stage).parameters[name].default)


def number(page: str, pattern: str) -> float:
    match = re.search(pattern, (HOW_TO / page).read_text("utf-8"))
    assert match, pattern
    return float(match[1])


def test_kubernetes_waits_long_enough() -> None:
    """The grace period covers preStop, the workers' end and a margin."""
    grace = number("kubernetes.md", r"GracePeriodSeconds: (\d+)")
    before = number("kubernetes.md", r'"sleep", "(\d+)"')
    shown = number("kubernetes.md", r"the workers end \| (\d+)")

    assert shown == default("graceful_timeout")
    assert grace >= before + shown + 5
    assert default("graceful_timeout") * 0.8 > AioHttpConfig().shutdown_timeout


def test_kubernetes_gives_plugins_time() -> None:
    """The startup probe waits as long as the supervisor does."""
    period = number("kubernetes.md", r"periodSeconds: (\d+)\n.*failure")
    failures = number("kubernetes.md", r"failureThreshold: (\d+)")

    assert period * failures >= default("boot_timeout")


def test_docker_waits_long_enough() -> None:
    """The container is not killed before its workers have ended."""
    timeout = number("container.md", r"--stop-timeout (\d+)")

    assert timeout > default("graceful_timeout")


def test_nginx_closes_idle_connections_first() -> None:
    """The service keeps an idle connection longer than nginx does."""
    nginx = number("nginx.md", r"after (\d+) seconds")
    service = number("nginx.md", r"the service after (\d+)")

    assert service == AioHttpConfig().keepalive_timeout > nginx
