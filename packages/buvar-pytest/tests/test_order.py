"""In which order, and in which loop, fixtures, plugins and tests run."""

from __future__ import annotations

import pytest


pytest_plugins = ["pytester"]

SCOPES = ("function", "class", "module", "package", "session")


def test_tasks_start_after_the_outermost_plugin(run) -> None:
    """As in a stage: nothing runs before all is prepared."""
    result = run(
        """
        seen = []

        async def task():
            seen.append("task")

        async def inner():
            yield task()

        async def outer(load: plugin.Loader):
            await load(inner)
            await asyncio.sleep(0.01)
            seen.append("outer")

        async def last():
            await asyncio.sleep(0.01)
            seen.append("last")

        @pytest.mark.buvar_plugins(outer, last)
        async def test_order():
            await asyncio.sleep(0.01)
            assert seen == ["outer", "last", "task"]
        """
    )

    result.assert_outcomes(passed=1)


FAKES = """
    class Pool:
        fake = False

    async def prepare():
        pool = context.get(Pool, default=None) or context.add(Pool())
        context.add(pool.fake, name="fake")

    @pytest.fixture
    def pool(buvar_context):
        pool = context.add(Pool())
        pool.fake = True

    @pytest_asyncio.fixture
    async def pool_async(buvar_context):
        await asyncio.sleep(0)
        context.add(Pool()).fake = True

    @pytest.fixture
    def ready(buvar_plugin_context):
        return context.get(bool, name="fake")

    @pytest.mark.buvar_plugins.with_args(prepare)
    @pytest.mark.parametrize("_", [1, 2])
    async def test_argument(_, pool):
        assert context.get(bool, name="fake")

    @pytest.mark.usefixtures("pool")
    @pytest.mark.buvar_plugins.with_args(prepare)
    async def test_used():
        assert context.get(bool, name="fake")

    @pytest.mark.buvar_plugins.with_args(prepare)
    async def test_async(pool_async):
        assert context.get(bool, name="fake")

    @pytest.mark.buvar_plugins.with_args(prepare)
    def test_sync(pool):
        assert context.get(bool, name="fake")

    @pytest.mark.buvar_plugins.with_args(prepare)
    async def test_after(pool, ready):
        assert ready

    @pytest.mark.buvar_plugins.with_args(prepare)
    class TestIt:
        @pytest.fixture(autouse=True)
        def auto(self, buvar_context):
            context.add(Pool()).fake = True

        async def test_auto(self):
            assert context.get(bool, name="fake")
"""


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_fakes_come_before_the_plugins(run, mode: str) -> None:
    """A fixture gives the plugins of the marker what they find."""
    run(FAKES, "-o", f"asyncio_mode={mode}").assert_outcomes(passed=7)


LOOPS = """
    class Seen:
        loop = None
        ticks = 0

    async def serve(cancel):
        seen = context.get(Seen)
        seen.loop = asyncio.get_running_loop()
        while not cancel.is_set():
            seen.ticks += 1
            await asyncio.sleep(0)

    async def prepare(cancel: plugin.Cancel):
        context.add(Seen())
        yield serve(cancel)

    class TestIt:
        {mark}
        @pytest.mark.buvar_plugins.with_args(prepare)
        async def test_it(self, buvar_load):
            await asyncio.sleep(0.01)
            seen = context.get(Seen)
            assert seen.loop is asyncio.get_running_loop()
            assert seen.ticks > 1
"""


@pytest.mark.parametrize("fixtures", ["function", "session"])
@pytest.mark.parametrize("scope", SCOPES)
def test_the_loop_of_a_marker(run, scope: str, fixtures: str) -> None:
    """A stage runs in its test's loop, whatever fixtures use by default."""
    result = run(
        LOOPS.format(mark=f'@pytest.mark.asyncio(loop_scope="{scope}")'),
        *("-o", f"asyncio_default_fixture_loop_scope={fixtures}"),
    )

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("mode", ["strict", "auto"])
@pytest.mark.parametrize("scope", ["module", "session"])
def test_the_loop_of_the_configuration(run, mode: str, scope: str) -> None:
    """So it does where the configuration chooses the loop of tests."""
    result = run(
        LOOPS.format(mark=""),
        *("-o", f"asyncio_default_test_loop_scope={scope}"),
        *("-o", f"asyncio_mode={mode}"),
    )

    result.assert_outcomes(passed=1)


def test_an_own_stage_in_another_loop(run) -> None:
    """Loops that do not fit are a clear error, nothing waits for ever."""
    result = run(
        """
        @pytest_asyncio.fixture(loop_scope="session")
        async def buvar_stage(buvar_context):
            async with plugin.Stage() as stage:
                yield stage

        async def prepare():
            yield asyncio.sleep(0)

        @pytest.mark.buvar_plugins.with_args(prepare)
        async def test_it():
            pass

        @pytest.mark.asyncio
        async def test_load(buvar_load):
            await buvar_load(prepare)
        """
    )

    result.assert_outcomes(errors=1, failed=1)
    result.stdout.fnmatch_lines(["*runs in another event loop*"])
