"""
A real nginx in front of three instances that are replaced, one by one.

It is skipped where nginx is not installed. ``BUVAR_NGINX_REQUESTS`` says how
many requests are sent in each way at least.
"""

from __future__ import annotations

import asyncio
import collections
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import typing as t

from pathlib import Path

import aiohttp
import pytest


TIMEOUT = 60.0  # seconds, a bound and no expectation
REQUESTS = int(os.environ.get("BUVAR_NGINX_REQUESTS", "300"))
#: Where Debian installs it, which is not on everybody's path.
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

INSTANCE = """\
import logging, os
import aiohttp.web
from buvar import context, fork, plugin
from buvar_aiohttp import AioHttpConfig
logging.basicConfig(level="WARNING")

async def echo(request):
    body = await request.read()
    return aiohttp.web.Response(text=f"{{request.remote}} {{len(body)}}")

async def prepare(load: plugin.Loader):
    context.add(AioHttpConfig(
        host="127.0.0.1", port={port}, drain_delay={delay},
        trusted_proxies=["127.0.0.1"],
    ))
    await load("buvar_aiohttp", "buvar_aiohttp.health")
    app = context.get(aiohttp.web.Application)
    app.router.add_route("*", "/", echo)

fork.stage(prepare, forks={forks}, sockets=["tcp://127.0.0.1:{port}"])
"""

CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream service {{
        {servers}
        {keepalive}
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://service;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For 192.0.2.7;
        }}
    }}
}}
"""


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(number)]
    for sock in sockets:
        sock.bind(("127.0.0.1", 0))
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


class Fleet:
    """The instances, and nginx in front of them."""

    def __init__(self, folder: Path, *, keeps: bool, forks: int) -> None:
        self.folder = folder
        self.keeps = keeps
        self.forks = forks
        self.port, *self.ports = free_ports(4)
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, port: int) -> None:
        """Start an instance."""
        script = self.folder / f"instance{port}.py"
        script.write_text(
            INSTANCE.format(port=port, delay=0.5, forks=self.forks)
        )
        self.processes[port] = subprocess.Popen([sys.executable, str(script)])

    def start_nginx(self) -> None:
        """Start nginx, with a prefix of its own."""
        config = self.folder / "nginx.conf"
        config.write_text(
            CONFIG.format(
                folder=self.folder,
                port=self.port,
                servers="\n".join(
                    # Else one that was replaced is left out for 10 seconds,
                    # and soon there may be no other.
                    f"server 127.0.0.1:{port} max_fails=0;"
                    for port in self.ports
                ),
                keepalive="keepalive 16;" if self.keeps else "",
            )
        )
        self.processes[self.port] = subprocess.Popen(
            [str(NGINX), "-p", str(self.folder), "-c", str(config)]
        )

    async def replace(self, port: int) -> None:
        """Stop an instance, wait for its end, and start it again."""
        process = self.processes[port]
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, TIMEOUT) == 0
        self.start(port)
        await self.until_ready(port)

    async def until_ready(self, port: int) -> None:
        """Wait until an instance is ready."""
        url = f"http://127.0.0.1:{port}/health/ready"
        async with (
            asyncio.timeout(TIMEOUT),
            aiohttp.ClientSession() as session,
        ):
            while True:
                try:
                    async with session.get(url) as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    def end(self) -> None:
        """End all of them."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def fleet(tmp_path: Path) -> t.Iterator[t.Callable[..., Fleet]]:
    """Make a fleet, and end it."""
    made: list[Fleet] = []

    def fleet(**options: t.Any) -> Fleet:
        made.append(Fleet(tmp_path, **options))
        return made[-1]

    yield fleet
    for one in made:
        one.end()


async def replace_all(fleet: Fleet) -> collections.Counter[object]:
    """Replace each instance while requests are sent; count the answers."""
    found: collections.Counter[object] = collections.Counter()
    replaced = asyncio.Event()
    url = f"http://127.0.0.1:{fleet.port}/"

    async def ask(number: int) -> None:
        connector = aiohttp.TCPConnector(force_close=not fleet.keeps)
        timeout = aiohttp.ClientTimeout(TIMEOUT)
        body = b"x" * 100 * (number % 2)
        expected = f"192.0.2.7 {len(body)}"
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout
        ) as session:
            while not replaced.is_set() or found.total() < REQUESTS:
                try:
                    async with session.post(url, data=body) as answer:
                        text = await answer.text()
                        ok = answer.status == 200 and text == expected
                        found["ok" if ok else answer.status] += 1
                except aiohttp.ClientError as error:
                    found[repr(error)] += 1

    for port in fleet.ports:
        fleet.start(port)
    for port in fleet.ports:
        await fleet.until_ready(port)
    fleet.start_nginx()
    await fleet.until_ready(fleet.port)
    start = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(ask(number))
        for port in fleet.ports:
            await fleet.replace(port)
        replaced.set()
    error_log = fleet.folder / "error.log"
    sys.stdout.write(
        f"kept: {fleet.keeps}, workers: {fleet.forks}, "
        f"{time.monotonic() - start:.0f} s: {dict(found)}\n"
        f"{'' if set(found) == {'ok'} else error_log.read_text()[-3000:]}"
    )
    return found


@pytest.mark.parametrize(
    ("keeps", "forks"), [(True, 2), (False, 1)], ids=["kept", "not kept"]
)
def test_nothing_is_lost(fleet, keeps: bool, forks: int) -> None:
    """No request is lost, those included that nginx must not repeat."""
    found = asyncio.run(replace_all(fleet(keeps=keeps, forks=forks)))
    assert set(found) == {"ok"}
    assert found.total() >= REQUESTS
