"""
A real request: a handler with an injected repo over a session, beside peers.

``GET /items/{n}`` is answered as JSON from a repo that a function makes, over
a session that an async generator opens and closes for each request. One
worker, uvloop, 64 kept connections of wrk; nothing logs requests. The same is
written by hand on bare ``aiohttp.web``, and on FastAPI and Litestar in their
documented fastest set-ups.

All servers run at once and take turns under load, see ``http.py``.

Needs buvar-aiohttp, uvloop, serve-requirements.txt, and wrk, or else takes a
client of its own, which is slower than some servers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from _http_servers import BOUND
from _http_servers import awake
from _rounds import machine
from _rounds import spread
from _serve_servers import CASES
from _serve_servers import PACKAGES
from _serve_servers import Served


CLIENTS = 64
PATH = "/items/42"
EXPECTED = {"id": 42, "name": "item 42"}
#: What a case needs beside buvar and aiohttp.
PEERS = ("fastapi", "litestar", "uvicorn", "granian")


def load(port: int, seconds: float) -> tuple[int, float]:
    """Return how many requests were answered, and how many per second."""
    url = f"http://127.0.0.1:{port}{PATH}"
    if wrk := shutil.which("wrk"):
        span = f"-d{max(1, round(seconds))}s"
        command = [wrk, "-t1", f"-c{CLIENTS}", span, url]
    else:
        command = [sys.executable, __file__, "--client", f"{port}"]
        command += [f"--seconds={seconds}"]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=BOUND
    )
    number = re.search(r"(\d+) requests in", done.stdout)
    speed = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if not number or not speed or "Non-2xx" in done.stdout:
        sys.exit(done.stdout)
    return int(number[1]), float(speed[1])


async def client(port: int, seconds: float) -> None:
    """Be what wrk is, where there is none, with its words."""
    request = f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    start, number = time.monotonic(), 0

    async def client() -> None:
        nonlocal number
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < start + seconds:
            writer.write(request)
            await reader.readuntil(b"}")
            number += 1
        writer.close()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    spent = time.monotonic() - start
    print(f"{number} requests in {spent:.2f}s")
    print(f"Requests/sec: {number / spent:.2f}")


def check(name: str, service: Served) -> None:
    """Refuse a server that answers something else."""
    service.up()
    address = ("127.0.0.1", service.port)
    with socket.create_connection(address, BOUND) as sock:
        request = (
            f"GET {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        sock.sendall(request.encode())
        answer = sock.makefile("rb").read()
    found = json.loads(answer.partition(b"\r\n\r\n")[2])
    if found != EXPECTED:
        sys.exit(f"{name} answers {found}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", default="", help="part of a case's name")
    parser.add_argument("--client", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        asyncio.run(client(options.client, options.seconds))
        return
    missing = [peer for peer in PEERS if not importlib.util.find_spec(peer)]
    names = [
        name
        for name in CASES
        if (options.only in name or name == next(iter(CASES)))
        and not any(peer in name.lower() for peer in missing)
    ]
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        services: dict[str, Served] = {}
        for number, name in enumerate(names):
            place = pathlib.Path(folder) / str(number)
            services[name] = Served(place, name)
            stack.callback(services[name].stop)
        stack.enter_context(awake())
        for name, service in services.items():
            check(name, service)
            load(service.port, 1)
        report(*measure(services, options), missing)


def measure(
    services: dict[str, Served], options: argparse.Namespace
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return processor seconds per request, and requests per second."""
    times: dict[str, list[float]] = {name: [] for name in services}
    speeds: dict[str, list[float]] = {name: [] for name in services}
    for number in range(options.rounds):
        # Whatever drifts within a round hits both sides.
        for name in [*services] if number % 2 else [*reversed(services)]:
            before = services[name].seconds()
            served, speed = load(services[name].port, options.seconds)
            spent = services[name].seconds() - before
            times[name].append(spent / served * 1e6)
            speeds[name].append(speed)
    return times, speeds


def report(
    times: dict[str, list[float]],
    speeds: dict[str, list[float]],
    missing: list[str],
) -> None:
    """Print a table of medians, each beside the same by hand."""
    hand = next(iter(times))
    packages = [package for package in PACKAGES if package not in missing]
    print(f"### A real request, 1 worker\n\n{machine(packages)}\n")
    print("| case | requests/s | x by hand | processor us | x by hand |")
    print("|---|--:|--:|--:|--:|")
    for name, spent in times.items():
        print(
            f"| {name} | {statistics.median(speeds[name]):,.0f} "
            f"| {spread(speeds[name], speeds[hand])} "
            f"| {statistics.median(spent):,.1f} "
            f"| {spread(spent, times[hand])} |"
        )
    print("\n".join(["", "Missing peers:", *missing] if missing else []))


if __name__ == "__main__":
    main()
