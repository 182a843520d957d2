"""Sockets passed by systemd are taken over, those of others are not."""

from __future__ import annotations

import contextlib
import os
import socket
import sys

import pytest

from buvar import fork
from buvar.fork import _activation
from buvar.fork._listeners import Listeners


@pytest.fixture
def passed(monkeypatch):
    """Pass sockets the way systemd does, not just at number 3."""
    with contextlib.ExitStack() as stack:

        def passed(*names: str, pid: int | None = None) -> None:
            sockets = [
                stack.enter_context(socket.create_server(("127.0.0.1", 0)))
                for _ in names
            ]
            # Consecutive numbers that surely are free.
            first = 500
            for index, sock in enumerate(sockets):
                os.dup2(sock.fileno(), first + index)
                stack.callback(os.close, first + index)
            monkeypatch.setattr(_activation, "FIRST", first)
            monkeypatch.setenv("LISTEN_PID", str(pid or os.getpid()))
            monkeypatch.setenv("LISTEN_FDS", str(len(names)))
            monkeypatch.setenv("LISTEN_FDNAMES", ":".join(names))

        yield passed


@pytest.fixture
def listen():
    with contextlib.ExitStack() as stack:

        def listen(*uris: str) -> list[str]:
            listeners = Listeners(
                uris, backlog=1, reuse_port=False, supervised=False
            )
            stack.callback(listeners.close)
            return [item.uri for item in listeners.for_slot(1)]

        yield listen


def test_by_name(passed, listen) -> None:
    """A name selects its sockets; more than one get a number."""
    passed("web", "admin", "web")

    assert listen("systemd://admin") == ["systemd://admin"]
    assert listen("systemd://web") == ["systemd://web", "systemd://web#502"]


def test_all(passed, listen) -> None:
    """Without a name, or any URI, all are taken over, named."""
    passed("web", "admin")

    assert listen("systemd://") == ["systemd://web", "systemd://admin"]
    assert listen() == ["systemd://web", "systemd://admin"]


def test_the_only_one(passed, listen) -> None:
    """A single one is named as it was asked for."""
    passed("unknown")

    assert listen("systemd://") == ["systemd://"]


def test_unnamed(passed, monkeypatch, listen) -> None:
    """Sockets without names are called unknown, as systemd does."""
    passed("", "")
    monkeypatch.delenv("LISTEN_FDNAMES")

    assert listen() == ["systemd://unknown", "systemd://unknown#501"]


def test_of_another_process(passed, listen, caplog) -> None:
    """What was passed to a wrapper, say, is not ours, and it is said."""
    passed("web", pid=1)

    assert listen() == []
    (record,) = caplog.records
    assert "passed to process 1" in record.getMessage()
    assert record.listen_pid == "1"
    with pytest.raises(fork.BindError, match=r"process, 1 .LISTEN_PID.*exec"):
        listen("systemd://")


def test_another_socket_is_asked_for(passed, listen, caplog) -> None:
    """Where a socket of its own is asked for, others' are no matter."""
    passed("web", pid=1)

    assert listen("tcp://127.0.0.1:0") == ["tcp://127.0.0.1:0"]
    assert "passed to" not in caplog.text


def test_passed_sockets_are_not_inherited(passed, listen) -> None:
    """A program that is started does not get what systemd has passed."""
    passed("web")
    os.set_inheritable(500, True)

    listen("systemd://web")

    assert not os.get_inheritable(500)


def test_for_nobody(passed, monkeypatch, listen) -> None:
    """Without LISTEN_PID nothing was passed, says sd_listen_fds."""
    passed("web")
    monkeypatch.delenv("LISTEN_PID")

    assert listen() == []


def test_no_number(passed, monkeypatch, listen) -> None:
    """Nonsense passes nothing."""
    passed("web")
    monkeypatch.setenv("LISTEN_FDS", "some")

    assert listen() == []


def test_no_such_name(passed, listen) -> None:
    """A name that was not passed is an error, listing those that were."""
    passed("web")

    with pytest.raises(fork.BindError, match="only web; set FileDescriptor"):
        listen("systemd://admin")


def test_no_socket(passed, monkeypatch, listen) -> None:
    """Something passed that is no listening socket is an error."""
    passed("web")
    monkeypatch.setenv("LISTEN_FDS", "2")

    with pytest.raises(fork.BindError, match="not open"):
        listen("systemd://")


def test_restart(start, tmp_path) -> None:
    """No connection is refused while the service is started anew."""
    source = """
import asyncio, logging, os
from buvar import context, fork, plugin
logging.basicConfig(level="INFO", format="%(message)s")
async def serve():
    async def answer(reader, writer):
        writer.write(await reader.readline())
        writer.close()
    listening = context.get(fork.Socket, name="systemd://")
    server = await asyncio.start_server(answer, sock=listening.sock)
    await context.get(plugin.Cancel).wait()
    await listening.drain()
    server.close()
async def prepare(): yield serve()
fork.stage(prepare, forks=2)
"""

    def ask(line: bytes) -> socket.socket:
        client = socket.create_connection(listening.getsockname(), 10)
        client.sendall(line)
        return client

    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        manager = (
            f"import os, sys; os.dup2({number}, 3); "
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); "
            "os.execv(sys.argv[1], sys.argv[1:])"
        )

        def service():
            program = start(
                source, sys.executable, "-c", manager, pass_fds=[number]
            )
            program.until("2 workers are ready on systemd://")
            return program

        program = service()
        with ask(b"one\n") as client:
            assert client.recv(10) == b"one\n"
        assert program.stop() == 0
        with ask(b"meanwhile\n") as client:
            program = service()
            assert client.recv(10) == b"meanwhile\n"
        assert program.stop() == 0
