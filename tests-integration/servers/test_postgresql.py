"""The guide to PostgreSQL, beside a real server."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t

from pathlib import Path

import pytest


pytest.importorskip("asyncpg")

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"


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


PSYCOPG = """

import asyncio
import sys

from buvar import config, context, di


async def main():
    async with context.child():
        connection = await di.nject(psycopg.AsyncConnection)
        await connection.execute("CREATE TABLE names (name text)")
        await connection.execute("INSERT INTO names VALUES (%s)", ["ada"])
    try:
        async with context.child():
            connection = await di.nject(psycopg.AsyncConnection)
            await connection.execute("INSERT INTO names VALUES ('root')")
            raise KeyError
    except KeyError:
        pass
    async with context.child():
        connection = await di.nject(psycopg.AsyncConnection)
        cursor = await connection.execute("SELECT name FROM names")
        print(await cursor.fetchall())


async def prepare():
    context.add(PostgresConfig(dsn=config.Secret(sys.argv[1])))
    di.register(open_pool, scope="stage")
    di.register(connect, scope="layer")
    yield main()


from buvar import plugin

plugin.stage(prepare)
"""


def test_psycopg(
    page: t.Callable[[str], Path], postgres: tuple[t.Any, str]
) -> None:
    """The adapters for psycopg commit and roll back as well."""
    pytest.importorskip("psycopg_pool")
    try:
        import psycopg  # noqa: F401 - it may lack its C library
    except ImportError as error:
        pytest.skip(str(error))
    folder = page("postgresql.md")
    text = (HOW_TO / "postgresql.md").read_text("utf-8")
    adapters = text.split("```py\n")[2].partition("```")[0]
    program = folder / "program.py"
    program.write_text(
        f"from accounts import PostgresConfig\n{adapters}{PSYCOPG}", "utf-8"
    )

    done = subprocess.run(
        [sys.executable, str(program), postgres[1]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "[('ada',)]\n"
