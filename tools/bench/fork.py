"""
Forked workers: how requests are spread, and what each worker costs.

Spread: 64 clients, a connection per request, two workers; a shared socket and
one socket per worker (SO_REUSEPORT). Memory: the proportional set size (PSS)
of all processes, with 2 workers and with 4: half the difference is an extra
worker; idle, i.e. after as few requests as show that all workers serve, and
after as many requests for each worker; beside gunicorn with aiohttp's worker,
in turns, the same handler, asyncio's loop and no access log in both. A worker
shares less with its parent with each page that it writes to: when code runs
for the first time, and when its garbage collector visits what it has
inherited. "buvar" loads all of buvar_aiohttp, so it has a client session too;
"buvar, server only" has what gunicorn's worker has.

Needs buvar-fork and buvar-aiohttp, and fork-requirements.txt.
"""

from __future__ import annotations

import asyncio
import collections
import itertools
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import typing as t

from _rounds import machine


ROUNDS = 3
CLIENTS = 64
REQUESTS = 4000
#: For each worker, to measure memory: clients, and requests so far.
SHARE = 32
SO_FAR = 0, 2_000, 20_000

HANDLER = """\
import os
import aiohttp.web
async def hello(request):
    return aiohttp.web.Response(text=str(os.getpid()))
"""
BUVAR = """\
import aiohttp.web
from app import hello
from buvar import context, di, fork, plugin
from buvar_aiohttp import AioHttpConfig, prepare_app, prepare_server
async def prepare(load: plugin.Loader):
    await load({load})
    app = await di.nject(aiohttp.web.Application)
    app.router.add_route("GET", "/", hello)
context.add(AioHttpConfig(host="127.0.0.1", port={port}, access_log=False))
fork.stage(prepare, forks={first}, sockets=["tcp://127.0.0.1:{port}"],
    reuse_port={reuse_port})
"""
LOAD = {
    "buvar": "'buvar_aiohttp'",
    "buvar, server only": "prepare_app, prepare_server",
}
GUNICORN = """\
import aiohttp.web
from app import hello
def make():
    app = aiohttp.web.Application()
    app.router.add_route("GET", "/", hello)
    return app
app = make()
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


class Service:
    """A server in a process group of its own."""

    def __init__(
        self, folder: str, kind: str, workers: int, **options
    ) -> None:
        self.port = free_port()
        path = pathlib.Path(folder)
        path.joinpath("app.py").write_text(HANDLER)
        if kind in LOAD:
            text = BUVAR.format(
                port=self.port, first=workers, load=LOAD[kind], **options
            )
            path.joinpath("main.py").write_text(text)
            command = [sys.executable, "main.py"]
        else:
            path.joinpath("main.py").write_text(GUNICORN)
            command = [
                *(sys.executable, "-m", "gunicorn", "main:app", "--preload"),
                *("-k", "aiohttp.GunicornWebWorker", "-w", str(workers)),
                *("-b", f"127.0.0.1:{self.port}", "--log-level", "error"),
            ]
        self.process = subprocess.Popen(command, cwd=folder)

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def pss(self) -> int:
        """Return the memory of all its processes, in KiB."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        total = 0
        for each in [pid, *map(int, children.read_text().split())]:
            rollup = pathlib.Path(f"/proc/{each}/smaps_rollup").read_text()
            total += next(
                int(line.split()[1])
                for line in rollup.splitlines()
                if line.startswith("Pss:")
            )
        return total


async def load(
    port: int, clients: int = CLIENTS, requests: int = REQUESTS
) -> collections.Counter[int]:
    """Send requests, a connection each, and count who served them."""
    served: collections.Counter[int] = collections.Counter()
    left = iter(range(requests))

    async def client() -> None:
        for _ in left:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            response = await reader.read()
            served[int(response.rpartition(b"\r\n\r\n")[2])] += 1
            writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return served


async def up(port: int, workers: int) -> None:
    """Wait until all workers serve, with as few requests as possible."""
    seen: set[int] = set()
    async with asyncio.timeout(60):
        while len(seen) < workers:
            try:
                seen |= set(await load(port, 8, 16))
            except (OSError, ValueError):
                await asyncio.sleep(0.05)


def spread(**options) -> float:
    """Return the share of the worker that served least."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Service(folder, "buvar", 2, **options) as service,
    ):
        asyncio.run(up(service.port, 2))
        served = asyncio.run(load(service.port))
        return min(served.values()) / sum(served.values())


def memory(kind: str, workers: int) -> list[int]:
    """Return the memory of a service, idle and after so many requests."""
    found = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Service(folder, kind, workers, reuse_port=False) as service,
    ):
        asyncio.run(up(service.port, workers))
        for before, after in itertools.pairwise((0, *SO_FAR)):
            more = (after - before) * workers
            asyncio.run(load(service.port, SHARE * workers, more))
            found.append(service.pss())
    return found


def main() -> None:
    shares: dict[str, list[float]] = collections.defaultdict(list)
    costs: dict[tuple[int, str], list[float]] = collections.defaultdict(list)
    for _ in range(ROUNDS):
        for name, reuse in (("shared", False), ("SO_REUSEPORT", True)):
            shares[name].append(spread(reuse_port=reuse))
        for kind in (*LOAD, "gunicorn"):
            few, many = memory(kind, 2), memory(kind, 4)
            for so_far, less, more in zip(SO_FAR, few, many):
                costs[so_far, kind].append((more - less) / 2)
    print("### Forked workers\n")
    print(machine(["aiohttp", "gunicorn"]), "\n", sep="")
    print(
        "| 2 workers, 64 clients | least share | median share |\n|---|--:|--:|"
    )
    for name, values in shares.items():
        print(
            f"| {name} | {min(values):.1%} | {statistics.median(values):.1%} |"
        )
    print("\n| PSS per extra worker | requests | KiB | x gunicorn |")
    print("|---|--:|--:|--:|")
    for so_far, kind in sorted(costs, key=lambda key: key[0]):
        median = statistics.median(costs[so_far, kind])
        ratio = median / statistics.median(costs[so_far, "gunicorn"])
        when = f"{so_far:,}" if so_far else "idle"
        print(f"| {kind} | {when} | {median:,.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
