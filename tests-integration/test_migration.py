"""What the older library's README shows works by the migration page's advice.

The programs are in our own words: they do what those of 0.44 do.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.request

from pathlib import Path

import pytest


TIMEOUT = 60  # seconds, a bound and no expectation

PLUGINS = """
    import asyncio

    from buvar import context, plugin


    class Inventory:
        def __init__(self):
            self.open = True


    async def count():
        await asyncio.sleep(0)
        return context.get(Inventory).open


    async def serve():
        await context.get(plugin.Cancel).wait()
        return "served"


    async def end(cancel: plugin.Cancel):
        cancel.set()


    async def prepare(load: plugin.Loader, teardown: plugin.Teardown):
        await load(".prices")
        inventory = context.add(Inventory())
        teardown.add(print, "closed", context.get(str, name="currency"))
        yield count()
        yield serve()
        yield end(context.get(plugin.Cancel))
"""

PRICES = """
    from buvar import context


    async def prepare():
        context.add("EUR", name="currency")
"""

INJECTION = """
    from __future__ import annotations

    from buvar import di, plugin


    class Engine:
        pass


    class Car:
        def __init__(self, engine: Engine | None = None):
            self.engine = engine

        @classmethod
        async def named(cls, name: str) -> Car:
            return cls()


    async def with_engine(engine: Engine) -> Car:
        return Car(engine)


    async def drive():
        car = await di.nject(Car, name="beetle")
        assert car.engine is None
        engine = Engine()
        car = await di.nject(Car, engine=engine)
        assert car.engine is engine
        return "driven"


    async def prepare():
        di.register(Car.named)
        di.register(with_engine)
        yield drive()


    print(plugin.stage(prepare))
"""

CONFIGURATION = """
    import attr
    import toml

    from buvar import config, context, di, log, plugin


    @attr.s(auto_attribs=True)
    class General:
        log_level: str = "INFO"
        verbose: bool = config.bool_var(False)


    @attr.s(auto_attribs=True)
    class Shop:
        title: str


    @attr.s(auto_attribs=True)
    class ShopSection(config.Config, section="shop"):
        title: str


    settings = toml.load("config.toml")
    source = config.ConfigSource(settings, env_prefix="APP", unknown="ignore")
    assert source.load(General) == General(log_level="DEBUG", verbose=True)
    assert source.load(Shop, "shop").title == "from the environment"


    async def show():
        print((await di.nject(ShopSection)).title)


    async def prepare(load: plugin.Loader):
        context.add(source)
        await load(config)
        log.LogConfig(tty=False, level="DEBUG").setup()
        yield show()


    plugin.stage(prepare)
"""

FORKED = """
    import sys

    import aiohttp.web

    from buvar import context, di, fork, plugin
    from buvar_aiohttp import AioHttpConfig


    async def hello(request):
        return aiohttp.web.Response(body=b"Hello, world")


    async def prepare_web(load: plugin.Loader):
        await load("buvar_aiohttp")
        app = await di.nject(aiohttp.web.Application)
        app.router.add_route("GET", "/", hello)


    port = int(sys.argv[1])
    context.add(AioHttpConfig(host="0.0.0.0", port=port))
    fork.stage(prepare_web, forks=2, sockets=[f"tcp://:{port}"])
"""

TESTS = """
    import pytest

    from buvar import context, plugin


    async def prepare():
        context.add("prepared")


    @pytest.mark.asyncio
    @pytest.mark.buvar_plugins("test_shop")
    async def test_marked(buvar_plugin_context):
        assert context.get(str) == "prepared"


    @pytest.mark.asyncio
    async def test_loaded(buvar_load):
        await buvar_load(prepare)
        assert context.get(str) == "prepared"


    @pytest.mark.asyncio
    async def test_stage(buvar_stage, buvar_context):
        assert isinstance(buvar_stage, plugin.Stage)
"""


def run(folder: Path, *words: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", *words],
        cwd=folder,
        env={**os.environ, "PYTEST_ADDOPTS": "", **variables},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text), "utf-8")


def test_plugins(tmp_path: Path) -> None:
    """Plugins load each other, yield tasks, and are torn down."""
    write(tmp_path / "stock" / "__init__.py", PLUGINS)
    write(tmp_path / "stock" / "prices.py", PRICES)
    program = "from buvar import plugin\nprint(plugin.stage('stock'))"

    output = run(tmp_path, "-c", program)

    assert output == "closed EUR\n[True, 'served', None]\n"


def test_injection(tmp_path: Path) -> None:
    """Adapters are chosen by what they need, keywords included."""
    write(tmp_path / "drive.py", INJECTION)

    assert run(tmp_path, "drive.py") == "['driven']\n"


def test_configuration(tmp_path: Path) -> None:
    """Sections are loaded from TOML, and variables win."""
    write(tmp_path / "shop.py", CONFIGURATION)
    tmp_path.joinpath("config.toml").write_text(
        'log_level = "DEBUG"\nverbose = "yes"\n[shop]\ntitle = "a file"\n'
    )

    output = run(tmp_path, "shop.py", APP_SHOP_TITLE="from the environment")

    assert output == "from the environment\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
def test_forked(tmp_path: Path) -> None:
    """Workers share a socket, and end with exit code 0."""
    write(tmp_path / "web.py", FORKED)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "web.py", str(port)]

    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            said = process.stderr.readline()
            assert "2 workers are ready" in said, said + process.stderr.read()
            url = f"http://127.0.0.1:{port}/"
            with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
                assert response.read() == b"Hello, world"
            process.send_signal(signal.SIGTERM)
            assert process.wait(TIMEOUT) == 0
        finally:
            process.kill()


def test_fixtures(tmp_path: Path) -> None:
    """The fixtures and the marker have their old names."""
    write(tmp_path / "test_shop.py", TESTS)
    scope = "asyncio_default_fixture_loop_scope=function"
    words = "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", scope

    assert "3 passed" in run(tmp_path, *words, PYTHONPATH=str(tmp_path))
