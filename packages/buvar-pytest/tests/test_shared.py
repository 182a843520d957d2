"""``shared=True``: a stage for the tests of a class, module or session."""

from __future__ import annotations

import pytest


pytest_plugins = ["pytester"]

SUITE = """
class Prepared(list):
    pass

prepared = []

async def prepare():
    prepared.append(1)
    context.add(Prepared(["stage"]))
    di.register(make, scope="stage")
    async def task():
        await context.get(plugin.Cancel).wait()
        prepared.remove(1)
    yield task()

class Thing: ...
async def make() -> Thing:
    return Thing()

things = set()

@pytest.mark.asyncio(loop_scope="{scope}")
@pytest.mark.buvar_plugins(prepare, shared=True)
class TestShared:
    @pytest.mark.parametrize("number", range(3))
    async def test_one_stage(self, number, buvar_stage, buvar_plugin_context):
        assert prepared == [1]
        assert context.get(plugin.Stage) is buvar_stage
        things.add(await di.nject(Thing))
        assert len(things) == 1
        # What a test adds is its own.
        assert context.get(int, default=None) is None
        context.add(number)
        assert context.get(int) == number
        di.register(text)

    async def test_nothing_is_left(self):
        assert context.get(int, default=None) is None
        with pytest.raises(di.ResolveError):
            await di.nject(str)

    @pytest.mark.buvar_config({{"number": 1}})
    async def test_another_configuration(self):
        assert prepared == [1, 1]
        assert context.get(config.ConfigSource) == {{"number": 1}}
        assert await di.nject(Thing) not in things

    @pytest.mark.buvar_config({{"number": 1}})
    async def test_the_same_configuration(self, buvar_override):
        assert prepared == [1, 1]
        buvar_override({{Thing: 5}})
        assert await di.nject(Thing) == 5

async def text() -> str:
    return ""

@pytest.mark.asyncio
async def test_after(request):
    assert prepared == ([] if "{scope}" == "class" else [1, 1])
"""


@pytest.mark.parametrize(
    ("scope", "mode"), [("class", "strict"), ("module", "auto")]
)
def test_tests_share_a_stage(run, scope, mode):
    """As long as their loop, if plugins and configuration are equal."""
    result = run(SUITE.format(scope=scope), f"--asyncio-mode={mode}")

    result.assert_outcomes(passed=7)


def test_modules_share_a_stage(run, pytester):
    """In the loop of the session they share it across modules, and sync."""
    pytester.makepyfile(
        app="""
        from buvar import context
        async def prepare():
            context.add([])
        """,
        test_another="""
        import pytest
        from buvar import context
        pytestmark = pytest.mark.buvar_plugins("app", shared=True)
        async def test_last():
            assert context.get(list) == [1, 2]
        """,
    )
    result = run(
        """
        pytestmark = pytest.mark.buvar_plugins("app", shared=True)
        async def test_it():
            context.get(list).append(1)
        def test_sync(buvar_plugin_context):
            context.get(list).append(2)
        """,
        *("-o", "asyncio_default_test_loop_scope=session"),
        *("-o", "asyncio_default_fixture_loop_scope=session"),
        *("test_it.py", "test_another.py"),
    )

    result.assert_outcomes(passed=3)


def test_failures_of_a_shared_stage(run):
    """A stage that fails is an error of the next test, which has a new one."""
    result = run(
        """
        pytestmark = [
            pytest.mark.asyncio(loop_scope="module"),
            pytest.mark.buvar_plugins("test_it:prepare", shared=True),
        ]
        crash = asyncio.Event()
        stages = []

        async def prepare():
            async def task():
                await crash.wait()
                crash.clear()
                raise ValueError("crashed")
            stages.append(1)
            if len(stages) == 1:
                yield task()

        async def test_crash(buvar_stage):
            crash.set()
            await buvar_stage.cancel.wait()

        async def test_next():
            pass

        async def test_new():
            assert len(stages) == 2

        async def broken():
            raise ValueError("broken")

        @pytest.mark.buvar_plugins("test_it:broken")
        async def test_broken():
            pass

        async def test_load(buvar_load):
            await buvar_load(broken)
        """
    )

    result.assert_outcomes(passed=2, errors=2, failed=1)
    result.stdout.fnmatch_lines_random(
        [
            "*ValueError: crashed",
            "*ValueError: broken",
            "*buvar_load() would change the stage*",
        ]
    )


@pytest.mark.parametrize(
    ("marker", "reason"),
    [
        ("shared=True", "*shared=True needs an event loop that tests share*"),
        ("shared=True, clock='virtual'", "*shared= cannot go with clock=*"),
    ],
)
def test_what_cannot_be_shared(run, marker, reason):
    """A loop of one test, or a steered one, is refused with the cure."""
    result = run(
        f"""
        @pytest.mark.buvar_plugins({marker})
        async def test_it():
            pass
        """
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([reason])
