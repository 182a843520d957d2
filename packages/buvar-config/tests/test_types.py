"""What values of each type are made of."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import ipaddress
import pathlib
import types
import typing as t
import uuid

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping

import attrs
import pytest

from buvar import config


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Words(enum.StrEnum):
    ONE = "one"


UserId = t.NewType("UserId", int)


class Ratio(float):
    """A kind of number of the application's own."""


class Instant(dt.datetime):
    """What a library makes of a point in time."""


class Day(dt.date):
    """Of a day."""


class Duration(dt.timedelta):
    """Of a duration."""


class Clock(dt.time):
    """And of a time of day."""


class Speaking(t.Protocol):
    def speak(self) -> str:
        """Say something."""


class Dog:
    def speak(self) -> str:
        return "wuff"


class Word(str):
    """Text that is made by a method of its class."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: str) -> t.Self:
        return cls({"a": "b"}[value])


class Even(int):
    def __new__(cls, value: int) -> t.Self:
        if value % 2:
            raise ValueError(value)
        return super().__new__(cls, value)


class Four(Even):
    """A number that is even for sure."""


def load(tp: t.Any, value: t.Any, **options: t.Any) -> t.Any:
    cls = attrs.make_class("Holder", {"x": attrs.field(type=tp, **options)})
    return config.ConfigSource({"x": value}).load(cls).x


def load_text(tp: t.Any, text: str) -> t.Any:
    cls = attrs.make_class("Holder", {"x": attrs.field(type=tp)})
    return config.ConfigSource(overrides=[f"x={text}"]).load(cls).x


UTC = dt.UTC
RIGHT = [
    (str, "a", "a"),
    (int, 5, 5),
    (int, " 0x10 ", 16),
    (float, 1, 1.0),
    (float, "1e3", 1000.0),
    (Ratio, 0.5, Ratio(0.5)),
    (bytes, "ä", "ä".encode()),
    (bytes, b"a", b"a"),
    (dt.datetime, Instant(2026, 1, 1), Instant(2026, 1, 1)),
    (dt.date, Day(2026, 1, 1), Day(2026, 1, 1)),
    (dt.time, Clock(1), Clock(1)),
    (dt.timedelta, Duration(1), Duration(1)),
    (
        dt.datetime,
        "2026-11-24T12:00:00Z",
        dt.datetime(2026, 11, 24, 12, tzinfo=UTC),
    ),
    (dt.date, "2026-11-24", dt.date(2026, 11, 24)),
    (dt.date, dt.date(2026, 11, 24), dt.date(2026, 11, 24)),
    (dt.time, "12:30", dt.time(12, 30)),
    (dt.time, dt.time(1), dt.time(1)),
    (dt.timedelta, "1h30m", dt.timedelta(minutes=90)),
    (dt.timedelta, "-1.5s", dt.timedelta(seconds=-1.5)),
    (dt.timedelta, "250ms", dt.timedelta(milliseconds=250)),
    (dt.timedelta, 90, dt.timedelta(seconds=90)),
    (dt.timedelta, "90", dt.timedelta(seconds=90)),
    (dt.timedelta, dt.timedelta(1), dt.timedelta(1)),
    (pathlib.Path, "/tmp", pathlib.Path("/tmp")),  # noqa: S108
    (pathlib.PurePosixPath, "a", pathlib.PurePosixPath("a")),
    (pathlib.Path, pathlib.Path("a"), pathlib.Path("a")),
    (Color, "red", Color.RED),
    (Color, "BLUE", Color.BLUE),
    (Color, 2, Color.BLUE),
    (Color, Color.RED, Color.RED),
    (Level, 2, Level.HIGH),
    (Level, "low", Level.LOW),
    (Words, "one", Words.ONE),
    (t.Literal["a", 1], 1, 1),
    (t.Literal[Color.RED], "red", Color.RED),
    (config.ByteSize, "10MB", 10_000_000),
    (config.ByteSize, "1.5KiB", 1536),
    (config.ByteSize, "2k", 2048),
    (config.ByteSize, 7, 7),
    (config.URL, "http://a.b/c", "http://a.b/c"),
    (config.Secret[int], "5", config.Secret(5)),
    (config.Secret, "5", config.Secret("5")),
    (config.Secret[str], config.Secret("a"), config.Secret("a")),
    (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
    (uuid.UUID, "0" * 32, uuid.UUID(int=0)),
    (ipaddress.IPv4Address, "127.0.0.1", ipaddress.IPv4Address("127.0.0.1")),
    (UserId, "5", 5),
    (Even, 2, Even(2)),
    (Even, Even(4), Even(4)),
    (Even, Four(4), Four(4)),
    (Word, "a", Word("b")),
    (decimal.Decimal, decimal.Decimal(1), decimal.Decimal(1)),
    (t.Annotated[int, "meta"], "5", 5),
    (t.Final[int], "5", 5),
    (t.Any, [1, {"a": [2]}], [1, {"a": [2]}]),
    (object, "a", "a"),
    (list, [1, "a"], [1, "a"]),
    (list[int], ["1", 2], [1, 2]),
    (tuple[int, ...], [1], (1,)),
    (tuple[int, str], [1, "a"], (1, "a")),
    (set[int], [1, 1], {1}),
    (frozenset[str], ["a"], frozenset({"a"})),
    (dict[str, int], {"a": "1"}, {"a": 1}),
    (Mapping[str, list[int]], {"a": [1]}, {"a": [1]}),
    (int | None, "5", 5),
    (int | str, "5", "5"),
    (int | str, 5, 5),
    (float | bool, 1, 1.0),
    (float | bool, True, True),
    (list[int] | int, [1], [1]),
    (type(None), None, None),
    (int | None, None, None),
    (int | list[int] | None, None, None),
    (Iterable[int], ["1"], [1]),
    (Collection[int], ["1"], [1]),
    (Iterable, ["1"], ["1"]),
    (list[dict[str, int]], [types.MappingProxyType({"a": 1})], [{"a": 1}]),
    (Callable[[], int], int, int),
]


@pytest.mark.parametrize(("tp", "value", "expected"), RIGHT)
def test_right(tp, value, expected) -> None:
    """A value that fits is taken."""
    found = load(tp, value)

    assert found == expected
    if not isinstance(found, tuple | str):
        assert type(found) in (type(expected), config.ByteSize)


TEXTS = [
    (bool, "On", True),
    (int, "5", 5),
    (Color, "2", Color.BLUE),
    (t.Literal["a", 1], "1", 1),
    (t.Literal[True], "true", True),
    (t.Literal["a", None], "null", None),  # noqa: PYI061 - another case
    (list[int], "1, 2", [1, 2]),
    (list[int], "[1, 2]", [1, 2]),
    (list[int], "", []),
    (list[dict[str, int]], "[{a = 1}]", [{"a": 1}]),
    (list[str], "a", ["a"]),
    (tuple[str, ...], "a,b", ("a", "b")),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (dict[str, int], "{a = 1}", {"a": 1}),
    (dict[str, int], "a = 1\nb = 2", {"a": 1, "b": 2}),
    (int | None, "", None),
    (int | None, "null", None),
    (str | None, "", ""),
    (int | str, "5", 5),
    (int | str, "5a", "5a"),
    (type(None), "null", None),
    (t.Any, "5", "5"),
    (str, "ü", "ü"),
]


@pytest.mark.parametrize(("tp", "text", "expected"), TEXTS)
def test_text(tp, text, expected) -> None:
    """Text from a variable or a command line becomes what the field is."""
    found = load_text(tp, text)

    assert found == expected
    assert type(found) is type(expected)


WRONG = [
    (str, 5),
    (str, "a\0b"),
    (int, True),
    (int, 5.0),
    (int, "9" * 5000),
    (float, True),
    (float, "x"),
    (float, 10**400),
    (bool, "maybe"),
    (bool, 2),
    (bool, None),
    (dt.datetime, "yesterday"),
    (dt.datetime, 5),
    (dt.date, dt.datetime(2026, 1, 1)),  # noqa: DTZ001 - of TOML
    (dt.timedelta, "1h30q"),
    (dt.timedelta, "1e400"),
    (dt.timedelta, True),
    (dt.timedelta, 10**30),
    (pathlib.Path, 5),
    (pathlib.Path, "a\0b"),
    (Color, "green"),
    (Level, 3),
    (t.Literal["a", 1], True),
    (config.ByteSize, "10XB"),
    (config.ByteSize, -1),
    (config.ByteSize, 1.5),
    (config.ByteSize, "9" * 5000),
    (config.ByteSize, "9" * 400 + ".5GB"),
    (Word, "x"),
    (Iterable[int], ["x"]),
    (dict[str, int], {5: 5}),
    (set[int], {"a"}),
    (Speaking, "wuff"),
    (config.ByteSize, True),
    (config.URL, "nothing"),
    (config.URL, "http://[x"),
    (config.URL, "http://a b/"),
    (config.URL, "http://a:99999/"),
    (config.Secret[int], "x"),
    (decimal.Decimal, "x"),
    (decimal.Decimal, True),
    (Even, 3),
    (list[int], "1,2"),
    (list[int], {"a": 1}),
    (list[int], ["x"]),
    (tuple[int, str], [1]),
    (dict[str, int], [1]),
    (dict[str, int], {"a": "x"}),
    (set[t.Any], [[1]]),
    (int | None, "x"),
    (int | list[int], "x"),
    (type(None), 5),
    (type(iter("")), 5),
    (Callable[[], int], 5),
]


@pytest.mark.parametrize(("tp", "value"), WRONG)
def test_wrong(tp, value) -> None:
    """A value that does not fit is one error with its path."""
    with pytest.raises(config.ConfigError) as caught:
        load(tp, value)

    assert caught.value.errors
    assert all(error.path.startswith("x") for error in caught.value.errors)
    assert caught.value.__context__ is None


def test_protocol() -> None:
    """An object of code passes where only its methods are known."""
    dog = Dog()

    assert load(Speaking, dog) is dog
