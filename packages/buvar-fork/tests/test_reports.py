"""What is told to a service manager, to files, and from worker to parent."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess

import pytest

from buvar import fork
from buvar import plugin
from buvar.fork._failure import Failure
from buvar.fork._failure import Printed
from buvar.fork._ipc import Kind
from buvar.fork._ipc import Receiver
from buvar.fork._ipc import Sender
from buvar.fork._notify import Notifier
from buvar.fork._supervise.signals import signal_name
from buvar.fork._title import Title


SOCKET = "forks=2, sockets=['tcp://127.0.0.1:0']"


@pytest.fixture
def manager(tmp_path):
    """Be a service manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(10)
        yield sock


def test_notify(serve, manager) -> None:
    """A manager hears of READY, RELOADING, READY again and STOPPING."""
    path = manager.getsockname()
    program = serve(SOCKET, NOTIFY_SOCKET=path, WATCHDOG_USEC="200000")
    heard: list[str] = []

    def hear(what: str) -> str:
        while True:
            message = manager.recv(1000).decode()
            if message != "WATCHDOG=1":
                heard.append(message)
            if message.startswith(what):
                return message

    assert f"MAINPID={program.pid}" in hear("READY=1")
    hear("WATCHDOG=1")
    program.signal(signal.SIGHUP)
    assert re.search(r"MONOTONIC_USEC=\d+", hear("RELOADING=1"))
    hear("READY=1")
    program.signal(signal.SIGTERM)
    hear("STOPPING=1")
    assert program.wait() == 0
    assert len(heard) == 4


def test_notify_without_workers(start, manager) -> None:
    """A single process tells the manager, too."""
    program = start(
        """
from buvar import fork
async def prepare(): pass
fork.stage(prepare, forks=1)
""",
        env={"NOTIFY_SOCKET": manager.getsockname()},
    )
    assert program.wait() == 0
    assert manager.recv(1000).startswith(b"READY=1")
    assert manager.recv(1000) == b"STOPPING=1"


@pytest.mark.parametrize("forks", [1, 2])
def test_notify_of_an_end_by_itself(start, manager, forks: int) -> None:
    """A manager hears at once of a service that ends by itself."""
    program = start(
        f"""
import asyncio
from buvar import fork, plugin
async def prepare(teardown: plugin.Teardown):
    async def fail():
        raise ValueError("no")
    async def last():
        if {forks} == 1:
            print("tearing down", flush=True)
            await asyncio.to_thread(input)
    teardown.add(last)
    yield fail()
fork.stage(prepare, forks={forks}, max_failures=1)
""",
        env={"NOTIFY_SOCKET": manager.getsockname()},
        stdin=subprocess.PIPE,
    )
    while manager.recv(1000) != b"STOPPING=1":
        pass  # that it is ready, perhaps
    if forks == 1:
        program.until("tearing down")
        assert program.process.poll() is None
    program.process.stdin.close()
    assert program.wait() == 1


def test_nobody_listens(tmp_path) -> None:
    """A manager that is not there is no error; an abstract one is found."""
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "none")}).stopping()
    Notifier({}).stopping()
    name = f"buvar-notify-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{name}")
        sock.settimeout(10)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).stopping()
        assert sock.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize(
    "variables",
    [
        {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {},
    ],
)
def test_no_watchdog(manager, variables: dict[str, str]) -> None:
    """Signs of life are sent by who is to send them, and if one is asked."""
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname(), **variables})
    assert notifier.due == float("inf")


def test_titles(monkeypatch) -> None:
    """Processes are named where that is possible, else not."""
    titles = []

    class Module:
        setproctitle = titles.append

    monkeypatch.setitem(__import__("sys").modules, "setproctitle", None)
    Title("x").show("nobody sees it")
    monkeypatch.setitem(__import__("sys").modules, "setproctitle", Module)
    Title("x").show("worker 1")

    assert titles == ["x: worker 1"]


def test_failures_are_printed_once() -> None:
    """Failures that differ in addresses and numbers only are alike."""
    printed = Printed()
    one = Failure(1, "<object at 0x1234>, process 77\n")
    two = Failure(1, "<object at 0x9999>, process 8\n")

    assert printed.text(one) == one.text.strip()
    assert printed.knows(two)
    assert printed.text(two) == "it failed as before"
    for name in range(200):
        printed.text(Failure(1, "x" * name))
    assert not printed.knows(one)


def test_a_failure_that_explains_itself() -> None:
    """What says what to do is printed by itself, a traceback would hide it."""
    mistake = plugin.PluginNotFoundError("shop.wep", "no such module")
    error = ExceptionGroup("the stage failed", [mistake])

    assert Failure.of(error, ready=False).text == str(mistake)
    other = ExceptionGroup("the stage failed", [mistake, ValueError("x")])
    assert "ValueError: x" in Failure.of(other, ready=False).text


def test_wire() -> None:
    """Messages arrive whole and in order, however they are cut."""
    receive, send = os.pipe()
    sender, receiver = Sender(send), Receiver(receive)
    sender.hint(Kind.READY)
    sender.hint(Kind.HEARTBEAT, b"5")
    assert list(receiver.receive()) == [
        (Kind.READY, b""),
        (Kind.HEARTBEAT, b"5"),
    ]
    os.write(send, b"\x04\0\0\0")
    assert list(receiver.receive()) == []
    os.write(send, b"\0\0\0\0\2a")
    assert list(receiver.receive()) == []
    os.write(send, b"b")
    assert list(receiver.receive()) == [(Kind.RESULTS, b"ab")]
    os.close(send)
    assert list(receiver.receive()) == []
    assert not receiver.open
    os.close(receive)


def test_wire_without_parent() -> None:
    """A parent that is behind, or gone, does not stop a worker."""
    receive, send = os.pipe()
    sender = Sender(send)
    for _ in range(10_000):
        sender.hint(Kind.HEARTBEAT, b"12345678")
    os.close(receive)
    sender.hint(Kind.HEARTBEAT)
    sender.send(Kind.RESULTS, b"x" * 1_000_000)
    os.close(send)


def test_signal_names() -> None:
    """Signals are named, those without a name numbered."""
    assert signal_name(9) == "SIGKILL"
    assert signal_name(40) == "signal 40"


def test_worker_alone(caplog) -> None:
    """Without a supervisor a wish to be replaced is only logged, once."""
    worker = fork.Worker(max_requests=2)
    for _ in range(5):
        worker.count()

    assert worker.work_count == 5
    assert caplog.text.count("Nobody is there to replace this process") == 1


def test_worker_that_is_never_replaced() -> None:
    """Without a limit work is only counted."""
    worker = fork.Worker()
    worker.count(3)
    assert worker.work_count == 3
