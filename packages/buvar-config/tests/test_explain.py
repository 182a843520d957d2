"""Where each value came from."""

from __future__ import annotations

import attrs
import pytest

from buvar import config


@attrs.define
class Server:
    host: str
    port: int = 80


@attrs.define
class App(config.Config, section="explained.app"):
    server: Server
    login: config.Secret[str] = config.Secret("geheim")  # noqa: RUF009
    backup: Server | None = None
    color: int = 1
    wait: int = 5
    flag: bool = True


def test_explain(tmp_path, monkeypatch) -> None:
    """Each value is explained, those of nobody too, secrets are masked."""
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("a.toml").write_text(
        'alone = 1\nmy_password = "geheim"\n[explained.app]\nlogin = "geheim"'
        '\n[explained.app.server]\n# comment\n"host" = "http://a:geheim@b/"\n'
        "list = 5\n"
    )
    monkeypatch.setenv("E_EXPLAINED_APP_COLOR", "2")
    source = config.ConfigSource.read(
        "a.toml", env_prefix="E", overrides=["explained.app.flag=no"]
    )

    found = {one.path: one for one in source.explain()}
    text = str(source.explain())

    assert "geheim" not in text
    assert found["explained.app.server.host"].source == "a.toml:7"
    assert found["explained.app.color"].source == "$E_EXPLAINED_APP_COLOR"
    assert found["explained.app.flag"].source == "--set explained.app.flag"
    assert found["explained.app.wait"].source == "default"
    assert found["explained.app.backup.host"].value == "-"
    assert found["alone"].source == "a.toml:1"
    assert found["my_password"].value == "***"
    assert config.ConfigSource().explain(Server)[0].source == "missing"
    assert str(config.ConfigSource().explain(attrs.make_class("E", []))) == ""


def test_explain_what_is_no_table() -> None:
    """Where an array stands in the place of a class nothing is given."""
    found = config.ConfigSource({"server": [1]}).explain(App, "")

    assert found[0] == config.Explained("server.host", "-", "missing")


def test_explain_what_nobody_gave() -> None:
    """A value that code put into the source later is of code."""
    source = config.ConfigSource({"a": 1}, overrides=["c.d=2"])
    source["b"] = 5

    found = {one.path: one.source for one in source.explain()}

    assert found["a"] == "code"
    assert found["b"] == "code"
    assert found["c.d"] == "--set c.d"


@attrs.define
class Group:
    size: int
    names: list[str] = config.list_var([])


@attrs.define
class Groups:
    groups: dict[str, Group]
    tokens: dict[str, str] = config.var(factory=dict, secret=True)
    options: dict[str, str] = attrs.field(factory=dict)


def test_tables_and_arrays(tmp_path, monkeypatch) -> None:
    """What is in a table has its own line; secrets in it are masked."""
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("a.toml").write_text(
        "[groups.web]\nsize = 1\nnames = ['a', 'b']\n"
        "[tokens]\na = 'geheim'\n"
        "[options]\npassword = 'geheim'\nurl = 'http://a:geheim@b/'\n"
    )

    text = str(config.ConfigSource.read("a.toml").explain(Groups, ""))

    assert "geheim" not in text
    assert [" ".join(line.split()) for line in text.splitlines()] == [
        "groups.web.size = 1 a.toml:2",
        "groups.web.names = ['a', 'b'] a.toml:3",
        "tokens.a = *** a.toml:5",
        "options.password = *** a.toml:7",
        "options.url = 'http://a:***@b/' a.toml:8",
    ]


def test_empty_tables_and_arrays() -> None:
    """What is empty is written as people write it."""
    source = config.ConfigSource({"groups": {}, "nobody": {"array": []}})

    source.load(Groups)
    found = {each.path: each.value for each in source.explain(Groups, "")}
    others = {each.path: each.value for each in source.explain()}

    assert found["groups"] == "{}"
    assert found["options"] == "{}"
    assert others["nobody.array"] == "an empty array"


@pytest.mark.parametrize(
    ("value", "shown"),
    [({}, "not an empty table"), ([], "not an empty array")],
    ids=str,
)
def test_errors_name_what_is_empty(value, shown) -> None:
    """An error says that a table is empty, and does not count to zero."""
    source = config.ConfigSource({"server": {"host": value}})
    with pytest.raises(config.ConfigError, match=shown):
        source.load(App, "")
