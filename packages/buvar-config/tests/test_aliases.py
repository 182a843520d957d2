"""Types by other names: aliases, new types, annotated and final ones."""

# ruff: noqa: RUF009 - these objects never change

from __future__ import annotations

import importlib
import json
import sys
import typing as t

import attrs
import pytest

from buvar import config


@attrs.define
class Web:
    port: int = 80


WORD = "hunter2"
UserId = t.NewType("UserId", int)
Server = t.NewType("Server", Web)
Password = t.NewType("Password", config.Secret[str])
Limits = t.Annotated[dict[str, int], "by user"]


@attrs.define
class App:
    server: Server = Server(Web())
    user: UserId = UserId(1)
    limits: Limits = attrs.field(factory=dict)
    password: Password = Password(config.Secret(WORD))
    fixed: t.Final[int] = 5  # type: ignore[misc]
    words: t.LiteralString = "a"


def test_right() -> None:
    """A value is what the name stands for, text is merged and converted."""
    source = config.ConfigSource(
        {"limits": {"a": 1}, "password": "p", "words": "b"},
        overrides=["server.port=8080", "user=7", "limits={b=2}", "fixed=6"],
    )

    assert source.load(App) == App(
        Server(Web(8080)),
        UserId(7),
        {"a": 1, "b": 2},
        Password(config.Secret("p")),
        6,
        "b",
    )


def test_wrong() -> None:
    """Errors are those of the type itself."""
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource({"user": "x", "words": 5}).load(App)

    assert [one.expected for one in caught.value.errors] == [
        "expected a whole number",
        "expected text",
    ]


def test_secret_by_another_name() -> None:
    """A secret is one by any name."""
    source = config.ConfigSource({"password": WORD})
    texts = [
        str(source.explain(App)),
        config.sample(App),
        *map(str, config.variables(App)),
        json.dumps(config.schema(App)),
        repr(source.load(App)),
    ]

    assert [text for text in texts if WORD in text] == []
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource({"password": [WORD]}).load(App)
    assert WORD not in str(caught.value)


def test_generated() -> None:
    """What is generated says what the names stand for."""
    schema = config.schema(App)
    variables = {one.name: one.takes for one in config.variables(App)}

    assert schema["properties"]["user"]["type"] == "integer"
    assert schema["properties"]["server"]["$ref"] == "#/$defs/Web"
    assert variables["SERVER_PORT"] == "a whole number"
    assert variables["LIMITS"] == "a table"
    assert variables["PASSWORD"] == "text, secret"  # noqa: S105
    assert "[server]\nport = 80\n" in config.sample(App)


PROGRAM = """
import attrs
from buvar import config

type Port = int
type Ports = list[Port]
type Maybe = Port | None
type Table[T] = dict[str, T]
type Json = dict[str, Json] | list[Json] | str
type Key = config.Secret[str]

@attrs.define
class Box[T]:
    item: T
    more: T | None = None

type IntBox = Box[int]

@attrs.define
class Aliases:
    ports: Ports
    maybe: Maybe
    table: Table[int]
    json: Json
    box: IntBox
    key: Key = config.Secret("hunter2")
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="new in Python 3.12")
def test_type_statement(tmp_path, monkeypatch) -> None:
    """Aliases of ``type X = ...`` are seen through, one in itself is not."""
    # A module of its own: this is no syntax of Python 3.11.
    tmp_path.joinpath("type_aliases.py").write_text(PROGRAM)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("type_aliases")
    cls, box = module.Aliases, module.Box
    source = config.ConfigSource(
        {"json": {"a": ["b"]}, "table": {"a": "1"}},
        overrides=["ports=1,2", "maybe=", "box.item=3", "table={b=2}"],
    )

    found = source.load(cls)

    assert found == cls([1, 2], None, {"a": 1, "b": 2}, {"a": ["b"]}, box(3))
    assert "hunter2" not in config.sample(cls)
    assert "# item = (a whole number, required)" in config.sample(cls)
    assert "# json = (anything, required)" in config.sample(cls)
    properties = config.schema(cls)["properties"]
    assert properties["table"]["additionalProperties"] == {"type": "integer"}


def test_type_that_cannot_be_loaded() -> None:
    """A type that nothing can be made of is refused, not ignored."""

    @attrs.define
    class Node:
        next: t.Never

    with pytest.raises(config.ConfigError, match=r"typing\.Never"):
        config.ConfigSource({"next": {}}).load(Node)
    assert config.variables(Node)[0].takes == "anything"
