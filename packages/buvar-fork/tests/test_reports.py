"""What is told to a service manager, to files, and from worker to parent."""

from __future__ import annotations

import os
import re
import signal
import socket

import pytest

from buvar import fork
from buvar.fork import _reload
from buvar.fork._failure import Failure
from buvar.fork._failure import Printed
from buvar.fork._notify import Notifier
from buvar.fork._report import signal_name
from buvar.fork._title import Title
from buvar.fork._wire import Kind
from buvar.fork._wire import Receiver
from buvar.fork._wire import Sender


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


def test_a_watchdog_for_another_process(manager) -> None:
    """Signs of life are sent by the process that is to send them."""
    notifier = Notifier(
        {
            "NOTIFY_SOCKET": manager.getsockname(),
            "WATCHDOG_USEC": "1000000",
            "WATCHDOG_PID": "1",
        }
    )
    assert notifier.due == float("inf")


def test_pid_file(serve, tmp_path) -> None:
    """The file names the parent while it runs, and keeps a second out."""
    path = tmp_path / "pid"
    program = serve(f"forks=2, pid_path={str(path)!r}")
    assert int(path.read_text()) == program.pid

    async def prepare() -> None:
        """Never prepared."""

    with pytest.raises(fork.PidFileError) as caught:
        fork.stage(prepare, forks=1, pid_path=path)

    assert caught.value.pid == program.pid
    assert "is running already" in str(caught.value)
    assert program.stop() == 0
    assert not path.exists()


@pytest.mark.parametrize("content", ["4194304", "rubbish", "1"])
def test_stale_pid_file(tmp_path, content: str, monkeypatch) -> None:
    """The file of a process that has ended is overwritten."""
    path = tmp_path / "pid"
    path.write_text(content)

    async def prepare():
        return check()

    async def check():
        return path.read_text()

    def run():
        return fork.stage(prepare, forks=1, pid_path=path)

    if content == "1":
        with pytest.raises(fork.PidFileError):
            run()
        return
    assert run() == [f"{os.getpid()}\n"]
    assert not path.exists()


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


def test_wire() -> None:
    """Messages arrive whole and in order, however they are cut."""
    receive, send = os.pipe()
    sender, receiver = Sender(send), Receiver(receive)
    sender.hint(Kind.READY)
    sender.hint(Kind.BEAT, b"5")
    assert receiver.receive() == [(Kind.READY, b""), (Kind.BEAT, b"5")]
    os.write(send, b"\x04\0\0\0")
    assert receiver.receive() == []
    os.write(send, b"\0\0\0\0\2a")
    assert receiver.receive() == []
    os.write(send, b"b")
    assert receiver.receive() == [(Kind.RESULTS, b"ab")]
    os.close(send)
    assert receiver.receive() == []
    assert not receiver.open
    os.close(receive)


def test_wire_without_parent() -> None:
    """A parent that is behind, or gone, does not stop a worker."""
    receive, send = os.pipe()
    sender = Sender(send)
    for _ in range(10_000):
        sender.hint(Kind.BEAT, b"12345678")
    os.close(receive)
    sender.hint(Kind.BEAT)
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

    assert worker.done == 5
    assert caplog.text.count("Nobody is there to replace this process") == 1


def test_worker_that_is_never_replaced() -> None:
    """Without a limit work is only counted."""
    worker = fork.Worker()
    worker.count(3)
    assert worker.done == 3


def test_reload_without_watchfiles(monkeypatch, capsys) -> None:
    """Reloading says what to install where that is missing."""
    monkeypatch.setitem(__import__("sys").modules, "watchfiles", None)

    async def prepare() -> None:
        """Never prepared."""

    with pytest.raises(fork.UnsupportedError, match="pip install"):
        fork.stage(prepare, forks=1, reload=True)
    assert capsys.readouterr().err.count("\n") == 1


def test_reload(monkeypatch) -> None:
    """The program is run in a child, which alone goes on."""
    runs = []

    class Watchfiles:
        @staticmethod
        def run_process(*paths, **options) -> None:
            runs.append((paths, options["target_type"]))
            assert os.environ[_reload._MARK]
            assert fork.stage(prepare, forks=1, reload=["src"]) == []

    async def prepare() -> None:
        """Prepare nothing."""

    monkeypatch.setitem(__import__("sys").modules, "watchfiles", Watchfiles)
    monkeypatch.setenv(_reload._MARK, "")
    monkeypatch.delenv(_reload._MARK)

    with pytest.raises(SystemExit) as caught:
        fork.stage(prepare, forks=1, reload=["src"])

    assert caught.value.code == 0
    assert runs == [(("src",), "command")]
