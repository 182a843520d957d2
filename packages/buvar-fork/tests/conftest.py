"""Programs that fork, run as processes of their own."""

from __future__ import annotations

import collections
import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
import time
import typing as t

from pathlib import Path

import pytest

from buvar import fork
from buvar.fork._listeners import Listeners
from buvar.fork._options import Options
from buvar.fork._role import with_roles
from buvar.fork._supervise import commands as do
from buvar.fork._supervise import events as happened
from buvar.fork._supervise.phases import Ended
from buvar.fork._supervise.policy import step
from buvar.fork._supervise.state import Service


TIMEOUT = 30.0  # seconds, a bound and no expectation

#: A server as small as can be: answers with its process id, drains on Cancel.
SERVER = """
import asyncio, os, signal, sys, time, logging
from buvar import context, fork, plugin
logging.basicConfig(level="INFO", format="%(message)s")

async def serve():
    cancel = context.get(plugin.Cancel)
    worker = context.get(fork.Worker)
    open_connections = set()
    async def handle(reader, writer):
        open_connections.add(asyncio.current_task())
        try:
            line = (await reader.readline()).decode()
            while (await reader.readline()).strip():
                pass
            path = line.split()[1] if line else "/"
            if path == "/block":
                time.sleep(60)
            if path == "/exit":
                os._exit(7)
            if path == "/recycle":
                worker.recycle("asked")
            worker.count()
            body = f"{os.getpid()} {worker.slot} {worker.generation}".encode()
            writer.write(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n"
                b"Content-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
            await writer.drain()
            writer.close()
        except ConnectionError:
            pass
        finally:
            open_connections.discard(asyncio.current_task())
    sockets = context.find(fork.Socket).values()
    servers = [await asyncio.start_server(handle, sock=item.sock, backlog=2048)
               for item in sockets]
    await cancel.wait()
    for item in sockets:
        await item.drain()
    for server in servers:
        server.close()
    await asyncio.sleep(0.01)
    if open_connections:
        await asyncio.wait(open_connections)

async def prepare():
    yield serve()
"""


class Program:
    """A program under test: its process, and all it has printed so far."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log
        self.pid = process.pid

    @property
    def output(self) -> str:
        return self.log.read_text()

    def until(
        self, pattern: str, count: int = 1, seconds: float = TIMEOUT
    ) -> list[re.Match[str]]:
        """Wait until it has printed something so many times."""
        found: list[re.Match[str]] = []

        def printed() -> bool:
            found[:] = re.finditer(pattern, self.output)
            return len(found) >= count

        eventually(printed, lambda: self.output, seconds)
        return found

    def address(self) -> tuple[str, int]:
        """Return where it listens."""
        match = self.until(r"\(([\d.]+):(\d+)\)")[0]
        return match[1], int(match[2])

    def workers(self) -> list[int]:
        """Return the process ids of its children."""
        return children(self.pid)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Return its exit code."""
        return self.process.wait(TIMEOUT)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()


def eventually(
    condition: t.Callable[[], object],
    describe: t.Callable[[], object] = lambda: "",
    seconds: float = TIMEOUT,
) -> None:
    """Wait for another process: there is no event to wait for."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, describe()
        time.sleep(0.005)


def children(pid: int) -> list[int]:
    """Return the children of a process that are no zombies."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(path.parent.name))
    return sorted(found)


def alive(pid: int) -> bool:
    """Tell whether a process runs."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class FakeService:
    """
    Drives a policy as the supervisor does, and notes its commands.

    Attributes:
        now: The time, which only the test moves.
        service: The state of the policy.
        running: The slot of each process that was not reaped, by key.
        roles: The role of each worker there was, by key.
        starts: When a worker was started, by slot, or by role and slot.
        killed: The workers that were sent KILL.
        commands: All commands, in order.
        start_fails: Whether the system has no room for another process.
        pending: Whether connections wait in the queue.
    """

    def __init__(
        self,
        *roles: fork.Role,
        first: happened.Event | None = None,
        **options,
    ) -> None:
        self.now = 1000.0
        made = Options(**{"forks": 2, **options})
        if roles:
            made = with_roles(made, roles, forks=2, who={})
        self.service = Service(made)
        self.running: dict[int, int] = {}
        self.roles: dict[int, str] = {}
        self.starts: dict[t.Any, list[float]] = collections.defaultdict(list)
        self.killed: set[int] = set()
        self.commands: list[do.Command] = []
        self.start_fails = False
        self.pending = False
        self.take(first or happened.Tick())

    def take(self, event: happened.Event) -> list[do.Command]:
        """Take an event and the answers to what follows from it."""
        events = collections.deque([event])
        done: list[do.Command] = []
        while events:
            for command in step(self.service, events.popleft(), self.now):
                done.append(command)
                answer = self._carry_out(command)
                if answer is not None:
                    events.append(answer)
        self.commands += done
        return done

    def _carry_out(self, command: do.Command) -> happened.Event | None:
        match command:
            case do.Start(key, _, _) if self.start_fails:
                return happened.StartFailed(key, "no room")
            case do.Start(key, slot, _, role):
                self.running[key] = slot
                self.roles[key] = role
                place = f"{role} {slot}" if role else slot
                self.starts[place].append(self.now)
                return happened.Started(key, 100 + key)
            case do.Send(key, signal.SIGKILL):
                self.killed.add(key)
            case do.LookAtQueue():
                return happened.QueueSeen(self.pending)
        return None

    # --- what may happen --------------------------------------------------

    def signal(self, number: signal.Signals) -> list[do.Command]:
        return self.take(happened.Signal(number))

    def later(self, seconds: float) -> list[do.Command]:
        """Let time pass, with a look at each deadline in between."""
        end = self.now + seconds
        done: list[do.Command] = []
        while (due := self.service.due()) <= end:
            self.now = max(self.now, due)
            done += self.take(happened.Tick())
            if self.service.due() <= due:
                break
        self.now = end
        return done + self.take(happened.Tick())

    def of(self, role: str) -> list[int]:
        """Return the workers of a role that have a process."""
        return [key for key in self.running if self.roles[key] == role]

    def ready(self, *keys: int) -> None:
        """Have workers become ready: all that run, unless some are named."""
        for key in keys or list(self.running):
            self.take(happened.BecameReady(key))

    def exit(self, key: int, code: int = 0) -> list[do.Command]:
        del self.running[key]
        return self.take(happened.Exited(key, code))

    # --- what is to be seen -----------------------------------------------

    @property
    def ended(self) -> bool:
        return isinstance(self.service.phase, Ended)

    def lines(self, level: int = logging.INFO) -> list[str]:
        """Return what was logged."""
        return [
            command.message % command.args
            for command in self.commands
            if isinstance(command, do.Log) and command.level >= level
        ]

    def sent(self, key: int) -> list[int]:
        """Return the signals that a worker was sent."""
        return [
            command.number
            for command in self.commands
            if isinstance(command, do.Send) and command.key == key
        ]


@pytest.fixture
def new_service() -> type[FakeService]:
    """Make services without processes."""
    return FakeService


@pytest.fixture
def start(tmp_path: Path) -> t.Iterator[t.Callable[..., Program]]:
    """Start programs, and end them after the test."""
    programs: list[Program] = []

    def start(
        source: str, *prefix: str, env: dict[str, str] | None = None, **options
    ) -> Program:
        number = len(programs)
        script = tmp_path / f"program{number}.py"
        script.write_text(source)
        log = tmp_path / f"log{number}"
        with log.open("w") as file:
            process = subprocess.Popen(
                [*prefix, sys.executable, str(script)],
                stdout=file,
                stderr=file,
                text=True,
                # As users have it: what is printed may be written later.
                env={**os.environ, "PYTHONUNBUFFERED": "", **(env or {})},
                cwd=tmp_path,
                **options,
            )
        programs.append(Program(process, log))
        return programs[-1]

    yield start
    for program in programs:
        program.process.kill()
        program.process.wait()


@pytest.fixture
def serve(start) -> t.Callable[..., Program]:
    """Start the server and wait until its workers are ready."""

    def serve(
        options: str = "forks=2",
        *,
        more: str = "",
        plugins: str = "prepare",
        **env,
    ) -> Program:
        program = start(
            f"{SERVER}\n{more}\n"
            f"print('returned', fork.stage({plugins}, {options}))\n",
            env=env,
        )
        program.until(r"workers are ready")
        return program

    return serve


@pytest.fixture(name="eventually")
def _eventually() -> t.Callable[..., None]:
    return eventually


@pytest.fixture(name="children")
def _children() -> t.Callable[[int], list[int]]:
    return children


@pytest.fixture(name="alive")
def _alive() -> t.Callable[[int], bool]:
    return alive


@pytest.fixture
def listen():
    """Bind sockets, close them after the test."""
    with contextlib.ExitStack() as stack:

        def listen(
            *uris: str, reuse_port: bool = False, supervised: bool = False
        ) -> Listeners:
            listeners = Listeners(
                uris, backlog=10, reuse_port=reuse_port, supervised=supervised
            )
            stack.callback(listeners.close)
            return listeners

        yield listen
