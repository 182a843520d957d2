"""Programs of the how-to guides beside real servers, on free ports."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.error
import urllib.request

from pathlib import Path

import pytest


TIMEOUT = 30.0  # seconds, a bound and no expectation
HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
#: A program, and the file that the text before it names.
FILE = re.compile(r"```py\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"`([a-z/_]+\.py)`")


if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]  # workers are forked


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def eventually(condition: t.Callable[[], object]) -> None:
    """Wait for another process, which has no event for that."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), TIMEOUT).close()
    except OSError:
        return False
    return True


@pytest.fixture(name="eventually")
def _eventually() -> t.Callable[[t.Callable[[], object]], None]:
    return eventually


@pytest.fixture
def page(tmp_path: Path) -> t.Callable[[str], Path]:
    """Write the programs of a page into a folder, by the names it gives."""

    def write(name: str) -> Path:
        text = (HOW_TO / name).read_text("utf-8")
        names = list(NAME.finditer(text))
        for program in FILE.finditer(text):
            before = [
                found for found in names if found.end() < program.start()
            ]
            # Two names in a sentence are for the two programs below it.
            for found in before:
                path = tmp_path / found[1]
                if not path.exists():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(program[1], "utf-8")
                    break
        return tmp_path

    return write


@dataclasses.dataclass
class Process:
    """A program that runs, and what it has said."""

    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def until(self, text: str) -> None:
        """Wait until it has said something."""

        def said() -> bool:
            assert self.popen.poll() is None, self.output
            return text in self.output

        eventually(said)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it, and return its exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(TIMEOUT)


Start: t.TypeAlias = t.Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> t.Iterator[Start]:
    """Start programs; end them, whatever happens."""
    started: list[Process] = []

    def start(
        *command: str, env: dict[str, str] | None = None, **options: t.Any
    ) -> Process:
        log = tmp_path / f"output-{len(started)}"
        with log.open("wb") as file:
            popen = subprocess.Popen(
                command,
                stdout=file,
                stderr=file,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
                **{"cwd": tmp_path, **options},
            )
        started.append(Process(popen, log))
        return started[-1]

    yield start
    for process in started:
        if process.popen.poll() is None:
            # A supervisor ends its workers when it is asked to.
            process.popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.popen.wait(TIMEOUT)
        process.popen.kill()
        process.popen.wait()


@pytest.fixture
def buvar(start: Start) -> Start:
    """Run ``buvar run``."""

    def run(*words: str, env: dict[str, str] | None = None) -> Process:
        return start(sys.executable, "-m", "buvar.cli", "run", *words, env=env)

    return run


@pytest.fixture
def http() -> t.Callable[..., tuple[int, str]]:
    """Send a request, and return the status and the body."""

    def send(port: int, path: str, method: str = "GET") -> tuple[int, str]:
        url = f"http://127.0.0.1:{port}{path}"
        request = urllib.request.Request(url, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return send


@pytest.fixture(name="free_port")
def _free_port() -> t.Callable[[], int]:
    return free_port


@pytest.fixture(params=["redis-server", "valkey-server"])
def redis(
    request: pytest.FixtureRequest, start: Start
) -> t.Callable[..., Process]:
    """Return what starts a server of redis, or of valkey, on a port."""
    command = shutil.which(request.param)
    if command is None:
        pytest.skip(f"{request.param} is not installed")

    def run(port: int) -> Process:
        process = start(
            *(command, "--port", str(port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "yes"),
        )
        eventually(lambda: connects(port))
        return process

    return run


def _postgres(name: str) -> str:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    path = os.pathsep.join([*map(str, reversed(folders)), os.environ["PATH"]])
    command = shutil.which(name, path=path)
    if command is None:
        pytest.skip("PostgreSQL is not installed")
    return command


@pytest.fixture
def postgres(start: Start) -> t.Iterator[tuple[Process, str]]:
    """A server of PostgreSQL with an empty database, and its address."""
    initdb, server = _postgres("initdb"), _postgres("postgres")
    # It refuses to run as root, and keeps its data where its user may look.
    user = {"user": "nobody"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="buvar-pg-") as folder:
        data = Path(folder, "data")
        if user:
            shutil.chown(folder, "nobody")
        subprocess.run(
            [initdb, "-D", data, "-U", "shop", "-A", "trust", "-N"],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=TIMEOUT,
            **user,
        )
        port = free_port()
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
        }
        words = [
            word
            for key, value in settings.items()
            for word in ("-c", f"{key}={value}")
        ]
        process = start(server, "-D", str(data), *words, cwd=folder, **user)
        process.until("ready to accept connections")
        yield process, f"postgresql://shop:secret@127.0.0.1:{port}/postgres"
        process.stop(signal.SIGINT)
