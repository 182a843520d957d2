"""The main job: the hello world of the README, seen from outside."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import typing as t

from pathlib import Path

import pytest


TIMEOUT = 20.0  # seconds, a bound and no expectation
ROOT = Path(__file__).resolve().parent.parent
HELLO = ROOT / "docs" / "tutorials" / "hello.py"
pytestmark = pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="looks for processes in /proc"
)


class Hello:
    """The program, on a port of its own, in a session of its own."""

    def __init__(self, folder: Path, port: int, forks: int) -> None:
        self.port = port
        script = folder / "hello.py"
        script.write_text(program(port, forks))
        self._log = folder / "log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-X", "dev", "-W", "error", str(script)],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def wait(self) -> int:
        return self.process.wait(TIMEOUT)

    def until_ready(self, up: t.Callable[[], object]) -> None:
        until(lambda: self.process.poll() is not None or up())
        assert self.process.poll() is None, self.output

    def group(self) -> list[int]:
        """Return all processes that it started and that still run."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.process.pid and fields[0] != "Z":
                    found.append(int(path.parent.name))
        return found

    def get(self, connection: http.client.HTTPConnection) -> int:
        """Return the process that answered with the greeting."""
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.status == 200
        assert response.read() == b"Hello, world"
        return int(response.headers["Pid"])

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=9)

    def one_each(self) -> int:
        """Send a request on a connection of its own."""
        with contextlib.closing(self.connect()) as connection:
            return self.get(connection)


def program(port: int, forks: int) -> str:
    """Return the program, each answer telling the process it came from."""
    text = HELLO.read_text("utf-8")
    for old, new in (
        ("5678", str(port)),
        ("forks=0", f"forks={forks}"),
        (
            'body=b"Hello, world"',
            'body=b"Hello, world", headers={"Pid": str(os.getpid())}',
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    return f"import os\n{text}"


def until(condition: t.Callable[[], object]) -> None:
    """Wait for another process, which has no event for that."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def hello(tmp_path: Path) -> t.Iterator[t.Callable[..., Hello]]:
    """Start the program, by default with two workers; end it."""
    started: list[Hello] = []

    def hello(port: int | None = None, forks: int = 2) -> Hello:
        started.append(Hello(tmp_path, port or free_port(), forks))
        return started[-1]

    yield hello
    for each in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(each.process.pid, signal.SIGKILL)
        each.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_and_ends(hello, number: int) -> None:
    """Both workers answer; a signal ends all with 0 and frees the port."""
    server = hello()
    server.until_ready(lambda: "workers are ready" in server.output)
    pids: set[int] = set()

    until(lambda: pids.add(server.one_each()) or len(pids) == 2)
    assert server.process.pid not in pids
    assert len(server.group()) == 3
    os.kill(server.process.pid, number)

    assert server.wait() == 0
    assert server.group() == []
    socket.create_server(("0.0.0.0", server.port)).close()
    lines = server.output.splitlines()
    assert len(lines) == 1, server.output
    assert str(server.port) in lines[0]


def test_ctrl_c(hello) -> None:
    """INT to all processes, as a terminal sends it, ends them quietly."""
    server = hello()
    server.until_ready(lambda: "workers are ready" in server.output)

    os.killpg(server.process.pid, signal.SIGINT)

    assert server.wait() == 0
    assert server.group() == []
    assert "Traceback" not in server.output


def test_keep_alive(hello) -> None:
    """A connection stays with its worker, and ends with an answer."""
    server = hello()
    server.until_ready(lambda: "workers are ready" in server.output)
    with contextlib.ExitStack() as stack:
        connections = [
            stack.enter_context(contextlib.closing(server.connect()))
            for _ in range(16)
        ]
        first = [server.get(connection) for connection in connections]
        sockets = [connection.sock for connection in connections]

        again = [server.get(connection) for connection in connections]

        assert first == again
        assert len(set(first)) == 2
        assert sockets == [connection.sock for connection in connections]
        os.kill(server.process.pid, signal.SIGTERM)
        assert server.wait() == 0
        # The server closed them; none was reset.
        assert [sock.recv(1) for sock in sockets] == [b""] * 16


@pytest.mark.parametrize("forks", [0, 1])
def test_forks(hello, forks: int) -> None:
    """``forks=0`` has a worker per CPU, ``forks=1`` does not fork."""
    server = hello(forks=forks)
    server.until_ready(lambda: "ready" in server.output)

    cpus = len(os.sched_getaffinity(0))
    children = len(server.group()) - 1
    assert children == (0 if forks or cpus == 1 else cpus)
    assert server.one_each() in server.group()
    os.kill(server.process.pid, signal.SIGTERM)

    assert server.wait() == 0
    assert server.group() == []


@pytest.mark.parametrize("forks", [1, 2])
def test_port_in_use(hello, forks: int) -> None:
    """A port in use is one clear line that names it, and exit code 2."""
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        server = hello(port, forks=forks)

        assert server.wait() == 2

    lines = server.output.splitlines()
    assert len(lines) == 1, server.output
    assert str(port) in lines[0]
    assert server.group() == []
