"""The servers that the benchmark of a real request compares."""

from __future__ import annotations

import pathlib
import socket
import subprocess
import sys
import typing as t

from _http_servers import Service


#: What all of them have: a session per request, and a repo over it.
STORE = """\
import contextlib
import typing as t
class Session:
    def __init__(self, pool):
        self.pool, self.open = pool, True
    def fetch(self, number):
        return {"id": number, "name": self.pool[number % len(self.pool)]}
class Repo:
    def __init__(self, session):
        self.session = session
    async def item(self, number):
        return self.session.fetch(number)
class Pool(tuple):
    pass
POOL = Pool(f"item {number}" for number in range(100))
async def open_session(pool: Pool) -> t.AsyncIterator[Session]:
    session = Session(pool)
    try:
        yield session
    finally:
        session.open = False
def make_repo(session: Session) -> Repo:
    return Repo(session)
"""
BUVAR = """\
import aiohttp.web
import uvloop
from store import POOL, Repo, make_repo, open_session
from buvar import context, di, fork, plugin
from buvar_aiohttp import AioHttpConfig
from buvar_aiohttp import json
@di.inject
async def item(request: aiohttp.web.Request, repo: Repo):
    return json.response(await repo.item(int(request.match_info["n"])))
async def prepare(load: plugin.Loader):
    await load("buvar_aiohttp")
    context.add(POOL)
    di.register(open_session, make_repo, scope="layer")
    app = await di.nject(aiohttp.web.Application)
    app.router.add_get("/items/{{n}}", item)
context.add(AioHttpConfig(host="127.0.0.1", port={port}, access_log=False))
fork.stage(prepare, forks=1, sockets=["tcp://127.0.0.1:{port}"],
    loop_factory=uvloop.new_event_loop)
"""
HAND = """\
import asyncio, contextlib, signal
import aiohttp.web
import orjson
import uvloop
from store import POOL, make_repo, open_session
session_of = contextlib.asynccontextmanager(open_session)
async def item(request):
    async with session_of(POOL) as session:
        repo = make_repo(session)
        found = await repo.item(int(request.match_info["n"]))
    return aiohttp.web.Response(
        body=orjson.dumps(found), content_type="application/json")
async def main():
    app = aiohttp.web.Application()
    app.router.add_get("/items/{{n}}", item)
    runner = aiohttp.web.AppRunner(app, access_log=None)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", {port}).start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await runner.cleanup()
uvloop.run(main())
"""
FASTAPI = """\
import typing as t
import fastapi
import uvicorn
from store import POOL, Session, make_repo
async def pool():
    return POOL
async def session(pool: t.Annotated[t.Any, fastapi.Depends(pool)]):
    session = Session(pool)
    try:
        yield session
    finally:
        session.open = False
async def repo(session: t.Annotated[t.Any, fastapi.Depends(session)]):
    return make_repo(session)
class Item(__import__("pydantic").BaseModel):
    id: int
    name: str
app = fastapi.FastAPI()
# With a model to return it writes JSON in Rust, its fastest way.
@app.get("/items/{{n}}")
async def item(
    n: int, repo: t.Annotated[t.Any, fastapi.Depends(repo)]
) -> Item:
    return Item(**await repo.item(n))
if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port={port}, access_log=False,
        log_level="warning", loop="uvloop", http="httptools")
"""
LITESTAR = """\
import typing as t
import litestar
from litestar.di import Provide
from store import POOL, Pool, Repo, Session, make_repo
async def pool() -> Pool:
    return POOL
async def session(pool: Pool) -> t.AsyncGenerator[Session, None]:
    session = Session(pool)
    try:
        yield session
    finally:
        session.open = False
async def repo(session: Session) -> Repo:
    return make_repo(session)
@litestar.get("/items/{{n:int}}", dependencies=dict(
    pool=Provide(pool, use_cache=True), session=Provide(session),
    repo=Provide(repo)))
async def item(n: int, repo: Repo) -> dict[str, t.Any]:
    return await repo.item(n)
app = litestar.Litestar([item], openapi_config=None,
    signature_types=[Pool, Session, Repo], logging_config=None)
if __name__ == "__main__":
    import uvicorn
    uvicorn.run(app, host="127.0.0.1", port={port}, access_log=False,
        log_level="warning", loop="uvloop", http="httptools")
"""
GRANIAN = (
    *("-m", "granian", "--interface", "asgi", "--loop", "uvloop"),
    *("--workers", "1", "--no-ws", "--no-access-log", "--log-level"),
    *("warning", "--host", "127.0.0.1"),
)
CASES: t.Final = {
    "by hand, bare aiohttp": HAND,
    "buvar": BUVAR,
    "FastAPI, uvicorn": FASTAPI,
    "Litestar, uvicorn": LITESTAR,
    "Litestar, granian": LITESTAR,
}
#: What each of them is made of.
PACKAGES: t.Final = (
    *("aiohttp", "fastapi", "litestar", "uvicorn", "granian", "uvloop"),
    *("orjson", "pydantic", "msgspec", "httptools"),
)


class Served(Service):
    """A server in a folder of its own."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        folder.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as sock:
            self.port = sock.getsockname()[1]
        (folder / "store.py").write_text(STORE)
        (folder / "main.py").write_text(CASES[name].format(port=self.port))
        command = [sys.executable, "main.py"]
        if name.endswith("granian"):
            port = ("--port", str(self.port))
            command = [sys.executable, *GRANIAN, *port, "main:app"]
        with (folder / "output").open("w") as output:
            self.process = subprocess.Popen(
                command, cwd=folder, stdout=output, stderr=output
            )


if __name__ == "__main__":
    sys.exit("This module is a part of the benchmark of requests beside it.")
