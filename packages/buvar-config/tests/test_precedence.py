"""Who wins: the table of the documentation, row by row."""

from __future__ import annotations

import attrs
import pytest

from buvar import config


@attrs.define
class Web:
    host: str = "default"


#: From lowest to highest, and what ``explain`` says of it.
ORDER = [
    ("default", "default"),
    ("first file", "base.toml:2"),
    ("second file", "prod.toml:2"),
    ("folder", "conf.d/a.toml:2"),
    ("secrets", "secrets/web_host"),
    ("variable names file", "$APP_WEB_HOST_FILE"),
    ("variable", "$APP_WEB_HOST"),
    ("override", "--set web.host"),
]


@pytest.mark.parametrize("level", range(len(ORDER)))
def test_precedence(level, tmp_path, monkeypatch) -> None:
    """Each kind of source wins over all that are listed before it."""
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("conf.d").mkdir()
    tmp_path.joinpath("secrets").mkdir()
    files = ["base.toml", "prod.toml", "conf.d/a.toml"]
    for number, file in enumerate(files, 1):
        text = (
            f'[web]\nhost = "{ORDER[number][0]}"\n' if level >= number else ""
        )
        tmp_path.joinpath(file).write_text(text)
    if level >= 4:
        tmp_path.joinpath("secrets/web_host").write_text("secrets\n")
    if level >= 5:
        tmp_path.joinpath("text").write_text("variable names file\r\n")
        monkeypatch.setenv("APP_WEB_HOST_FILE", str(tmp_path / "text"))
    if level >= 6:
        monkeypatch.setenv("APP_WEB_HOST", "variable")

    source = config.ConfigSource.read(
        *files[:2],
        "conf.d",
        env_prefix="APP",
        secrets="secrets",
        overrides=["web.host=override"] if level >= 7 else [],
    )

    assert source.load(Web, "web") == Web(ORDER[level][0])
    (explained,) = source.explain(Web, "web")
    assert explained.source.startswith(ORDER[level][1])


def test_nested_dicts_merge() -> None:
    """Later dicts win, nested dicts merge, sources stay as they are."""
    first = {"a": {"b": 1, "c": {"d": [1]}}}
    second = {"a": {"c": {"e": 2}}, "f": 3}

    source = config.ConfigSource(first, second)
    source["a"]["c"]["d"].append(2)

    assert source == {"a": {"b": 1, "c": {"d": [1, 2], "e": 2}}, "f": 3}
    assert first == {"a": {"b": 1, "c": {"d": [1]}}}
    assert second == {"a": {"c": {"e": 2}}, "f": 3}


def test_variables_merge_with_tables(monkeypatch) -> None:
    """A table from a variable merges; a variable below it wins over it."""

    @attrs.define
    class Server:
        host: str
        port: int
        tags: list[int] = []  # noqa: RUF008 - never changed

    @attrs.define
    class App:
        server: Server
        labels: dict[str, int]

    monkeypatch.setenv("X_SERVER", '{host = "env", tags = [1]}')
    monkeypatch.setenv("X_SERVER_TAGS", "2, 3")
    monkeypatch.setenv("X_LABELS", '{"b": 2}')
    data = {"server": {"host": "file", "port": 1}, "labels": {"a": 1}}
    source = config.ConfigSource(data, env_prefix="x_")

    assert source.load(App) == App(Server("env", 1, [2, 3]), {"a": 1, "b": 2})
    assert data["server"]["host"] == "file"


def test_environment_is_read_when_loading(monkeypatch) -> None:
    """A variable set after the source was made counts."""
    source = config.ConfigSource(env_prefix="")
    monkeypatch.setenv("WEB_HOST", "later")

    assert source.load(Web, "web") == Web("later")


def test_plain_dict_as_environment(monkeypatch) -> None:
    """A dict in the place of os.environ works as well."""
    import os

    monkeypatch.setattr(os, "environ", {"APP_WEB_HOST": "fake"})

    assert config.ConfigSource(env_prefix="APP").load(Web, "web") == Web(
        "fake"
    )


def test_set_after_creation() -> None:
    """An override can be added later, and is seen in the dict."""
    source = config.ConfigSource({"web": {"host": "file"}})

    source.set("web.host=a=b")

    assert source["web"]["host"] == "a=b"
    assert source.load(Web, "web") == Web("a=b")


def test_override_of_a_whole_section() -> None:
    """A section is given as an inline table."""
    source = config.ConfigSource(overrides=['web={host = "x"}'])

    assert source.load(Web, "web") == Web("x")


def test_name_claimed_twice() -> None:
    """Two fields with one variable are an error that names both."""

    @attrs.define
    class Inner:
        c: int = 1

    @attrs.define
    class Clash:
        a: Inner
        a_c: int = 1

    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(env_prefix="APP").load(Clash, "x")

    assert "APP_X_A_C is claimed by x.a.c and x.a_c" in str(caught.value)
    assert config.ConfigSource({"x": {"a": {}}}).load(Clash, "x").a_c == 1


def test_secret_named_like_the_whole_variable(tmp_path) -> None:
    """A file of the folder may carry the prefix; hidden ones are not read."""
    tmp_path.joinpath("APP_WEB_HOST").write_text("mounted")
    tmp_path.joinpath("..data").mkdir()
    source = config.ConfigSource(env_prefix="APP", secrets=tmp_path)

    assert source.load(Web, "web") == Web("mounted")


def test_optional_files(tmp_path) -> None:
    """What may be missing is skipped, and read once it is there."""
    file = tmp_path / "local.toml"

    assert config.ConfigSource.read(config.optional(file)) == {}
    file.write_text("a = 1")
    assert config.ConfigSource.read(config.optional(file)) == {"a": 1}
