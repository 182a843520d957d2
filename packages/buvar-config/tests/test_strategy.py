"""``strategy``: whatever is drawn loads from files and from variables."""

# ruff: noqa: RUF009 - these objects never change

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import ipaddress
import os
import pathlib
import subprocess
import sys
import tomllib
import typing as t
import uuid
import zoneinfo

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
    FAR = (1, 2)


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Even(int):
    """What refuses half of all numbers."""

    def __new__(cls, value: int) -> t.Self:
        if value % 2:
            msg = "odd"
            raise ValueError(msg)
        return super().__new__(cls, value)


class At(t.NamedTuple):
    x: int
    y: str = "y"


class Named(t.TypedDict):
    name: str


class Options(Named, total=False):
    size: int


@dataclasses.dataclass
class Node:
    value: float
    more: list[Node] = dataclasses.field(default_factory=list)


Name = t.NewType("Name", str)


@attrs.define
class One:
    kind: t.Literal["one"]
    x: int = 0


@attrs.define
class Two:
    kind: t.Literal["two"]
    x: str = ""


@attrs.define
class Everything(config.Config, section="drawn.everything"):
    node: Node
    color: Color
    name: Name
    needed: int | None
    access: Access = Access.READ
    even: Even = Even(2)
    text: str = "text"
    raw: bytes = b"raw"
    flag: bool = True
    when: dt.datetime | None = None
    day: dt.date = dt.date(2026, 1, 1)
    time: dt.time = dt.time(12)
    wait: dt.timedelta = dt.timedelta(minutes=1)
    path: pathlib.Path = pathlib.Path("x")
    size: config.ByteSize = config.ByteSize(10)
    url: config.URL = config.URL("http://localhost/")
    price: decimal.Decimal = decimal.Decimal(1)
    part: fractions.Fraction = fractions.Fraction(1)
    key: uuid.UUID = uuid.UUID(int=0)
    zone: zoneinfo.ZoneInfo = zoneinfo.ZoneInfo("UTC")
    host: ipaddress.IPv4Address = ipaddress.IPv4Address("127.0.0.1")
    host6: ipaddress.IPv6Address = ipaddress.IPv6Address("::1")
    net: ipaddress.IPv4Network = ipaddress.IPv4Network("10.0.0.0/8")
    net6: ipaddress.IPv6Interface = ipaddress.IPv6Interface("::1/64")
    login: config.Secret[str] = config.Secret("geheim")
    password: str = "geheim"  # noqa: S105 - a default
    choice: t.Literal["a", 1, Color.RED] = "a"
    maybe: config.Secret[int] | None = None
    item: One | Two = attrs.field(factory=lambda: One("one"))
    words: list[str] = config.list_var(["a"])
    plain: t.Any = config.list_var(["a"])
    yes: t.Any = config.bool_var(default=False)
    at: At = At(1)
    pair: tuple[int, str] = (1, "a")
    many: tuple[float, ...] = ()
    odd: frozenset[int] = frozenset()
    table: dict[str, int] = attrs.field(factory=dict)
    numbered: dict[int, list[Color]] = attrs.field(factory=dict)
    nodes: dict[str, Node] = attrs.field(factory=dict)
    options: Options | None = None
    port: int = config.var(80, validator=attrs.validators.ge(0))
    upper: str = config.var("A", converter=str.upper)


few = settings(
    max_examples=int(os.environ.get("BUVAR_FUZZ", "40")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)


@few
@given(config.strategy(Everything))
def test_all_that_is_drawn_loads(value: Everything) -> None:
    """What is drawn, written as a file or as variables, loads equal."""
    text = config.sample(Everything, value=value, reveal=True)
    variables = {
        one.name: one.text
        for one in config.variables(Everything, env_prefix="ST", value=value)
        if one.text is not None
    }

    assert config.ConfigSource(tomllib.loads(text)).load(Everything) == value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", variables)
        found = config.ConfigSource(env_prefix="ST").load(Everything)
    assert found == value


@attrs.define
class Some:
    node: Node
    color: Color
    item: One | Two
    access: Access = Access.READ
    when: dt.datetime | None = None
    options: Options | None = None
    login: config.Secret[str] = config.Secret("geheim")
    plain: t.Any = config.list_var(["a"])
    yes: t.Any = config.bool_var(default=False)


WISHES: dict[str, t.Callable[[Some], object]] = {
    "a member that is an array": lambda some: some.color is Color.FAR,
    "no flag": lambda some: not some.access,
    "two flags": lambda some: some.access == Access.READ | Access.WRITE,
    "a default": lambda some: some.login == config.Secret("geheim"),
    "another value": lambda some: some.login != config.Secret("geheim"),
    "something optional": lambda some: some.when,
    "nothing optional": lambda some: some.when is None,
    "a key less": lambda some: some.options and "size" not in some.options,
    "a key more": lambda some: some.options and "size" in some.options,
    "itself": lambda some: some.node.more,
    "one class": lambda some: isinstance(some.item, One),
    "the other class": lambda some: isinstance(some.item, Two),
    "another list": lambda some: some.plain != ["a"],
    "yes": lambda some: some.yes is True,
}


def test_what_is_drawn() -> None:
    """Defaults and other values, members, choices: all of them come up."""
    left = {*WISHES}

    @settings(few, max_examples=300, derandomize=True)
    @given(config.strategy(Some))
    def look(some: Some) -> None:
        left.difference_update(wish for wish in [*left] if WISHES[wish](some))

    look()

    assert not left


class Ink:
    def __init__(self, text: str) -> None:
        self.text = text


@attrs.define
class Page:
    ink: Ink
    code: t.Callable[[], int] | None = None


def test_given_strategies() -> None:
    """Types of one's own have the strategies that are given."""

    @attrs.define
    class Paper:
        ink: Ink = config.var(converter=Ink)
        size: int = 1

    inks = st.sampled_from(["black", "blue"])
    papers = config.strategy(Paper, given={Ink: inks, int: st.integers(1, 9)})

    @few
    @given(papers)
    def check(paper: Paper) -> None:
        assert paper.ink.text in {"black", "blue"}
        assert 1 <= paper.size <= 9

    check()


def test_a_type_without_a_strategy() -> None:
    """What nobody can draw is an error that names the field, and the cure."""
    with pytest.raises(config.ConfigError) as caught:
        config.strategy(Page)

    text = str(caught.value)
    assert "ink: there is no strategy for Ink" in text
    assert "a field of Page" in text
    assert "given=" in text


def test_without_hypothesis(monkeypatch) -> None:
    """Without hypothesis the error names the extra."""
    monkeypatch.setitem(sys.modules, "hypothesis", None)

    with pytest.raises(config.ConfigError, match=r"buvar-config\[hypothesis]"):
        config.strategy(Page)


def test_hypothesis_is_not_imported() -> None:
    """Whoever loads a configuration does not wait for what tests need."""
    program = (
        "import sys; from buvar import config; "
        "assert 'hypothesis' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", program], check=True)
