"""What the environment sets: names, files, tables, and when it is asked."""

from __future__ import annotations

import typing as t

import attrs
import pytest

from buvar import config


@attrs.define
class Tls:
    port: int = 443
    pin: str = ""


@attrs.define
class Server:
    host: str = ""
    port: int = 80
    rate: float = 0.0
    debug: bool = False
    names: list[str] = attrs.field(factory=list)
    tls: Tls = attrs.field(factory=Tls)
    extra: dict[str, int] = attrs.field(factory=dict)
    upper: str = config.var("", converter=str.upper)


@pytest.fixture
def source() -> config.ConfigSource:
    return config.ConfigSource({"s": {"extra": {"a": 1}}}, env_prefix="APP")


ROWS: list[tuple[str, str, dict[str, t.Any]]] = [
    ("APP_S_HOST", "h", {"host": "h"}),
    ("APP_S_HOST", "", {"host": ""}),
    ("APP_S_PORT", "8", {"port": 8}),
    ("APP_S_RATE", "2", {"rate": 2.0}),
    ("APP_S_DEBUG", "on", {"debug": True}),
    ("APP_S_NAMES", "a, b", {"names": ["a", "b"]}),
    ("APP_S_NAMES", '["a"]', {"names": ["a"]}),
    ("APP_S_TLS_PORT", "1", {"tls": Tls(1)}),
    ("APP_S_TLS", "port = 1", {"tls": Tls(1)}),
    ("APP_S_TLS", '{"pin": "x"}', {"tls": Tls(443, "x")}),
    ("APP_S_EXTRA_A", "5", {"extra": {"a": 5}}),
    ("APP_S_EXTRA_B", "5", {"extra": {"a": 1, "b": 5}}),
    ("APP_S_EXTRA", '{"c": 5}', {"extra": {"a": 1, "c": 5}}),
    ("APP_S_UPPER", "u", {"upper": "U"}),
    ("app_s_host", "h", {}),
    ("S_HOST", "h", {}),
    ("APPS_HOST", "h", {}),
]


@pytest.mark.parametrize(("name", "text", "changed"), ROWS, ids=str)
def test_variables(source, monkeypatch, name, text, changed) -> None:
    """A variable sets its field, in its type, and no other."""
    monkeypatch.setenv(name, text)

    expected = Server(extra={"a": 1})
    assert source.load(Server, "s") == attrs.evolve(expected, **changed)
    explained = [x for x in source.explain(Server, "s") if "$" in x.source]
    assert all(x.source == f"${name}" for x in explained)
    assert bool(explained) == bool(changed)


@pytest.mark.parametrize("row", ROWS[:14], ids=str)
def test_files(source, monkeypatch, tmp_path, row) -> None:
    """A variable that ends in ``_FILE`` names a file with the text."""
    name, text, changed = row
    file = tmp_path / "text"
    file.write_text(f"{text}\n")
    monkeypatch.setenv(f"{name}_FILE", str(file))

    expected = Server(extra={"a": 1})
    assert source.load(Server, "s") == attrs.evolve(expected, **changed)
    explained = [x for x in source.explain(Server, "s") if "$" in x.source]
    assert explained
    assert all(x.source == f"${name}_FILE: {file}" for x in explained)
    # What is in files may be secret.
    assert all(x.value == "***" for x in explained)


@pytest.mark.parametrize(("name", "text", "changed"), ROWS[:14], ids=str)
def test_secret_files(monkeypatch, tmp_path, name, text, changed) -> None:
    """A file of the secrets folder is named so, with the prefix or not."""
    for file in (name.lower(), name.lower().removeprefix("app_")):
        folder = tmp_path / file
        folder.mkdir()
        (folder / file).write_text(text)
        source = config.ConfigSource(
            {"s": {"extra": {"a": 1}}}, env_prefix="APP", secrets=folder
        )

        expected = Server(extra={"a": 1})
        assert source.load(Server, "s") == attrs.evolve(expected, **changed)
        explained = [
            x for x in source.explain(Server, "s") if str(folder) in x.source
        ]
        assert explained
        assert all(x.value == "***" for x in explained)


def test_a_variable_wins_over_a_file(source, monkeypatch, tmp_path) -> None:
    """``X`` wins over ``X_FILE``, in a field and below a table."""
    for name in ("APP_S_HOST", "APP_S_EXTRA_A"):
        file = tmp_path / name
        file.write_text("7")
        monkeypatch.setenv(f"{name}_FILE", str(file))
    found = source.load(Server, "s")
    assert (found.host, found.extra) == ("7", {"a": 7})

    monkeypatch.setenv("APP_S_HOST", "8")
    monkeypatch.setenv("APP_S_EXTRA_A", "8")
    found = source.load(Server, "s")
    assert (found.host, found.extra) == ("8", {"a": 8})


def test_files_are_read_each_time(source, monkeypatch, tmp_path) -> None:
    """What changed in a file is seen, though no variable has changed."""
    file = tmp_path / "text"
    monkeypatch.setenv("APP_S_HOST_FILE", str(file))
    for text in ("a", "b"):
        file.write_text(text)
        assert source.load(Server, "s").host == text


def test_variables_are_seen_each_time(source, monkeypatch) -> None:
    """What is set, changed or removed is seen by the next load."""
    assert source.load(Server, "s").host == ""
    for text in ("a", "b"):
        monkeypatch.setenv("APP_S_HOST", text)
        assert source.load(Server, "s").host == text
        assert source.load(Server, "s").host == text
    monkeypatch.delenv("APP_S_HOST")
    assert source.load(Server, "s").host == ""


def test_overrides_are_seen_each_time(source, monkeypatch) -> None:
    """An override that is set later wins over what was found before."""
    monkeypatch.setenv("APP_S_HOST", "variable")
    assert source.load(Server, "s").host == "variable"
    source.set("s.host=override")
    assert source.load(Server, "s").host == "override"
    other = config.ConfigSource(env_prefix="APP")
    assert other.load(Server, "s").host == "variable"


def test_without_a_prefix(monkeypatch) -> None:
    """An empty prefix reads names as they are, none reads nothing."""
    monkeypatch.setenv("S_HOST", "plain")
    monkeypatch.setenv("S_EXTRA_A", "5")

    found = config.ConfigSource(env_prefix="").load(Server, "s")
    assert (found.host, found.extra) == ("plain", {"a": 5})
    assert config.ConfigSource().load(Server, "s") == Server()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("APP_S_HOTS", "Did you mean APP_S_HOST?"),
        ("APP_S_NAMES_X", "Did you mean APP_S_NAMES?"),
        ("APP_S_HOTS_FILE", "Did you mean APP_S_HOST?"),
        ("APP_S_TLS_NOTHING", None),
    ],
)
def test_strays(source, monkeypatch, name, hint) -> None:
    """A name that is nearly right, or below a table, sets nothing."""
    monkeypatch.setenv(name, "x")
    with pytest.raises(config.ConfigError) as caught:
        source.load(Server, "s")

    (problem,) = caught.value.errors
    assert problem.source == f"${name}"
    assert problem.hint == hint


def test_no_class(source) -> None:
    """What is no class with fields is refused, with what to do."""
    with pytest.raises(config.ConfigError) as caught:
        source.load(int, "s")

    assert "neither a class of attrs nor a dataclass" in str(caught.value)
    assert caught.value.cure == "Decorate it, e.g. with attrs.define."


def test_two_fields_with_one_name() -> None:
    """The second of two fields is what is wrong, and either is renamed."""

    @attrs.define
    class Twice:
        tls_port: int = 1
        tls: Tls = attrs.field(factory=Tls)

    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(env_prefix="APP").load(Twice, "s")

    (problem,) = caught.value.errors
    assert problem.path == "s.tls.port"
    assert "APP_S_TLS_PORT is claimed by s.tls_port and s.tls.port" in (
        problem.expected
    )
    assert caught.value.cure == (
        "Rename one of the two, e.g. with config.var(name=...)."
    )


@attrs.define
class Needs:
    host: str
    port: int = 80


@attrs.define
class Other:
    path: str = ""


@attrs.define
class Defaults:
    server: Needs
    backup: Needs | None = None
    either: Needs | Other = attrs.field(factory=Other)
    spare: Needs = attrs.field(factory=lambda: Needs("h", 81))


def test_what_is_if_nothing_is_given() -> None:
    """A default is that of a class only if nothing above it has another."""
    found = {
        x.path: (x.value, x.source)
        for x in config.ConfigSource().explain(Defaults, "")
    }

    assert found == {
        "server.host": ("-", "missing"),
        "server.port": ("80", "default"),
        "backup.host": ("-", "default"),
        "backup.port": ("-", "default"),
        "either.host": ("-", "default"),
        "either.port": ("-", "default"),
        "either.path": ("''", "default"),
        "spare.host": ("'h'", "default"),
        "spare.port": ("81", "default"),
    }
