"""Configuration, components and adapters of a test."""

from __future__ import annotations

import attr
import pytest

from buvar import config
from buvar import context
from buvar import di


pytest_plugins = ["pytester"]


@attr.s(auto_attribs=True)
class Web:
    port: int = 80
    host: str = "localhost"


class Pool:
    pass


class FakePool(Pool):
    pass


async def prepare():
    context.add(Pool())
    context.add(context.get(config.ConfigSource).load(Web, "web"))


pytestmark = pytest.mark.buvar_config({"web": {"port": 1, "host": "module"}})


@pytest.mark.buvar_plugins.with_args(prepare)
@pytest.mark.buvar_config({"web": {"port": 2}})
@pytest.mark.buvar_config("web.port=3")
async def test_markers_of_configuration_add_up():
    """Inner markers win over outer ones, strings over dicts."""
    assert context.get(Web) == Web(3, "module")


@pytest.mark.buvar_plugins.with_args(prepare)
async def test_the_next_test_has_its_own():
    """Nothing of one test's configuration is in that of another one."""
    assert context.get(Web) == Web(1, "module")


@pytest.mark.buvar_plugins
async def test_the_fixture_wins_over_markers(buvar_config, buvar_load):
    """A test may change its configuration before it loads plugins."""
    buvar_config({"web": {"port": 4}}, "web.host=test")

    await buvar_load(prepare)

    assert context.get(Web) == Web(4, "test")


class TestOwnSource:
    SOURCE = config.ConfigSource({"web": {"port": 9}, "own": 1})

    @pytest.fixture
    def buvar_config_source(self):
        return self.SOURCE

    @pytest.mark.buvar_plugins.with_args(prepare)
    async def test_markers_are_put_on_top(self):
        """A source of one's own gets the values of markers, unchanged."""
        source = context.get(config.ConfigSource)

        assert source == {"web": {"port": 1, "host": "module"}, "own": 1}
        assert self.SOURCE == {"web": {"port": 9}, "own": 1}


class TestOwnTexts:
    """What a source has by name is kept below the values of a test."""

    class Texts:
        name = "texts"

        def load(self):
            return config.Texts({"APP_WEB_PORT": "9", "APP_WEB_NAME": "text"})

        def stamp(self):
            return None

    @attr.s(auto_attribs=True)
    class Named(Web):
        name: str = ""

    @pytest.fixture
    def buvar_config_source(self):
        return config.ConfigSource(self.Texts(), env_prefix="APP")

    def test_texts_and_origins_are_kept(self, buvar_config, monkeypatch):
        """The values win over texts and variables, and nothing is lost."""
        monkeypatch.setenv("APP_WEB_HOST", "variable")

        source = buvar_config("web.port=3")

        assert source.load(self.Named, "web") == self.Named(
            3, "module", "text"
        )
        explained = source.explain(self.Named, "web")
        assert [setting.source for setting in explained] == [
            "--set web.port",
            "code",
            "texts: APP_WEB_NAME",
        ]


@pytest.fixture
def faked(buvar_override):
    fake = FakePool()
    buvar_override({Pool: fake})
    return fake


@pytest.mark.buvar_plugins.with_args(prepare)
async def test_an_override_wins_over_a_plugin(faked):
    """A fake is injected in the place of what a plugin adds."""
    assert await di.nject(Pool) is faked


@pytest.mark.buvar_plugins.with_args(prepare)
async def test_an_override_ends_with_its_test():
    """The next test is given what its plugin adds."""
    assert type(await di.nject(Pool)) is Pool


def test_nonsense_is_refused(pytester, forked):
    """A value that is no configuration is an error that names the test."""
    pytester.makeini(
        "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
    )
    pytester.makepyfile(
        test_it="""
        import pytest
        @pytest.mark.buvar_config(3)
        def test_number(buvar_context):
            pass
        @pytest.mark.buvar_config(web={"port": 1})
        def test_keyword(buvar_context):
            pass
        def test_fixture(buvar_config):
            buvar_config(3)
        """
    )

    result = forked()

    result.assert_outcomes(errors=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*test_it.py::test_number: @pytest.mark.buvar_config: 3 is nei*",
            "*unknown keywords web; write a section as a dict*",
        ]
    )
