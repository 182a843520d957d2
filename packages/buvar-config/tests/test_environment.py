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


@attrs.define
class Backend:
    dsn: str = ""
    size: int = 1
    tls: Tls = attrs.field(factory=Tls)


@attrs.define
class Pools:
    pools: dict[str, Backend] = attrs.field(factory=dict)


@pytest.mark.parametrize(
    ("keys", "name", "text", "found"),
    [
        (["a"], "P_POOLS_A_DSN", "x", {"a": Backend("x")}),
        (["a"], "P_POOLS_A_TLS_PORT", "1", {"a": Backend(tls=Tls(1))}),
        (["a"], "P_POOLS_A", '{"size": 2}', {"a": Backend(size=2)}),
        (["a"], "P_POOLS_B_DSN", "x", {"a": Backend(), "b": Backend("x")}),
        (["a-b"], "P_POOLS_A_B_DSN", "x", {"a-b": Backend("x")}),
        (["A"], "P_POOLS_A_DSN", "x", {"A": Backend("x")}),
        ([], "P_POOLS_B_C_TLS_PORT", "1", {"b_c": Backend(tls=Tls(1))}),
        (
            ["a", "a_tls"],
            "P_POOLS_A_TLS_SIZE",
            "5",
            {"a": Backend(), "a_tls": Backend(size=5)},
        ),
    ],
    ids=str,
)
def test_tables_of_classes(monkeypatch, keys, name, text, found) -> None:
    """The keys there are, else the fields, tell what a name means."""
    monkeypatch.setenv(name, text)
    source = config.ConfigSource(
        {"pools": {key: {} for key in keys}}, env_prefix="P"
    )

    assert source.load(Pools) == Pools(found)


def test_keys_from_variables(monkeypatch) -> None:
    """A key may come from a variable as well, and another one go below it."""
    monkeypatch.setenv("P_POOLS", '{"My.Key": {"size": 2}}')
    monkeypatch.setenv("P_POOLS_MY_KEY_DSN", "x")

    found = config.ConfigSource(env_prefix="P").load(Pools)

    assert found == Pools({"My.Key": Backend("x", 2)})


def test_one_name_for_two_keys(monkeypatch) -> None:
    """A name that is written like two keys is an error that names both."""
    monkeypatch.setenv("P_POOLS_A_B_DSN", "x")
    source = config.ConfigSource(
        {"pools": {"a-b": {}, "a_b": {}}}, env_prefix="P"
    )

    with pytest.raises(config.ConfigError) as caught:
        source.load(Pools)

    assert (
        "the variable P_POOLS_A_B_DSN is claimed by pools.a-b.dsn and "
        "pools.a_b.dsn" in str(caught.value)
    )
    assert caught.value.cure == "Rename one of the two."


def test_no_class(source) -> None:
    """What is no class with fields is refused, with what to do."""
    with pytest.raises(config.ConfigError) as caught:
        source.load(int, "s")

    assert "neither a class of attrs nor a dataclass" in str(caught.value)
    assert caught.value.cure == "Decorate it, e.g. with attrs.define."


@attrs.define
class Account:
    auth: Tls = attrs.field(factory=Tls)
    port: int = 0


@attrs.define
class Tables:
    first: dict[str, int] = attrs.field(factory=dict)
    texts: dict[str, str] = attrs.field(factory=dict)
    maybe: dict[str, int] | None = None
    accounts: dict[str, Account] = attrs.field(factory=dict)


@pytest.mark.parametrize(
    ("data", "variables", "found"),
    [
        # The longest name of a field that fits is meant.
        (
            {},
            {"ACCOUNTS_X_AUTH_PORT": "1"},
            {"accounts": {"x": Account(Tls(1))}},
        ),
        # A table is merged with what is there.
        (
            {"accounts": {"x": {"port": 5, "auth": {"pin": "p"}}}},
            {"ACCOUNTS_X": '{"auth": {"port": 1}}'},
            {"accounts": {"x": Account(Tls(1, "p"), 5)}},
        ),
        (
            {"accounts": {"x": {"auth": {"pin": "p"}}}},
            {"ACCOUNTS_X_AUTH": "port = 1"},
            {"accounts": {"x": Account(Tls(1, "p"))}},
        ),
        # Text stays text, whatever it looks like.
        ({}, {"TEXTS_A": "b = 1"}, {"texts": {"a": "b = 1"}}),
        ({}, {"TEXTS_A": '{"b": 1}'}, {"texts": {"a": '{"b": 1}'}}),
        ({}, {"MAYBE_A": "1"}, {"maybe": {"a": 1}}),
        # The keys are those of that table, of all that it is made of.
        (
            {},
            {"FIRST": '{"Key": 1}', "MAYBE_KEY": "2"},
            {"first": {"Key": 1}, "maybe": {"key": 2}},
        ),
        (
            {"first": {"x-y": 1}},
            {"FIRST": '{"b-c": 2}', "FIRST_X_Y": "3", "FIRST_B_C": "4"},
            {"first": {"x-y": 3, "b-c": 4}},
        ),
        # A key may end as the names of variables that name files do.
        (
            {"first": {"a_file": 1}},
            {"FIRST_A_FILE": "2"},
            {"first": {"a_file": 2}},
        ),
    ],
    ids=str,
)
def test_tables(monkeypatch, data, variables, found) -> None:
    """What a name below a table means."""
    for name, text in variables.items():
        monkeypatch.setenv(f"T_{name}", text)

    loaded = config.ConfigSource(data, env_prefix="T").load(Tables)

    assert loaded == attrs.evolve(Tables(), **found)


def test_secret_file_that_is_named_like_a_variable(tmp_path) -> None:
    """A file of the secrets folder is a value, and names no other file."""
    tmp_path.joinpath("first_new_file").write_text("1")
    source = config.ConfigSource({"first": {"a": 1}}, secrets=tmp_path)

    assert source.load(Tables) == Tables({"a": 1})


def test_files_that_are_missing(monkeypatch, tmp_path) -> None:
    """A missing file is an error with its path, until it is there."""
    names = [
        "APP_S_TEXTS_A_FILE",
        "APP_S_ACCOUNTS_X_PORT_FILE",
        "APP_O_HOST_FILE",
    ]
    for name in names:
        monkeypatch.setenv(name, str(tmp_path / name))
    source = config.ConfigSource(env_prefix="APP")

    for _ in range(2):
        with pytest.raises(config.ConfigError) as caught:
            source.load(Tables, "s")
        assert {x.path: x.source for x in caught.value.errors} == {
            "s.texts.a": f"${names[0]}: {tmp_path / names[0]}",
            "s.accounts.x.port": f"${names[1]}: {tmp_path / names[1]}",
        }
        with pytest.raises(config.ConfigError, match=r"o\.host: the file"):
            source.load(Server, "o")

    for name in names:
        tmp_path.joinpath(name).write_text("1")
    assert source.load(Server, "o").host == "1"
    assert source.load(Tables, "s") == Tables(
        texts={"a": "1"}, accounts={"x": Account(port=1)}
    )


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
