"""buvar-config and buvar-log agree on what a secret is."""

from __future__ import annotations

import importlib.util
import typing as t

from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parent.parent / "packages"
CONFIG = ROOT / "buvar-config/src/buvar/config/_model/sensitive.py"
LOG = ROOT / "buvar-log/src/buvar/log/_sensitive.py"


def test_one_list() -> None:
    """Both packages have the same file, as neither depends on the other."""
    assert CONFIG.read_text("utf-8") == LOG.read_text("utf-8")


def _load() -> t.Any:
    spec = importlib.util.spec_from_file_location("sensitive", CONFIG)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SENSITIVE = _load()


@pytest.mark.parametrize(
    "name",
    [
        *("password", "db_password", "DB-Password", "dbPassword", "passwords"),
        *("password2", "password_hash", "dbpassword", "dsn", "jwt", "cookies"),
        *("pin", "key", "ssh_key", "signature", "session", "session_id"),
        *("X-Api-Key", "aws_secret_access_key", "postgresDSN", "keys"),
    ],
)
def test_names_of_secrets(name) -> None:
    """The end of a name tells a secret, however it is written."""
    assert SENSITIVE.sounds_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("password_rules", "monkey", "bypass", "public_key", "spin"),
        *("token_url", "keyboard", "primary_key", "author", "user"),
    ],
)
def test_other_names(name) -> None:
    """What only has such letters in it is shown."""
    assert not SENSITIVE.sounds_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        "amqp://me:hunter2@host/",
        "amqp://me:hun/hunter2@host",
        "postgresql://me:a@hunter2?#@host/db",
        "host=x password=hunter2 port=1",
        "Server=a;Password=hunter2;X=1",
        "https://host/?access_token=hunter2&b=1",
        "{'password': 'hunter2', 'a': 1}",
        '{"tokens": ["hunter2", "x"]}',
        "Authorization: Bearer hunter2",
        "Cookie: a=hunter2; b=c",
        "password='hunter2 x'",
        "note=\"see password='hunter2'\"",
        "[('Authorization', 'hunter2')]",
        "Login(user='a', password='hunter2')",
        "api-key: hunter2",
        "--db-password=hunter2",
        "mysql --password hunter2",
        "['mysql', '--password', 'hunter2', '--host', 'x']",
    ],
)
def test_secrets_in_text(text) -> None:
    """Secrets are masked in whatever form a text says them."""
    masked = SENSITIVE.without_secrets_in(text)

    assert "hunter2" not in masked
    assert "***" in masked


@pytest.mark.parametrize(
    "text",
    [
        "http://host:8080/a@b",
        "no such key: port",
        "https://host/p@q",
        "Basic authentication failed",
        "git@github.com:foo/bar",
        "--password is missing",
        "['--token', '--user', 'x']",
    ],
)
def test_other_text(text) -> None:
    """What is no secret stays as it is."""
    assert SENSITIVE.without_secrets_in(text) == text
