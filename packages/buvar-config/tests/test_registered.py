"""Types of the user's own."""

from __future__ import annotations

import enum
import os
import tomllib
import typing as t

import attrs
import pytest

from buvar import config


class Color:
    def __init__(self, red: int) -> None:
        self.red = red

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Color) and other.red == self.red

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def load(cls, value: str) -> Color:
        return cls(int(value, 16))


@attrs.define
class Money:
    amount: int


class Size(enum.Enum):
    BIG = 10


@pytest.fixture(autouse=True)
def registered() -> None:
    config.register(
        Color, Color.load, dump=lambda c: f"{c.red:x}", takes="a color"
    )
    config.register(
        Money,
        lambda text: Money(int(text.removesuffix(" EUR"))),
        dump=lambda money: f"{money.amount} EUR",
    )
    config.register(Size, lambda text: Size.BIG, dump=lambda _: "huge")


@attrs.define
class Page:
    ink: Color
    more: list[Color] = attrs.field(factory=list)
    by: dict[str, Color] = attrs.field(factory=dict)
    maybe: Color | None = None
    either: int | Color = 0
    price: Money = attrs.field(factory=lambda: Money(5))
    size: Size = Size.BIG


def test_everywhere(monkeypatch) -> None:
    """A registered type is loaded wherever it stands, from anywhere."""
    monkeypatch.setenv("REG_MORE", "1, ff")
    monkeypatch.setenv("REG_PRICE", "7 EUR")
    monkeypatch.setenv("REG_BY_A", "b")
    data = {"ink": "a", "maybe": "c", "either": "dd", "size": "whatever"}

    found = config.ConfigSource(data, env_prefix="REG").load(Page)

    assert found == Page(
        Color(10),
        [Color(1), Color(255)],
        {"a": Color(11)},
        Color(12),
        Color(0xDD),
        Money(7),
    )
    for variable in config.variables(Page, env_prefix="REG", value=found):
        if variable.text is not None:
            monkeypatch.setitem(os.environ, variable.name, variable.text)
    text = config.sample(Page, value=found)
    assert config.ConfigSource(tomllib.loads(text)).load(Page) == found
    assert config.ConfigSource(env_prefix="REG").load(Page) == found
    assert config.schema(Page)["properties"]["ink"] == {
        "description": "a color"
    }


def test_refused() -> None:
    """What the function refuses is an error with a path and the reason."""
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource({"ink": "a", "more": ["zz"]}).load(Page)

    (problem,) = caught.value.errors
    assert problem.path == "more[0]"
    assert problem.expected == "expected a color"
    assert "invalid literal" in str(problem.hint)


def test_registered_after_use() -> None:
    """A type may be registered when its class was loaded before."""

    class Late:
        """Unknown to begin with."""

    cls = attrs.make_class("Has", {"x": attrs.field(type=Late)})
    source = config.ConfigSource({"x": "text"})
    with pytest.raises(config.ConfigError, match="set by code"):
        source.load(cls)

    config.register(Late, lambda _: Late())

    assert isinstance(t.cast("t.Any", source.load(cls)).x, Late)


def test_only_classes() -> None:
    """What is not a class cannot be registered."""
    with pytest.raises(config.ConfigError, match="is not a class"):
        config.register(t.cast("t.Any", int | str), int)
