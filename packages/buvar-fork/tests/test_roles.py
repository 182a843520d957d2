"""Roles as processes: sockets, names, and never two of an exclusive one."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket

from pathlib import Path

import pytest

from buvar import fork


#: A clock that proves to be alone by a lock, and hangs if it is told to.
CLOCK = """
import fcntl, pathlib
from buvar import context, fork, plugin

async def tick():
    lock = open("lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("TWO CLOCKS", flush=True)
        return
    worker = context.get(fork.Worker)
    print("clock", os.getpid(), worker.role, worker.slot,
          len(context.find(fork.Socket)), flush=True)
    await context.get(plugin.Cancel).wait()
    if pathlib.Path("hang").exists():
        print("hangs", flush=True)
        time.sleep(60)

async def prepare_clock():
    yield tick()

roles = [fork.Role("web", prepare),
         fork.Role("clock", prepare_clock, exclusive=True, graceful_timeout=1)]
"""


@pytest.fixture
def service(serve):
    """Be two web workers and a clock."""
    return serve(
        "forks=2, sockets=['tcp://127.0.0.1:0']",
        plugins="*roles",
        more=CLOCK,
    )


def ask(address: tuple[str, int]) -> str:
    with socket.create_connection(address, 30) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        data = b""
        while chunk := sock.recv(1 << 16):
            data += chunk
    return data.decode().rpartition("\n")[2]


def test_never_two(service, eventually, alive, tmp_path: Path) -> None:
    """After kill -9, HUP, and while one hangs, there is one clock at most."""
    assert "3 workers are ready (2 web, 1 clock) on tcp://127" in (
        service.output
    )
    clock = r"clock (\d+) clock 1 0\n"
    first = int(service.until(clock)[0][1])
    if importlib.util.find_spec("setproctitle") is not None:
        title = Path(f"/proc/{first}/cmdline").read_text()
        assert title.rstrip("\0") == "buvar: worker clock 1"

    os.kill(first, signal.SIGKILL)
    second = int(service.until(clock, 2)[1][1])
    assert f"Worker clock 1 (process {first}) ended: killed by SIGKILL" in (
        service.output
    )
    address = service.address()
    assert ask(address).split()[1:] in (["1", "0"], ["2", "0"])

    service.signal(signal.SIGHUP)
    third = int(service.until(clock, 3)[2][1])
    assert not alive(second)
    service.until(r"3 workers are ready\.")
    assert ask(address).split()[2] == "1"

    (tmp_path / "hang").touch()
    service.signal(signal.SIGHUP)
    service.until("hangs")
    os.kill(service.pid, signal.SIGTTIN)
    service.until(clock, 4)
    assert not alive(third)
    eventually(lambda: len(service.workers()) == 4)

    (tmp_path / "hang").unlink()
    assert service.stop() == 0
    assert "TWO CLOCKS" not in service.output


def prepare() -> None:
    """Be no plugin that is ever run."""


WEB = fork.Role("web", prepare)


@pytest.mark.parametrize(
    ("roles", "option", "text"),
    [
        (
            [WEB, fork.Role("web", prepare, exclusive=True)],
            "role",
            "role='web' makes no sense; two roles have that name",
        ),
        (
            [fork.Role("a b", prepare)],
            "role",
            "role='a b' makes no sense; give it a name of letters",
        ),
        (
            [fork.Role("web")],
            "roles.web.plugins",
            "name the plugins that it runs",
        ),
        (
            [fork.Role("clock", prepare, forks=2, exclusive=True)],
            "roles.clock.forks",
            "an exclusive role has one worker: leave it out",
        ),
        (
            [fork.Role("web", prepare, max_request=2)],
            "roles.web.max_request",
            "a role has no such option: did you mean 'max_requests'?",
        ),
        (
            [fork.Role("web", prepare, worker_timeout=0)],
            "roles.web.worker_timeout",
            "it is a number of seconds more than 0, or inf",
        ),
        (
            [fork.Role("web", prepare, max_requests=2, max_requests_jitter=3)],
            "roles.web.max_requests_jitter",
            "it is less than max_requests, which is 2",
        ),
        ([WEB, prepare], "plugins", "it stands beside roles"),
    ],
)
def test_bad_roles(roles, option, text, capsys) -> None:
    """What makes no sense is one error that names the role and the cure."""
    with pytest.raises(fork.OptionError) as caught:
        fork.stage(*roles, forks=1)

    assert caught.value.option == option
    assert text in str(caught.value)
    assert text in capsys.readouterr().err


def test_roles_share_and_have_sockets(start) -> None:
    """A role listens on what the service does, or on its own, or nothing."""
    program = start(
        """
import logging
from buvar import context, fork

async def tell():
    worker = context.get(fork.Worker)
    found = sorted(context.find(fork.Socket))
    return worker.role, [name.partition("#")[0] for name in found]

async def prepare():
    for item in context.find(fork.Socket).values():
        item.served = True
    yield tell()

both = "tcp://127.0.0.1:0"
own = "unix://own.sock"
for role in fork.stage(
    fork.Role("web", prepare),
    fork.Role("api", prepare, sockets=[both, own], max_requests=5),
    fork.Role("queue", prepare, sockets=[]),
    fork.Role("clock", prepare, exclusive=True),
    fork.Role("split", prepare, sockets=["tcp://127.0.0.1:0?reuse_port=true"]),
    sockets=[both],
    forks=1,
):
    print(*role)
"""
    )
    assert program.wait() == 0, program.output
    both = "tcp://127.0.0.1:0"
    assert program.output.splitlines()[-5:] == [
        f"web ['{both}']",
        f"api ['{both}', 'unix://own.sock']",
        "queue []",
        "clock []",
        f"split ['{both}?reuse_port=true']",
    ]
