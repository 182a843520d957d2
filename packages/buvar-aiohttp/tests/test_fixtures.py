"""The fixtures for pytest, in runs of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest


pytest_plugins = ("pytester",)

HEAD = """
    import asyncio
    import aiohttp.web
    import pytest
    from buvar import context, di, plugin
    import buvar_aiohttp

    async def hello(request):
        assert context.get(aiohttp.web.Request) is request
        return aiohttp.web.Response(text="Hello, " + context.get(str))

    async def prepare(load: plugin.Loader):
        context.add("you")
        await load("buvar_aiohttp")
        app = await di.nject(aiohttp.web.Application)
        app.router.add_get("/", hello)
"""


@pytest.fixture
def run(pytester: pytest.Pytester):
    """Run tests in a process of their own."""

    def run(source: str, *args: str, mode: str = "strict") -> pytest.RunResult:
        pytester.makeini(
            f"""
            [pytest]
            filterwarnings = error
            asyncio_mode = {mode}
            asyncio_default_fixture_loop_scope = function
            """
        )
        text = textwrap.dedent(HEAD) + textwrap.dedent(source)
        pytester.makepyfile(test_it=text)
        return pytester.runpytest_subprocess(*args)

    return run


@pytest.fixture
def extra() -> None:
    pytest.importorskip("pytest_aiohttp")
    pytest.importorskip("buvar.testing")


@pytest.mark.usefixtures("extra")
@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_the_client_asks_the_stage(run, mode: str) -> None:
    """The client asks the application of the marker's plugins."""
    result = run(
        """
        @pytest.mark.buvar_plugins("test_it")
        async def test_hello(buvar_aiohttp_client):
            async with buvar_aiohttp_client.get("/") as response:
                assert await response.text() == "Hello, you"

        @pytest.mark.asyncio
        @pytest.mark.buvar_plugins("test_it")
        async def test_again(buvar_aiohttp_client, buvar_aiohttp_app):
            assert buvar_aiohttp_client.app is buvar_aiohttp_app
            response = await buvar_aiohttp_client.get("/nowhere")
            assert response.status == 404
        """,
        mode=mode,
    )

    result.assert_outcomes(passed=2)


@pytest.mark.usefixtures("extra")
def test_routes_of_a_test(run) -> None:
    """A test may load plugins, add routes and make its own client."""
    result = run(
        """
        @pytest.mark.asyncio
        async def test_hello(buvar_aiohttp_app, buvar_load, aiohttp_client):
            context.add("me")
            buvar_aiohttp_app.router.add_get("/hello", hello)
            await buvar_load("buvar_aiohttp.health")
            client = await aiohttp_client(buvar_aiohttp_app)
            response = await client.get("/hello")
            assert await response.text() == "Hello, me"
            response = await client.get("/health/ready")
            assert response.status == 200
        """
    )

    result.assert_outcomes(passed=1)


@pytest.mark.usefixtures("extra")
def test_no_port_is_bound(run) -> None:
    """The stage itself serves nothing where the fixtures do."""
    result = run(
        """
        @pytest.mark.buvar_plugins("test_it")
        async def test_client(buvar_aiohttp_client):
            assert not context.find(buvar_aiohttp.Server)

        @pytest.mark.buvar_plugins("buvar_aiohttp")
        async def test_server():
            assert context.find(buvar_aiohttp.Server)

        @pytest.fixture
        def buvar_config_source():
            from buvar import config
            return config.ConfigSource({"aiohttp": {"port": 0}})
        """
    )

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize("disabled", ["aiohttp", "buvar"])
def test_without_the_extra(run, disabled: str) -> None:
    """Without the extra the fixtures say what to install, no more."""
    result = run(
        """
        def test_other():
            pass

        def test_client(buvar_aiohttp_client):
            pass
        """,
        f"-pno:{disabled}",
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*need pytest-aiohttp and buvar-pytest*", "*buvar-aiohttp[[]pytest]*"]
    )


def test_starting_imports_nothing() -> None:
    """Pytest starts without aiohttp where nobody asks for it."""
    program = (
        "import sys, pytest; "
        "pytest.main(['-p', 'no:aiohttp', '--trace-config', '--fixtures', "
        "'--collect-only', sys.argv[1]]); "
        "print({'aiohttp', 'buvar_aiohttp'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, os.devnull],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "_buvar_aiohttp_pytest" in done.stdout
    assert done.stdout.endswith("set()\n")
