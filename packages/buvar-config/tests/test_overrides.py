"""Overrides: how they are written, and that errors name them."""

from __future__ import annotations

import typing as t

import attrs
import pytest

from buvar import config


@attrs.define
class Web:
    port: int = 80
    host: str = "h"


@attrs.define
class App:
    sites: dict[str, Web] = attrs.field(factory=dict)
    hosts: list[str] = attrs.field(factory=list)
    web: Web = attrs.field(factory=Web)


def fail(*overrides: str, data: t.Any = None) -> config.Problem:
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(data or {}, overrides=overrides).load(App)
    (problem,) = caught.value.errors
    return problem


def test_quoted_keys() -> None:
    """A key with a dot or an equals sign in it is quoted as in TOML."""
    source = config.ConfigSource(
        overrides=[
            'sites."a.org".port=1',
            "sites . 'b=c'.host = d",
            "sites.ä.port=2",
        ]
    )

    assert source.load(App).sites == {
        "a.org": Web(1),
        "b=c": Web(host=" d"),
        "ä": Web(2),
    }
    assert config.ConfigSource(
        {"p.q": {"port": 1}}, overrides=['"p.q".port=2']
    ).load(Web, "p.q") == Web(2)


def test_quoted_keys_in_errors() -> None:
    """An error and an explanation write the key with its quotes."""
    problem = fail('sites."a.org".port=x')
    source = config.ConfigSource(overrides=['other."a.b"=1'])

    assert problem.source == "--set sites.'a.org'.port"
    explained = source.explain()[-1]
    assert explained.source == "--set other.'a.b'"


def test_reload_keeps_overrides(tmp_path) -> None:
    """What was overridden stays so when the files are read again."""
    file = tmp_path / "a.toml"
    file.write_text("[web]\nport = 1\n")
    source = config.ConfigSource.read(
        file, overrides=['sites."a.b".port=2', "web.port=3"]
    )

    source.reload()

    assert source.load(App) == App({"a.b": Web(2)}, web=Web(3))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web.password: hunter2", "'web.password...'"),
        ("hunter2" * 50, repr("hunter2" * 8 + "hunt...")),
        ("=hunter2", None),
        ("web..a=hunter2", None),
    ],
)
def test_without_key_or_sign(text, shown) -> None:
    """What is none says how to write one, and shows no value."""
    problem = fail(text)

    assert problem.expected == "an override is written section.key=value"
    assert problem.value == shown


def test_nested_too_deeply() -> None:
    """A key without end is refused."""
    problem = fail(".".join(["a"] * 10_000) + "=1")

    assert problem.expected == "expected at most 64 levels of nesting"
    assert problem.source == "--set a"


def test_something_inside_is_wrong() -> None:
    """What an override put where nothing belongs is its fault."""
    problem = fail("web.prot.x=1")
    assert problem.path == "web.prot"
    assert problem.source == "--set web.prot.x"

    problem = fail("hosts.0=a", data={"hosts": ["b"]})
    assert problem.expected == "expected an array"
    assert problem.source == "--set hosts.0"

    problem = fail("web.prot.x=1", data={"web": {"prot": {"y": 1}}})
    assert problem.source == "code"


def test_of_other_sections() -> None:
    """An override of another section does not matter here."""
    source = config.ConfigSource(overrides=["app.port=1", "web.port=2"])

    assert source.load(Web, "web") == Web(2)


def test_origin() -> None:
    """A value may come from elsewhere than ``--set``: errors name it."""
    source = config.ConfigSource({"web": {"host": "a"}})
    source.set("web.port=none", origin="--port")

    with pytest.raises(config.ConfigError, match=r"not 'none' \(--port\)"):
        source.load(App)
    source.set("web.port=8080", origin="--port")
    source.reload()
    found = {one.path: one.source for one in source.explain(App, "")}
    assert found["web.port"] == "--port"
    assert source.where(("web", "port")) == "--port"
    assert source.load(App).web == Web(8080, "a")


def test_above_variables_of_tables(monkeypatch) -> None:
    """An override wins over a variable of a table, whoever gave it."""

    @attrs.define
    class Limits:
        limits: dict[str, int]

    monkeypatch.setenv("APP_LIMITS_A", "1")
    monkeypatch.setenv("APP_LIMITS_B", "1")
    source = config.ConfigSource(env_prefix="APP")

    source.set("limits.a=2", origin="$PORT")

    assert source.load(Limits).limits == {"a": 2, "b": 1}
    explained = {x.path: x.source for x in source.explain(Limits)}
    assert explained == {"limits.a": "$PORT", "limits.b": "$APP_LIMITS_B"}


def test_keys_that_come_later(monkeypatch) -> None:
    """Which keys a table has is looked at for each source."""

    @attrs.define
    class Backend:
        dsn: str = ""

    @attrs.define
    class Backends:
        backends: dict[str, Backend]

    monkeypatch.setenv("APP_BACKENDS_MAIN", '{"dsn": "variable"}')

    for data, found in [
        ({"backends": {"other": {}}}, {"other": Backend()}),
        ({"backends": {"main": {}}}, {"main": Backend("variable")}),
    ]:
        source = config.ConfigSource(data, env_prefix="APP", unknown="ignore")
        assert source.load(Backends).backends == found


def test_what_is_no_override() -> None:
    """What is not written as a key and a value is refused with its cure."""
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(overrides=["a.b"])
    (problem,) = caught.value.errors
    assert problem.source == "--set"
    assert caught.value.cure == "Write it as --set section.key=value."

    assert config.ConfigSource(overrides=[f"{'a.' * 62}a=1"])
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(overrides=[f"first.{'a.' * 62}a=1"])
    assert caught.value.errors[0].source == "--set first"


class Texts:
    """Has a text by name, which wins over all trees."""

    name = "texts"

    def load(self) -> config.Texts:
        return config.Texts({"APP_WEB_PORT": "2", "APP_WEB_HOST": "text"})

    def stamp(self) -> None:
        """Never have anything new."""


def test_values_above_all_others(monkeypatch, tmp_path) -> None:
    """A source with values on top says all that the one below it says."""

    @attrs.define
    class Web:
        port: int = 0
        host: str = ""
        user: str = ""
        token: str = ""
        tags: dict[str, object] = attrs.field(factory=dict)

    monkeypatch.setenv("APP_WEB_USER", "variable")
    tmp_path.joinpath("web_token").write_text("hunter2")
    below = config.ConfigSource(
        {"web": {"tags": {"a": 1, "b": 1}}},
        Texts(),
        env_prefix="APP",
        secrets=tmp_path,
        unknown="warn",
        overrides=["web.tags.c=1"],
    )
    below["web"]["tags"]["d"] = 1
    below.reserve("other")
    before = str(below.explain(Web, "web"))
    thing = object()

    source = below.with_values(
        {"web": {"port": 3, "tags": {"b": 2, "e": thing}, "user": "dict"}},
        "web.tags.f=3",
        {"new": {}},
    )

    assert source.load(Web, "web") == Web(
        port=3,
        host="text",
        user="dict",
        token="hunter2",  # noqa: S106
        tags={"a": 1, "b": 2, "c": "1", "d": 1, "e": thing, "f": "3"},
    )
    assert source["new"] == {}
    assert (source.unknown, source.secrets) == ("warn", tmp_path)
    found = {x.path: x.source for x in source.explain(Web, "web")}
    assert found["web.port"] == "code"
    assert found["web.host"] == "texts: APP_WEB_HOST"
    assert found["web.token"] == str(tmp_path / "web_token")
    assert found["web.tags.c"] == "--set web.tags.c"
    # What is read anew is below these values, too.
    source.reload()
    assert source.load(Web, "web").port == 3
    assert str(below.explain(Web, "web")) == before


def test_values_that_are_none() -> None:
    """What is neither nested dicts nor a string is refused."""
    source = config.ConfigSource()

    with pytest.raises(config.ConfigError, match="made of dicts"):
        source.with_values(3)  # type: ignore[arg-type]
    with pytest.raises(config.ConfigError, match="key=value"):
        source.with_values("a.b")
    deep: dict[str, object] = {}
    for _ in range(100):
        deep = {"a": deep}
    with pytest.raises(config.ConfigError, match="nest"):
        source.with_values(deep)
    assert source == {}
