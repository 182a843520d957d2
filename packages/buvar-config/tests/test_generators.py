"""Samples, lists of variables, JSON Schema and explanations."""

# ruff: noqa: RUF009 - these objects never change

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import os
import pathlib
import subprocess
import tomllib
import typing as t

import attrs
import pytest

from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import config


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


@attrs.define
class Server:
    """
    Where to connect.

    Attributes:
        host: The name or address
            of the host.
    """

    host: str
    port: int = config.var(80, help="The port.")


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class At(t.NamedTuple):
    x: int
    y: str = "y"


@attrs.define
class One:
    kind: t.Literal["one"] = "one"
    x: int = 0


@attrs.define
class Two:
    kind: t.Literal["two"] = "two"
    x: str = ""


@attrs.define
class App(config.Config, section="generated.app"):
    """What the application needs."""

    server: Server
    backup: Server | None = None
    color: Color = Color.RED
    words: list[str] = config.list_var(["a"])
    table: dict[str, int] = attrs.field(factory=dict)
    wait: dt.timedelta = dt.timedelta(minutes=90)
    size: config.ByteSize = config.ByteSize(10)
    kind: t.Literal["x", "y"] = "x"
    both: int | str = 5
    pair: tuple[int, str] = (1, "a")
    when: dt.datetime | None = None
    login: config.Secret[str] = config.Secret("geheim")
    anything: t.Any = None
    raw: bytes = b"raw"
    path: pathlib.Path = pathlib.Path("x")
    flag: bool = True
    code: t.Callable[[], int] | None = None
    other: Color = attrs.field(
        default=attrs.Factory(lambda self: self.color, takes_self=True)
    )
    upper: str = config.var("A", converter=str.upper)
    pool: Server = attrs.field(factory=lambda: Server("pool", 5))
    access: Access = Access.READ
    at: At = At(1)
    item: One | Two = attrs.field(factory=One)
    by: dict[str, Server] = attrs.field(factory=dict)
    choice: t.Literal[1, "a", True, Color.RED] = "a"


def test_sample_in_words() -> None:
    """A sample has helps, defaults, and what is required as comments."""
    text = config.sample(App)

    assert text.startswith("# What the application needs.\n[generated.app]\n")
    assert 'color = "red"\n' in text
    assert "# Where to connect.\n[generated.app.server]\n" in text
    assert "# The name or address of the host.\n" in text
    assert "# host = (text, required)\n# The port.\nport = 80\n" in text
    assert "# [generated.app.backup] may be left out" in text
    assert "# login = (text, secret, has a default)" in text or (
        "# login = (secret, has a default)" in text
    )
    assert "geheim" not in text
    assert tomllib.loads(text)["generated"]["app"]["wait"] == "1h30m"
    assert text in config.sample()


def test_variables_in_words(monkeypatch) -> None:
    """Each variable is listed with what it takes; secrets are masked."""
    lines = list(map(str, config.variables(App, env_prefix="X")))

    assert "# X_GENERATED_APP_SERVER_HOST=  # text, required" in lines
    assert "# X_GENERATED_APP_BACKUP_HOST=  # text, optional" in lines
    assert "X_GENERATED_APP_LOGIN='***'" in lines
    assert "X_GENERATED_APP_WAIT=1h30m" in lines
    assert "geheim" not in repr(config.variables(App))
    assert {v.path for v in config.variables(App)} <= {
        v.path for v in config.variables()
    }


def test_schema() -> None:
    """The schema is JSON, names what is required, tells no secret."""
    schema = config.schema(App)
    text = json.dumps(schema)
    app = schema["properties"]["generated"]["properties"]["app"]

    assert "geheim" not in text
    assert app["required"] == ["server"]
    assert app["properties"]["color"] == {"enum": ["red", 2], "default": "red"}
    assert app["properties"]["server"] == {"$ref": "#/$defs/Server"}
    assert app["properties"]["pair"]["maxItems"] == 2
    assert app["properties"]["login"]["writeOnly"]
    assert schema["$defs"]["Server"]["properties"]["host"]["description"]
    assert "app" in json.dumps(config.schema())


def test_schema_of_a_recursive_class() -> None:
    """A class that contains itself is described once; names stay apart."""

    @dataclasses.dataclass
    class Node:
        more: list[Node] = dataclasses.field(default_factory=list)
        bare: list = dataclasses.field(default_factory=list)  # type: ignore[type-arg]
        table: dict = dataclasses.field(default_factory=dict)  # type: ignore[type-arg]
        tables: dict[str, int] = dataclasses.field(default_factory=dict)
        code: type[int] | None = None
        when: dt.date = dt.date(2026, 1, 1)

    other = Node

    def local() -> type:
        @dataclasses.dataclass
        class Node:
            first: other
            second: t.Annotated[other, "x"] | None = None

        return Node

    schema = config.schema(local())

    assert list(schema["$defs"]) == ["Node"]
    assert schema["additionalProperties"] == {"type": "object"}
    assert "required" not in schema
    assert config.sample(local())


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0")
)
SERVERS = st.builds(Server, TEXT, st.integers())
APPS = st.builds(
    App,
    SERVERS,
    backup=st.none() | SERVERS,
    color=st.sampled_from(Color),
    words=st.lists(TEXT),
    table=st.dictionaries(TEXT, st.integers()),
    wait=st.timedeltas(),
    size=st.integers(0).map(config.ByteSize),
    kind=st.sampled_from("xy"),
    both=st.integers() | TEXT.filter(lambda x: not _number(x)),
    pair=st.tuples(st.integers(), TEXT),
    when=st.none() | st.datetimes(),
    login=TEXT.map(config.Secret),
    raw=TEXT.map(str.encode),
    flag=st.booleans(),
    pool=SERVERS,
    access=st.sampled_from([Access(number) for number in range(4)]),
    at=st.builds(At, st.integers(), TEXT),
    item=st.builds(One, x=st.integers()) | st.builds(Two, x=TEXT),
    by=st.dictionaries(TEXT, SERVERS, max_size=3),
    choice=st.sampled_from([1, "a", True, Color.RED]),
)


def _number(text: str) -> bool:
    try:
        int(text.strip(), 0)
    except ValueError:
        return text.strip().isdecimal() or _odd(text)
    return True


def _odd(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


many = settings(
    max_examples=int(os.environ.get("BUVAR_FUZZ", "100")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)


@many
@given(APPS)
def test_sample_round_trip(app) -> None:
    """A sample of an object, read back, loads equal."""
    text = config.sample(App, value=app, reveal=True)

    assert config.ConfigSource(tomllib.loads(text)).load(App) == app


@many
@given(APPS)
def test_environment_round_trip(app) -> None:
    """What the list of variables says sets the same object."""
    overrides = {
        one.name: one.text
        for one in config.variables(App, env_prefix="RT", value=app)
        if one.text is not None
    }
    real = os.environ
    os.environ = overrides  # type: ignore[assignment]  # noqa: B003
    try:
        found = config.ConfigSource(env_prefix="RT").load(App)
    finally:
        os.environ = real  # noqa: B003

    assert found == app


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_environment_of_a_shell(monkeypatch) -> None:
    """The lines that are printed, read by a shell, set the same object."""
    odd = Server('it\'s "$HOME" `x`\n\\ ü', 81)
    app = App(odd, backup=odd, words=["a,b", "'"], table={"a b": 1})
    lines = [
        str(one)
        for one in config.variables(App, env_prefix="SH", value=app)
        if not one.secret
    ]

    script = "\n".join(["set -a", *lines, "exec env -0"])
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, check=True, env={}
    )

    pairs = (pair.partition("=") for pair in done.stdout.decode().split("\0"))
    monkeypatch.setattr(os, "environ", {k: v for k, _, v in pairs})
    assert config.ConfigSource(env_prefix="SH").load(App) == app


class Point(enum.Enum):
    """Members whose values are no scalars."""

    ORIGIN = (0, 0)
    AWAY = (1, 1)


def test_members_that_are_written_by_name(monkeypatch) -> None:
    """A member whose value is an array is written by its name."""

    @attrs.define
    class Has:
        at: Point = Point.ORIGIN
        more: list[Point] = [Point.AWAY]  # noqa: RUF008

    text = config.sample(Has)
    for variable in config.variables(Has, env_prefix="PT"):
        monkeypatch.setenv(variable.name, str(variable.text))

    assert 'at = "ORIGIN"\nmore = ["AWAY"]\n' in text
    assert config.ConfigSource(tomllib.loads(text)).load(Has) == Has()
    assert config.ConfigSource(env_prefix="PT").load(Has) == Has()
    at = config.schema(Has)["properties"]["at"]
    assert at == {"enum": ["ORIGIN", "AWAY"], "default": "ORIGIN"}
    with pytest.raises(config.ConfigError, match="one of 'ORIGIN', 'AWAY'"):
        config.ConfigSource({"at": "here"}).load(Has)


def test_numbers_that_are_none() -> None:
    """Floats are written as TOML has them, infinity as well."""

    @attrs.define
    class Numbers:
        half: float = 0.5
        much: float = float("inf")
        none: float = float("-inf")
        when: list[dt.date] = [dt.date(2026, 1, 2)]  # noqa: RUF008
        odd: float = float("nan")

    text = config.sample(Numbers)
    source = config.ConfigSource(tomllib.loads(text))

    assert repr(source.load(Numbers)) == repr(Numbers())
    assert "WHEN='[\"2026-01-02\"]'" in map(str, config.variables(Numbers))


def test_classes_of_one_name() -> None:
    """Classes that have the same name are described apart."""

    def make(tp: type) -> type:
        return attrs.make_class("Same", {"a": attrs.field(type=tp)})

    cls = attrs.make_class(
        "Both",
        {
            "x": attrs.field(type=make(int)),
            "y": attrs.field(type=make(str)),
        },
    )

    schema = config.schema(cls)

    assert schema["properties"]["x"] == {"$ref": "#/$defs/Same"}
    assert schema["properties"]["y"] == {"$ref": "#/$defs/Same1"}
    assert schema["$defs"]["Same1"]["properties"]["a"] == {"type": "string"}


def test_several_classes() -> None:
    """A list may hold classes, with their own sections or with others."""

    @attrs.define
    class Several(config.Config, section="several"):
        port: int = 80

    @attrs.define
    class Plain:
        debug: bool = False

    assert config.sample([Several]) == config.sample(Several)
    assert config.sample([Plain, Several, (Plain, "other")]) == (
        "debug = false\n\n[several]\nport = 80\n\n[other]\ndebug = false\n"
    )
