"""
Hello world over HTTP: beside bare aiohttp, and beside gunicorn.

One worker: an ``aiohttp.web.Application`` on its own ``AppRunner`` and the
same handler as a buvar plugin, on asyncio and uvloop, on kept connections and
with a connection per request; neither logs requests, one pair of cases does.
Two workers: gunicorn with aiohttp's worker, in its own fastest set-up, and
``fork.stage``.

All servers are started first and then take turns under load, which comes from
wrk where it is installed, else from a client in a process of its own. Beside
requests per second, which suffer from whatever else the machine does, the
processor time of the servers per request is compared. Processors are kept
from falling asleep meanwhile: in a virtual machine to wake one up costs as
much as a tenth of a request, and whether a client has fallen asleep between
two answers hangs by a thread.

Needs buvar-aiohttp, uvloop, and http-requirements.txt.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t

from _http_servers import BOUND
from _http_servers import CASES
from _http_servers import Case
from _http_servers import Service
from _http_servers import awake
from _rounds import machine
from _rounds import spread


CLIENTS = 32


def load(port: int, seconds: float, *, keep: bool) -> tuple[int, float]:
    """Return how many requests were answered, and how many per second."""
    if wrk := shutil.which("wrk"):
        close = [] if keep else ["-H", "Connection: close"]
        command = [wrk, "-t1", f"-c{CLIENTS}", f"-d{max(1, round(seconds))}s"]
        command += [*close, f"http://127.0.0.1:{port}/"]
    else:
        command = [sys.executable, __file__, "--client", f"{port}"]
        command += [f"--seconds={seconds}", *(["--keep"] if keep else [])]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=BOUND
    )
    number = re.search(r"(\d+) requests in", done.stdout)
    speed = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if not number or not speed or "Non-2xx" in done.stdout:
        sys.exit(done.stdout)
    return int(number[1]), float(speed[1])


async def client(port: int, seconds: float, *, keep: bool) -> None:
    """Be what wrk is, where there is none, with its words."""
    head = b"" if keep else b"Connection: close\r\n"
    request = b"GET / HTTP/1.1\r\nHost: x\r\n%s\r\n" % head
    start = time.monotonic()
    number = 0

    async def client() -> None:
        nonlocal number
        while time.monotonic() < start + seconds:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while time.monotonic() < start + seconds:
                writer.write(request)
                await reader.readuntil(b"Hello, world")
                number += 1
                if not keep:
                    break
            writer.close()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    spent = time.monotonic() - start
    print(f"{number} requests in {spent:.2f}s")
    print(f"Requests/sec: {number / spent:.2f}")


def memory(service: Service, requests: int) -> str:
    """Say how memory grows with requests, once the first were served."""
    load(service.port, 3, keep=True)
    before, served = service.rss(), 0
    while served < requests:
        served += load(service.port, 3, keep=True)[0]
        served += load(service.port, 3, keep=False)[0]
    growth = service.rss() - before
    return f"{before:,} KiB, {growth:+,} KiB after {served:,} requests"


def report(
    title: str,
    times: dict[Case, list[float]],
    speeds: dict[Case, list[float]],
) -> None:
    """
    Print a table of medians, each beside its peer on the same loop.

    Ratios are those of a round; behind them stand the least and the greatest.
    """
    print(f"### {title}\n\n{machine(['aiohttp', 'gunicorn', 'uvloop'])}\n")
    print("| case | requests/s | x peer | processor us/request | x peer |")
    print("|---|--:|--:|--:|--:|")
    peer = next(iter(times))
    for case, spent in times.items():
        if case.kind != "buvar":
            peer = case
        print(
            f"| {case} | {statistics.median(speeds[case]):,.0f} "
            f"| {spread(speeds[case], speeds[peer])} "
            f"| {statistics.median(spent):,.1f} "
            f"| {spread(spent, times[peer])} |"
        )
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--only", default="", help="part of a case's name")
    parser.add_argument("--client", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        asyncio.run(client(options.client, options.seconds, keep=options.keep))
        return
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(
            stack.enter_context(tempfile.TemporaryDirectory())
        )
        services: dict[Case, Service] = {}
        for number, case in enumerate(CASES):
            if options.only in f"{case}, {case.workers}":
                services[case] = Service(folder / str(number), case)
                stack.callback(services[case].stop)
        stack.enter_context(awake())
        for service in services.values():
            service.up()
            load(service.port, 1, keep=True)
        for workers in (1, 2):
            for keep in (True, False):
                group = {
                    c: s for c, s in services.items() if c.workers == workers
                }
                measure(group, options, keep=keep, workers=workers)
        for case, service in services.items():
            if options.requests and not case.log and case.kind != "gunicorn":
                text = memory(service, options.requests)
                print(f"Memory of {case}, {case.workers}: {text}", flush=True)


def measure(
    group: dict[Case, Service],
    options: argparse.Namespace,
    *,
    keep: bool,
    workers: int,
) -> None:
    if not group:
        return
    times: dict[Case, list[float]] = {case: [] for case in group}
    speeds: dict[Case, list[float]] = {case: [] for case in group}
    for number in range(options.rounds):
        # Whatever drifts within a round hits both sides.
        for case in [*group] if number % 2 else [*reversed(group)]:
            before = group[case].seconds()
            served, speed = load(group[case].port, options.seconds, keep=keep)
            spent = group[case].seconds() - before
            times[case].append(spent / served * 1e6)
            speeds[case].append(speed)
    what = "kept connections" if keep else "a connection per request"
    title = (
        f"Hello world, {workers} worker{'s' if workers > 1 else ''}, {what}"
    )
    report(title, times, speeds)


if __name__ == "__main__":
    main()
