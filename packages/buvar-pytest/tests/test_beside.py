"""Beside other plugins of pytest: nothing leaks, nobody is disturbed."""

from __future__ import annotations

import pytest

from .conftest import MODES


pytest_plugins = ["pytester"]

#: Each test finds what is its own, and leaves something behind.
SUITE = """

async def prepare():
    assert context.get(int, default=None) is None
    context.add(1)
    di.register(make)
    async def task():
        await context.get(plugin.Cancel).wait()
    yield task()

class Thing: ...
async def make() -> Thing:
    return Thing()

@pytest.mark.parametrize("number", range(4))
@pytest.mark.buvar_plugins.with_args(prepare)
@pytest.mark.buvar_config({"number": 1})
async def test_real(number):
    assert context.get(config.ConfigSource) == {"number": 1}
    assert isinstance(await di.nject(Thing), Thing)

@pytest.mark.parametrize("number", range(4))
@pytest.mark.buvar_plugins(prepare, clock="virtual")
async def test_virtual(number, buvar_clock, buvar_override):
    buvar_override({Thing: 3})
    assert context.get(config.ConfigSource) == {}
    assert await di.nject(Thing) == 3
    assert buvar_clock.now == 0
    await buvar_clock.advance("1h")

@pytest.mark.buvar_plugins(prepare, schedules=4)
async def test_order():
    assert isinstance(await di.nject(Thing), Thing)

@pytest.mark.parametrize("number", range(4))
def test_sync(number, buvar_run):
    assert context.get(int, default=None) is None
    async def quick():
        async def task():
            return context.get(int)
        context.add(number)
        yield task()
    assert buvar_run(quick).check().results == [number]

@pytest.mark.asyncio
async def test_without():
    with pytest.raises(di.ResolveError):
        await di.nject(Thing)
    assert context.get(config.ConfigSource, default=None) is None

@pytest.mark.anyio
async def test_anyio(anyio_backend):
    import anyio
    await anyio.sleep(0)
    assert context.get(config.ConfigSource, default=None) is None

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
NUMBER = 18  # tests


@pytest.mark.parametrize("mode", MODES)
def test_modes_of_pytest_asyncio(run, mode):
    """The suite passes in both modes, with tests of anyio in it."""
    pytest.importorskip("anyio")

    run(SUITE, f"--asyncio-mode={mode}").assert_outcomes(passed=NUMBER)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_order(run, pytester, seed):
    """The order of tests does not matter."""
    pytest.importorskip("anyio")
    pytester.makeconftest(
        f"""
        import random
        def pytest_collection_modifyitems(items):
            random.Random({seed}).shuffle(items)
        """
    )

    run(SUITE).assert_outcomes(passed=NUMBER)


def test_xdist(run):
    """Several processes collect the same tests, seeds included."""
    pytest.importorskip("anyio")
    pytest.importorskip("xdist")

    run(SUITE, "-n2").assert_outcomes(passed=NUMBER)


def test_anyio_and_the_marker(run):
    """A test that anyio would run without its stage says what to leave out."""
    pytest.importorskip("anyio")
    result = run(
        """
        import anyio

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        @pytest.mark.buvar_plugins
        async def test_both():
            pass

        @pytest.mark.buvar_plugins
        async def test_anyio_used():
            await anyio.sleep(0)
        """
    )

    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["Leave out @pytest.mark.anyio*"])


def test_without_pytest_asyncio(pytester, forked):
    """Sync fixtures work without it, and a coroutine is told what it needs."""
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    pytester.makepyfile(
        test_sync="""
        from buvar import context
        async def prepare():
            async def task():
                return context.get(int)
            yield task()
        def test_sync(buvar_run, buvar_context):
            context.add(3)
            assert buvar_run(prepare).results == [3]
        """,
        test_async="""
        import pytest
        @pytest.mark.buvar_plugins("x")
        async def test_async():
            pass
        """,
    )

    result = forked("-p", "no:asyncio", "-p", "no:aiohttp")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*test_async needs pytest-asyncio*"])
    result = forked("-p", "no:asyncio", "-p", "no:aiohttp", "test_sync.py")
    result.assert_outcomes(passed=1)


def test_doctest(pytester, forked):
    """Doctests run beside, and see nothing of the tests."""
    pytester.makeini(
        "[pytest]\nfilterwarnings = error\n"
        "asyncio_default_fixture_loop_scope = function\n"
        "addopts = --doctest-modules --doctest-glob=*.md\n"
    )
    text = (
        ">>> from buvar import context\n>>> context.get(int, default=None)\n"
    )
    pytester.makefile(".md", doc=text)
    pytester.makepyfile(
        test_it=f"""'''\n{text}'''
import pytest
from buvar import context
@pytest.mark.buvar_plugins
async def test_it(buvar_load):
    context.add(3)
"""
    )

    result = forked()

    result.assert_outcomes(passed=3)
