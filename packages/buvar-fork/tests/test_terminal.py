"""Services that are started from a terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import termios
import typing as t

from pathlib import Path

import pytest


SERVING = """
import logging, os, signal, sys
from buvar import context, fork, plugin
{before}
async def serve():
    n = context.get(fork.Worker).slot
    {task}
    open(f"up{{n}}", "w").close()
    await context.get(plugin.Cancel).wait()
async def prepare(): yield serve()
fork.stage(prepare, forks={forks}, sockets=["unix://sock"])
"""


class Terminal:
    """A terminal, and how to start a program in its foreground."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()

    def options(self) -> dict[str, t.Any]:
        def lead() -> None:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

        return {"stdin": self.slave, "preexec_fn": lead}

    def stop_writers(self) -> None:
        """Stop programs in the background that write: `stty tostop`."""
        flags = termios.tcgetattr(self.slave)
        flags[3] |= termios.TOSTOP
        termios.tcsetattr(self.slave, termios.TCSANOW, flags)

    def hang_up(self) -> None:
        for fd in (self.slave, self.master):
            with contextlib.suppress(OSError):
                os.close(fd)


@pytest.fixture
def terminal() -> t.Iterator[Terminal]:
    """Open a terminal."""
    opened = Terminal()
    yield opened
    opened.hang_up()


@pytest.fixture
def serving(start, terminal, tmp_path, eventually):
    """Start a service in the foreground of the terminal."""

    def serving(forks: int = 2, before: str = "", task: str = "pass"):
        program = start(
            SERVING.format(forks=forks, before=before, task=task),
            **terminal.options(),
        )
        eventually(
            lambda: len(list(tmp_path.glob("up*"))) == forks,
            lambda: program.output,
        )
        return program

    return serving


@pytest.mark.parametrize("forks", [1, 2])
def test_closed(serving, terminal, tmp_path, forks) -> None:
    """A service whose terminal is closed ends in good order."""
    program = serving(forks)
    terminal.hang_up()

    assert program.wait() == 0
    assert "The terminal was closed." in program.output
    assert not (tmp_path / "sock").exists()


@pytest.mark.parametrize("forks", [1, 2])
def test_nohup(serving, terminal, forks) -> None:
    """One that was started with nohup goes on."""
    program = serving(forks, "signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    terminal.hang_up()
    with pytest.raises(AssertionError):
        program.until("closed|Reloading|Stopping", seconds=1)

    assert program.stop() == 0


def test_reloads(serving, tmp_path) -> None:
    """A HUP while the terminal is there reloads."""
    program = serving(before="logging.basicConfig(level='INFO')")
    for path in tmp_path.glob("up*"):
        path.unlink()
    program.signal(signal.SIGHUP)
    program.until("2 workers are ready", 2)

    assert program.stop() == 0


@pytest.mark.parametrize("forks", [1, 2])
def test_writes(serving, terminal, forks) -> None:
    """What workers write arrives, also after `stty tostop`."""
    terminal.stop_writers()
    program = serving(forks, task="os.write(0, b'a worker writes')")

    assert b"a worker writes" in os.read(terminal.master, 1000)
    assert program.stop() == 0


def test_supervisor_in_the_background_writes(
    start, terminal, tmp_path, eventually
) -> None:
    """A supervisor in the background writes after `stty tostop`, too."""
    terminal.stop_writers()
    program = start(
        "import os, signal\n"
        "pid = os.fork()\n"
        "if pid:\n"
        "    signal.signal(signal.SIGTERM,"
        " lambda *_: os.kill(pid, signal.SIGTERM))\n"
        "    while True:\n"
        "        _, status = os.waitpid(pid, 0)\n"
        "        os._exit(os.waitstatus_to_exitcode(status))\n"
        "os.setpgid(0, 0)\n"
        + SERVING.format(
            forks=2,
            before="logging.basicConfig(level='INFO', stream=os.fdopen(0, 'w',"
            " closefd=False))",
            task="pass",
        ),
        **terminal.options(),
    )
    eventually(
        lambda: len(list(tmp_path.glob("up*"))) == 2, lambda: program.output
    )

    assert b"started, process" in os.read(terminal.master, 1000)
    assert program.stop() == 0


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("input()", "a worker cannot read from the terminal"),
        ("sys.stdin.readline()", "a worker cannot read from the terminal"),
        ("sys.stdin.read(1)", "a worker cannot read from the terminal"),
        ("os.read(0, 1)", "Input/output error"),
    ],
)
def test_reads(start, terminal, how, error) -> None:
    """A worker that reads from the terminal gets an error that says so."""
    program = start(
        f"""
import os, sys
from buvar import fork
async def task(): {how}
async def prepare(): yield task()
fork.stage(prepare, forks=2, max_failures=1)
""",
        **terminal.options(),
    )

    assert program.wait() == 1
    assert error in program.output


def test_single_process_reads(start, terminal) -> None:
    """With forks=1 the terminal can be read from."""
    program = start(
        """
from buvar import fork
async def task(): return input()
async def prepare(): yield task()
print("ready", flush=True)
print(fork.stage(prepare, forks=1))
""",
        **terminal.options(),
    )
    program.until("ready")
    os.write(terminal.master, b"typed\n")

    assert program.wait() == 0
    assert "['typed']" in program.output


def test_no_input_at_all(start) -> None:
    """Standard input that is no terminal stays what it is."""
    with Path(os.devnull).open() as null:
        program = start(
            """
import sys
from buvar import fork
async def task(): return sys.stdin.read()
async def prepare(): yield task()
print(fork.stage(prepare, forks=2))
""",
            stdin=null,
        )

        assert program.wait() == 0
    assert program.output == "['', '']\n"
