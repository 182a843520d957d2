"""
Run commands in copies of an interpreter that has imported what they need.

A new interpreter spends most of a second on imports, and the tests of this
package would start some two hundred. Here one imports once and forks for each
command. The copy gets the arguments, folder, environment and streams that it
is to have, runs ``python -m buvar.cli`` or a program, and ends as any
interpreter does. ``fresh=True`` starts a new one all the same: each command
is tested that way, too, so that nothing hangs on what was imported before.

``python -P warm.py`` is the interpreter that is copied. Its standard input is
the socket that it gets requests from.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import typing as t

from pathlib import Path


TIMEOUT = 60  # seconds, a bound and no expectation
MODULES = (
    "aiohttp.web",
    "buvar.cli._application",
    "buvar.cli._commands",
    "buvar.fork",
    "rich.traceback",
    "structlog",
)


class Process:
    """
    A command that runs, killed at the end of a ``with`` block.

    Args:
        report: Tells the process id, and later the exit code.
    """

    def __init__(self, report: socket.socket) -> None:
        report.settimeout(TIMEOUT)
        self._report = report.makefile()
        report.close()
        self.pid = int(self._report.readline())
        self._code: int | None = None

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)
        self._report.close()

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Return the exit code; a negative one is the signal that ended it."""
        if self._code is None:
            self._code = int(self._report.readline())
        return self._code


class Interpreter:
    """The interpreter that is copied, started when it is first needed."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    @functools.cached_property
    def _requests(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", __file__], stdin=theirs
            )
        # It ends when nobody can ask it for anything any more.
        self._stack.callback(process.wait, TIMEOUT)
        return self._stack.enter_context(ours)

    def close(self) -> None:
        """End it."""
        self._stack.close()

    def start(
        self,
        *argv: str,
        cwd: Path,
        stdout: int = 1,
        stderr: int = 2,
    ) -> Process:
        """Start ``python [-P] -m module ...`` or ``python file ...``."""
        ours, theirs = socket.socketpair()
        request = {"argv": argv, "cwd": str(cwd), "env": dict(os.environ)}
        text = json.dumps(request).encode() + b"\n"
        with theirs:
            fds = [stdout, stderr, theirs.fileno()]
            sent = socket.send_fds(self._requests, [text], fds)
            self._requests.sendall(text[sent:])
        return Process(ours)

    def run(
        self, *argv: str, cwd: Path, fresh: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python`` with these arguments, and return what came of it."""
        if fresh or sys.platform == "win32":
            return subprocess.run(
                [sys.executable, *argv],
                cwd=cwd,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        with (
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as err,
            self.start(
                *argv, cwd=cwd, stdout=out.fileno(), stderr=err.fileno()
            ) as process,
        ):
            code = process.wait()
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(
                argv, code, out.read(), err.read()
            )


def serve() -> list[str]:
    """Fork for each request, and return the arguments in the copy."""
    with socket.socket(fileno=os.dup(0)) as requests:
        while True:
            text, fds, _, _ = socket.recv_fds(requests, 1 << 16, 3)
            while text and not text.endswith(b"\n"):
                text += requests.recv(1 << 16)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    """Those that watched over earlier commands."""
            if not text:
                sys.exit()
            if os.fork() == 0:
                break
            for fd in fds:
                os.close(fd)
    watch(fds.pop())
    null = os.open(os.devnull, os.O_RDONLY)
    for number, fd in enumerate([null, *fds]):
        os.dup2(fd, number)
        os.close(fd)
    request = json.loads(text)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    argv: list[str] = request["argv"]
    return argv


def watch(report: int) -> None:
    """Fork once more: watch over the copy, which alone returns from here."""
    pid = os.fork()
    if pid == 0:
        os.close(report)
        return
    os.write(report, b"%d\n" % pid)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        os.write(report, b"%d\n" % code)
    os._exit(0)


def main() -> None:
    """Be ``python`` with the arguments of a request."""
    for name in MODULES:
        importlib.import_module(name)
    argv = serve()
    sys.orig_argv[1:] = argv
    if argv[0] == "-P":
        argv.pop(0)
    elif argv[0] == "-m":
        sys.path.insert(0, str(Path.cwd()))
    else:
        sys.path.insert(0, str(Path(argv[0]).resolve().parent))
    if argv[0] == "-m":
        sys.argv[:] = argv[1:]
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = argv
        runpy.run_path(argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
