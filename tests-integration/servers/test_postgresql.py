"""The guide to PostgreSQL, beside a real server."""

from __future__ import annotations

import json
import typing as t

from pathlib import Path

import pytest


pytest.importorskip("asyncpg")


def test_accounts(
    page: t.Callable[[str], Path],
    postgres: tuple[t.Any, str],
    buvar: t.Callable[..., t.Any],
    http: t.Callable[..., tuple[int, str]],
    free_port: t.Callable[[], int],
) -> None:
    """A request commits or rolls back as its handler ends."""
    page("postgresql.md")
    server, dsn = postgres
    service = buvar(
        *("accounts", "--env-prefix", "APP", "--forks", "2"),
        *("--bind", f"tcp://127.0.0.1:{(port := free_port())}"),
        env={"APP_POSTGRES_DSN": dsn},
    )
    service.until("workers are ready")

    assert http(port, "/accounts/ada", "POST")[0] == 201
    assert http(port, "/accounts/root", "POST")[0] == 403
    assert http(port, "/accounts/ada", "POST")[0] == 500
    assert json.loads(http(port, "/accounts")[1]) == ["ada"]

    assert service.stop() == 0
    assert "secret" not in service.output
    assert "FATAL" not in server.output
    # The pool says goodbye rather than hangs up.
    assert "unexpected EOF" not in server.output
