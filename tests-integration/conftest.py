"""The seed program as a service, answering with the process that served."""

from __future__ import annotations

import typing as t

from pathlib import Path

import pytest


SERVER = """\
import logging, os, signal, sys, time
import aiohttp.web
from buvar import context, di, fork, plugin
from buvar_aiohttp import AioHttpConfig
logging.basicConfig(level="WARNING")
logging.getLogger("buvar.fork").setLevel("INFO")
port = int(sys.argv[1])
async def hello(request):
    return aiohttp.web.Response(text=str(os.getpid()))
async def block(request):
    time.sleep(60)
async def prepare_aiohttp(load: plugin.Loader):
    await load("buvar_aiohttp")
    app = await di.nject(aiohttp.web.Application)
    app.router.add_route("GET", "/", hello)
    app.router.add_route("GET", "/block", block)
context.add(AioHttpConfig(host="127.0.0.1", port=port))
fork.stage(prepare_aiohttp, sockets=[f"tcp://127.0.0.1:{{port}}"], {options})
"""


@pytest.fixture
def serve(tmp_path: Path, buvar_service) -> t.Callable[..., t.Any]:
    """Start the program, and wait until its workers are ready."""

    def serve(options: str = "forks=2") -> t.Any:
        script = tmp_path / "server.py"
        script.write_text(SERVER.format(options=options))
        return buvar_service.program(script, "{port}")

    return serve
