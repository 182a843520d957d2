"""Literals, members of enumerations, flags, and unions with a tag."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import typing as t

import attrs
import pytest

from buvar import config


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(enum.Enum):
    WAIT = dt.timedelta(minutes=1)
    YES = True
    HALF = 0.5


class Price(enum.Enum):
    LOW = decimal.Decimal("1.50")
    HIGH = decimal.Decimal(20)


class Corner(enum.Enum):
    START = (0, "a")
    END = (1, "b")


class Own(enum.Enum):
    A = "a"

    @classmethod
    def _missing_(cls, value: object) -> t.Any:
        return cls.A if value == "first" else None


class Access(enum.Flag):
    READ = 1
    WRITE = 2


def load(tp: t.Any, value: t.Any) -> t.Any:
    cls = attrs.make_class("Has", {"x": attrs.field(type=tp)})
    return t.cast("t.Any", config.ConfigSource({"x": value}).load(cls)).x


RIGHT = [
    (t.Literal[1, 2], "2", 2),
    (t.Literal[False], "off", False),
    (t.Literal["auto", 0, True], "auto", "auto"),
    (t.Literal["auto", 0, True], "yes", True),
    (t.Literal["1", 1], "1", "1"),
    (t.Literal["1", 1], 1, 1),
    (t.Literal[Level.HIGH], "high", Level.HIGH),
    (t.Literal[b"a"], "a", b"a"),
    (Level, "2", Level.HIGH),
    (Level, "low", Level.LOW),
    (Mixed, "60s", Mixed.WAIT),
    (Mixed, "on", Mixed.YES),
    (Mixed, ".5", Mixed.HALF),
    (Price, "1.5", Price.LOW),
    (Price, 20, Price.HIGH),
    (Corner, [1, "b"], Corner.END),
    (Own, "first", Own.A),
    (Access, "read|WRITE", Access.READ | Access.WRITE),
    (Access, ["READ", 2], Access.READ | Access.WRITE),
    (Access, "3", Access.READ | Access.WRITE),
    (Access, 0, Access(0)),
    (t.Literal["", "a"] | None, "", ""),
]


@pytest.mark.parametrize(("tp", "value", "right"), RIGHT, ids=str)
def test_taken(tp, value, right, monkeypatch) -> None:
    """A choice takes what its own type takes, from files and as text."""
    assert load(tp, value) is right or load(tp, value) == right
    assert type(load(tp, value)) is type(right)
    text = value if isinstance(value, str) else json.dumps(value)
    monkeypatch.setenv("CH_X", text)
    cls = attrs.make_class("Has", {"x": attrs.field(type=tp)})
    if value != 1:
        found: t.Any = config.ConfigSource(env_prefix="CH").load(cls)
        assert found.x == right


@pytest.mark.parametrize(
    ("tp", "value"),
    [
        (t.Literal[1, 2], 3),
        (t.Literal[1], True),
        (Level, 3),
        (Level, True),
        (Mixed, "never"),
        (Price, "many"),
        (Corner, [1, "a"]),
        (Corner, [1]),
        (Corner, "[1"),
        (Own, "second"),
        (Access, 4),
        (Access, -1),
        (Access, "READ, EXECUTE"),
        (Access, {"READ": 1}),
    ],
    ids=str,
)
def test_refused(tp, value) -> None:
    """What none of the choices takes is refused, and they are named."""
    with pytest.raises(config.ConfigError, match="expected one"):
        load(tp, value)


def test_wrong_item_of_a_flag() -> None:
    """Of several members the one that is not there is named."""
    for value in (["READ", "EXEC"], "READ|EXEC"):
        with pytest.raises(config.ConfigError) as caught:
            load(Access, value)
        assert "There is no 'EXEC'." in str(caught.value)


def test_registered_value_of_a_member() -> None:
    """A member's value is taken as its registered type takes it."""

    class Money:
        def __init__(self, cents: int) -> None:
            self.cents = cents

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Money) and other.cents == self.cents

        __hash__ = None  # type: ignore[assignment]

    class Fee(enum.Enum):
        NONE = Money(0)
        SOME = Money(150)

    config.register(Money, lambda text: Money(round(float(text) * 100)))

    assert load(Fee, "1.5") is Fee.SOME


@attrs.define(kw_only=True)
class File:
    kind: t.Literal["file"]
    path: str


@dataclasses.dataclass
class Http:
    kind: t.Literal["http", "https"]
    port: int = 80


class Kind(enum.Enum):
    A = "a"
    B = "b"


@attrs.define
class OfA:
    kind: t.Literal[Kind.A] = Kind.A
    x: int = 0


@attrs.define
class OfB:
    kind: t.Literal[Kind.B] = Kind.B
    x: str = ""


@attrs.define
class Has:
    one: File | Http | None = None
    many: list[File | Http] = attrs.field(factory=list)
    by: dict[str, File | Http] = attrs.field(factory=dict)
    either: OfA | OfB = attrs.field(factory=lambda: OfB(x="default"))
    loose: File | dict[str, str] | None = None


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        (
            {"one": {"kind": "ftp"}},
            {"one.kind": "expected one of 'file', 'http', 'https'"},
        ),
        (
            {"one": {"path": "x"}},
            {"one.kind": "missing, expected one of 'file', 'http', 'https'"},
        ),
        (
            {"many": [{"kind": "file", "port": 1}]},
            {
                "many[0].path": "missing, and it has no default",
                "many[0].port": "unknown key",
            },
        ),
        (
            {"by": {"a": {"kind": "http", "port": "x"}}},
            {"by.a.port": "expected a whole number"},
        ),
        (
            {"either": {"kind": "a", "x": "x"}},
            {"either.x": "expected a whole number"},
        ),
        ({"one": 5}, {"one": "expected a table"}),
    ],
    ids=str,
)
def test_errors_are_those_of_the_tag(data, problems) -> None:
    """The tag tells which class was meant; if it is wrong, all are named."""
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(data).load(Has)

    found = {one.path: one.expected for one in caught.value.errors}
    assert found == problems


def test_chosen_by_the_tag(monkeypatch) -> None:
    """Dicts and variables choose a class by its tag, its default else."""
    data = {
        "one": {"kind": "https"},
        "many": [{"kind": "file", "path": "p"}],
        "either": {"kind": "a"},
        "loose": {"some": "thing"},
    }
    found = config.ConfigSource(data).load(Has)
    assert found == Has(
        Http("https"),
        [File(kind="file", path="p")],
        {},
        OfA(),
        {"some": "thing"},
    )
    monkeypatch.setenv("TAG_ONE_KIND", "file")
    monkeypatch.setenv("TAG_ONE_PATH", "p")
    monkeypatch.setenv("TAG_MANY", '[{"kind": "http"}]')
    monkeypatch.setenv("TAG_EITHER_X", "5")
    monkeypatch.setenv("TAG_BY_A_KIND", "http")
    found = config.ConfigSource(env_prefix="TAG").load(Has)
    assert found == Has(
        File(kind="file", path="p"),
        [Http("http")],
        {"a": Http("http")},
        OfB(x="5"),
    )


def test_described() -> None:
    """Flags are described as what they take."""

    @attrs.define
    class Flags:
        access: Access = Access.READ | Access.WRITE
        choice: t.Literal["a", None] = None  # noqa: PYI061

    schema = config.schema(Flags)["properties"]

    assert schema["access"]["type"] == ["integer", "string", "array"]
    assert schema["choice"] == {"enum": ["a", None]}
    assert config.variables(Flags)[0].takes == "one or more of 'READ', 'WRITE'"
