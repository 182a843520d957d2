"""The marker in all its forms, in strict and in auto mode."""

from __future__ import annotations

import pytest


pytest_plugins = ["pytester"]

FORMS = """
    pytestmark = pytest.mark.buvar_plugins("outer")

    async def prepare():
        context.add("foobar")

    class Plugin:
        async def prepare(self):
            context.add(1)

    {mark}
    async def test_of_the_module():
        assert context.get(float) == 0.5
        assert context.get(plugin.Cancel)

    @pytest.mark.buvar_plugins("test_it")
    {mark}
    async def test_by_name():
        assert context.get(str) == "foobar"

    @pytest.mark.buvar_plugins("test_it:prepare", Plugin())
    {mark}
    async def test_two_plugins():
        assert (context.get(str), context.get(int)) == ("foobar", 1)

    {mark}
    @pytest.mark.buvar_plugins.with_args(prepare)
    @pytest.mark.buvar_plugins(Plugin())
    async def test_two_markers():
        assert (context.get(str), context.get(int)) == ("foobar", 1)

    @pytest.mark.buvar_plugins()
    {mark}
    async def test_load(buvar_load):
        await buvar_load(prepare)
        assert context.get(str) == "foobar"

    @pytest.mark.buvar_plugins.with_args(prepare)
    class TestClass:
        {mark}
        async def test_method(self):
            assert (context.get(str), context.get(float)) == ("foobar", 0.5)

        @pytest.mark.buvar_plugins(Plugin())
        {mark}
        async def test_of_all(self):
            assert context.get(str) == "foobar"
            assert (context.get(int), context.get(float)) == (1, 0.5)

        def test_sync(self):
            assert context.get(str) == "foobar"
"""
OUTER = """
    from buvar import context
    async def prepare():
        context.add(0.5)
"""


@pytest.mark.parametrize(
    ("mode", "mark"),
    [("strict", "@pytest.mark.asyncio"), ("strict", ""), ("auto", "")],
)
def test_forms(run, pytester: pytest.Pytester, mode: str, mark: str) -> None:
    """On modules, classes, functions; alone and beside ``asyncio``."""
    pytester.makepyfile(outer=OUTER)

    result = run(
        FORMS.format(mark=mark),
        *("-o", f"asyncio_mode={mode}", "-p", "no:cacheprovider"),
        "--strict-markers",
    )

    result.assert_outcomes(passed=8)


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_fixtures_under_plain_asyncio(run, mode: str) -> None:
    """The fixtures need no marker of their own."""
    result = run(
        """
        async def prepare():
            context.add("foobar")

        @pytest.mark.asyncio
        async def test_load(buvar_load):
            await buvar_load(prepare)
            assert context.get(str) == "foobar"

        @pytest.mark.asyncio
        async def test_stage(buvar_stage):
            assert context.get(plugin.Stage) is buvar_stage

        @pytest.mark.asyncio
        async def test_context(buvar_context):
            assert context.current_context().get(config.ConfigSource) == {}

        @pytest_asyncio.fixture
        async def loaded(buvar_load):
            await buvar_load(prepare)
            return context.get(str)

        @pytest.mark.asyncio
        async def test_own_fixture(loaded):
            assert context.get(str) == loaded

        class TestOverridden:
            @pytest_asyncio.fixture
            async def buvar_config_source(self):
                return config.ConfigSource({"a": 1})

            @pytest.mark.asyncio
            async def test_source(self, buvar_context):
                assert context.get(config.ConfigSource) == {"a": 1}
        """,
        *("-o", f"asyncio_mode={mode}"),
    )

    result.assert_outcomes(passed=5)


def test_relative_names(run, pytester: pytest.Pytester) -> None:
    """Relative names start at the package of the test."""
    package = pytester.mkpydir("package")
    package.joinpath("near.py").write_text(
        "from buvar import context\nasync def prepare():\n    context.add(1)\n"
    )
    package.joinpath("test_near.py").write_text(
        "import pytest\nfrom buvar import context\n"
        "@pytest.mark.buvar_plugins('.near')\n"
        "async def test_marker():\n    assert context.get(int) == 1\n"
        "@pytest.mark.buvar_plugins()\n"
        "async def test_load(buvar_load):\n"
        "    await buvar_load('.near')\n    assert context.get(int) == 1\n"
    )

    run("", "package").assert_outcomes(passed=2)


def test_relative_name_without_package(run) -> None:
    """A relative name in a test without a package is a clear error."""
    result = run(
        """
        @pytest.mark.buvar_plugins(".near")
        async def test_it():
            pass
        """
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*'.near' is named relative to 'test_it'*"])


@pytest.mark.parametrize("body", ["pass", "yield"])
def test_lost_test(run, body: str) -> None:
    """A test that pytest gave to the plugin as an argument is not lost."""
    result = run(
        f"""
        async def prepare(load: plugin.Loader):
            {body}

        not_a_test = prepare(None)

        @pytest.mark.buvar_plugins(prepare)
        async def test_it():
            pass
        """,
        *("-W", "ignore::RuntimeWarning"),
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*test_it.py::test_it is not a test*'prepare'*",
            "*'@pytest.mark.buvar_plugins.with_args(prepare)'*",
        ]
    )


def test_imports_nothing_unasked(pytester: pytest.Pytester) -> None:
    """A run that does not use it does not import the rest of buvar."""
    pytester.makepyfile(
        """
        import sys

        def test_it():
            ours = {name for name in sys.modules if name.startswith("buvar.")}
            used = ("loops", "fixtures", "markers", "shared")
            ours -= {f"buvar.testing._{name}" for name in used}
            assert ours == {"buvar.testing", "buvar.testing.plugin"}
        """
    )

    result = pytester.runpytest_subprocess("-p", "no:buvar_aiohttp")

    result.assert_outcomes(passed=1)
