"""The servers that the benchmark of HTTP compares, each a process."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import typing as t


#: Seconds after which a server has to be up, or a load to be over.
BOUND = 60.0

HANDLER = """\
import logging
import aiohttp.web
async def hello(request):
    return aiohttp.web.Response(body=b"Hello, world")
def log_to(path):
    logging.basicConfig(filename=path, level="INFO", format="%(message)s")
"""
BARE = """\
import asyncio, signal, sys
import aiohttp.web
from app import hello, log_to
log_to("bare.log")
async def main():
    app = aiohttp.web.Application()
    app.router.add_route("GET", "/", hello)
    options = {{}} if {log} else {{"access_log": None}}
    runner = aiohttp.web.AppRunner(app, **options)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", {port}).start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await runner.cleanup()
if "{loop}" == "uvloop":
    import uvloop
    uvloop.run(main())
else:
    asyncio.run(main())
"""
BUVAR = """\
import aiohttp.web
from app import hello, log_to
from buvar import context, di, fork, plugin
from buvar_aiohttp import AioHttpConfig
log_to("buvar.log")
async def prepare(load: plugin.Loader):
    await load("buvar_aiohttp")
    app = await di.nject(aiohttp.web.Application)
    app.router.add_route("GET", "/", hello)
options = {{}}
if "{loop}" == "uvloop":
    import uvloop
    options["loop_factory"] = uvloop.new_event_loop
context.add(AioHttpConfig(host="127.0.0.1", port={port}, access_log={log}))
fork.stage(prepare, forks={workers}, sockets=["tcp://127.0.0.1:{port}"],
    **options)
"""
GUNICORN = """\
import aiohttp.web
from app import hello
app = aiohttp.web.Application()
app.router.add_route("GET", "/", hello)
"""
WORKER = {
    "asyncio": "aiohttp.GunicornWebWorker",
    "uvloop": "aiohttp.GunicornUVLoopWebWorker",
}


@dataclasses.dataclass(frozen=True)
class Case:
    """A server, in one of its set-ups."""

    kind: str
    loop: str
    workers: int
    log: bool = False

    def __str__(self) -> str:
        return f"{self.kind}, {self.loop}" + (", log" if self.log else "")


CASES = (
    *(
        Case(kind, loop, 1)
        for loop in ("asyncio", "uvloop")
        for kind in ("bare aiohttp", "buvar")
    ),
    *(
        Case(kind, "asyncio", 1, log=True)
        for kind in ("bare aiohttp", "buvar")
    ),
    *(
        Case(kind, loop, 2)
        for loop in ("asyncio", "uvloop")
        for kind in ("gunicorn", "buvar")
    ),
)


class Service:
    """A server in a folder of its own."""

    def __init__(self, folder: pathlib.Path, case: Case) -> None:
        folder.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as sock:
            self.port: int = sock.getsockname()[1]
        (folder / "app.py").write_text(HANDLER)
        text = {"gunicorn": GUNICORN, "buvar": BUVAR}.get(case.kind, BARE)
        if case.kind != "gunicorn":
            text = text.format(port=self.port, **dataclasses.asdict(case))
        (folder / "main.py").write_text(text)
        command = [sys.executable, "main.py"]
        if case.kind == "gunicorn":
            command = [
                *(sys.executable, "-m", "gunicorn", "main:app"),
                *("-k", WORKER[case.loop], "-w", str(case.workers)),
                *("-b", f"127.0.0.1:{self.port}", "--log-level", "error"),
                # aiohttp's own default, as gunicorn's 2 s end connections.
                *("--keep-alive", "3630"),
            ]
        with (folder / "output").open("w") as output:
            self.process = subprocess.Popen(
                command, cwd=folder, stdout=output, stderr=output
            )

    def up(self) -> None:
        """Wait until it answers."""
        end = time.monotonic() + BOUND
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit(f"{self.process.args}: it does not serve")
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def _pids(self) -> list[int]:
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        return [pid, *map(int, children.read_text().split())]

    def seconds(self) -> float:
        """Return the processor time it has taken, all its processes."""
        ticks = 0
        for pid in self._pids():
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            fields = stat.rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def rss(self) -> int:
        """Return its resident memory, in KiB."""
        total = 0
        for pid in self._pids():
            text = pathlib.Path(f"/proc/{pid}/status").read_text()
            found = re.search(r"VmRSS:\s+(\d+)", text)
            total += int(found[1]) if found else 0
        return total


@contextlib.contextmanager
def awake() -> t.Iterator[None]:
    """Keep all processors busy with what gives way to anything else."""
    idle = "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))"
    spin = f"import os\n{idle}\nwhile True: pass"
    spinners = [
        subprocess.Popen([sys.executable, "-c", spin])
        for _ in range(os.cpu_count() or 1)
        if hasattr(os, "SCHED_IDLE")
    ]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


if __name__ == "__main__":
    sys.exit("This module is a part of the benchmark of HTTP beside it.")
