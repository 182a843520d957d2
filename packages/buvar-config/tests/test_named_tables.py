"""What names mean that lead below tables with keys of their own choice."""

from __future__ import annotations

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


@pytest.mark.parametrize("name", ["P_POOLS_A_B_DSN", "P_POOLS_A_B_DSN_FILE"])
def test_one_name_for_two_keys(monkeypatch, name) -> None:
    """A name that is written like two keys is an error that names both."""
    monkeypatch.setenv(name, "x")
    source = config.ConfigSource(
        {"pools": {"a-b": {}, "a_b": {}}}, env_prefix="P"
    )

    with pytest.raises(config.ConfigError) as caught:
        source.load(Pools)

    (problem,) = caught.value.errors
    assert problem.path == "pools.a_b.dsn"
    assert problem.expected == (
        f"the variable {name} is claimed by pools.a-b.dsn and pools.a_b.dsn"
    )
    assert caught.value.cure == "Rename one of the two."


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


def test_secret_that_is_no_text(tmp_path) -> None:
    """A file that cannot be read is an error with the path of its value."""
    tmp_path.joinpath("s_accounts_x_port").write_bytes(b"\xff")
    source = config.ConfigSource(secrets=tmp_path)

    with pytest.raises(config.ConfigError) as caught:
        source.load(Tables, "s")

    (problem,) = caught.value.errors
    assert problem.path == "s.accounts.x.port"
    assert problem.source == str(tmp_path / "s_accounts_x_port")
