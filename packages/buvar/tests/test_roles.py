"""Roles in a file: ``buvar run`` needs no program, and no plugin beside."""

from __future__ import annotations

import textwrap

from pathlib import Path

import attrs
import pytest

from buvar import fork
from buvar.cli._role_config import RoleConfig


APPLICATION = """
    import os
    from buvar import context, di, fork

    async def tell():
        worker = context.get(fork.Worker)
        line = f"told {worker.role} {worker.slot} {worker.max_requests}"
        # At once: the others write there, too.
        os.write(1, f"{line}\\n".encode())

    async def prepare(): yield tell()
    async def clock(): yield tell()

    class Missing: ...
    class Service:
        def __init__(self, missing: Missing): ...

    async def broken(): di.register(Service)
"""
ROLES = """
    [fork]
    forks = 2
    max_requests = 9
    max_requests_jitter = 0
    [fork.roles.web]
    plugins = ["app"]
    [fork.roles.clock]
    plugins = ["app:clock"]
    exclusive = true
    max_requests = 5
    max_requests_jitter = 0
"""


@pytest.fixture
def buvar(tmp_path: Path, monkeypatch, interpreter):
    """Run the command in a folder with an application."""
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    tmp_path.joinpath("app.py").write_text(textwrap.dedent(APPLICATION))

    def run(*args: str, roles: str = ROLES, code: int = 0) -> str:
        tmp_path.joinpath("c.toml").write_text(textwrap.dedent(roles))
        done = interpreter.run(
            *("-m", "buvar.cli", *args, "-c", "c.toml"), cwd=tmp_path
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_run_and_check(buvar) -> None:
    """A file says who does what; what a role leaves open the section says."""
    output = buvar("run", "--set", "log.level=ERROR")
    told = [line for line in output.splitlines() if line.startswith("told")]
    assert sorted(told) == ["told clock 1 5", "told web 1 9", "told web 2 9"]

    assert "prepared app, app:clock;" in buvar("check")


@pytest.mark.parametrize(
    ("command", "roles", "code", "texts"),
    [
        ("run", "", 2, ["No plugin is named."]),
        ("check", "", 2, ["No plugin is named."]),
        (
            "check",
            """
            [fork.roles.web]
            exclusiv = true
            [fork.roles.clock]
            plugins = []
            [fork.roles.mail]
            plugins = ["app"]
            forks = 2
            exclusive = true
            [fork.roles."a b"]
            plugins = ["app"]
            """,
            2,
            [
                "fork.roles.web.plugins",
                "Did you mean 'exclusive'?",
                "expected the plugins that it runs",
                "an exclusive role has one worker, leave it out",
            ],
        ),
        (
            "check",
            """
            [fork.roles.web]
            plugins = ["app:broken"]
            [fork.roles.clock]
            plugins = ["app:clok"]
            """,
            1,
            ["missing: Missing", "c.toml:5: There is no plugin 'app:clok'"],
        ),
        (
            "run",
            """
            [fork.roles."a b"]
            plugins = ["app"]
            """,
            2,
            ["expected names of letters, digits, - and _, not 'a b'"],
        ),
        (
            "run",
            """
            [fork.roles.web]
            plugins = ["app"]
            [fork.roles.web]
            plugins = ["app:clock"]
            """,
            2,
            ["c.toml"],
        ),
    ],
)
def test_bad_roles(buvar, command, roles, code, texts) -> None:
    """What is wrong is said with its key, and nothing is started."""
    output = buvar(command, roles=roles, code=code)

    assert "Traceback" not in output
    assert "told" not in output
    for text in texts:
        assert text in output


def test_a_role_has_every_option() -> None:
    """Whatever ``fork.Role`` takes the section of a role has."""
    from buvar.fork._role import RoleOptions

    names = {one.name for one in attrs.fields(RoleConfig)}
    known = {"plugins", "forks", "exclusive", "sockets"}
    assert names == known | RoleOptions.__annotations__.keys()
    role = RoleConfig(plugins=["app"], umask="027", boot_timeout=float("inf"))
    made = role.role("web")
    assert isinstance(made, fork.Role)
    assert made.options == {"umask": 0o27, "boot_timeout": None}
