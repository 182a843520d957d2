"""Unions: the member that was meant, and what is wrong with it."""

from __future__ import annotations

import typing as t

import attrs
import pytest

from buvar import config


@attrs.define
class Tcp:
    host: str
    port: int


@attrs.define
class Unix:
    path: str


def holder(tp: t.Any) -> type[t.Any]:
    return attrs.make_class("Holder", {"x": attrs.field(type=tp)})


def load_text(tp: t.Any, text: str) -> t.Any:
    source = config.ConfigSource(overrides=[f"x={text}"])
    return source.load(holder(tp)).x


def fail(tp: t.Any, value: t.Any) -> list[tuple[str, str]]:
    source = (
        config.ConfigSource(overrides=[f"x={value}"])
        if isinstance(value, str)
        else config.ConfigSource({"x": value})
    )
    with pytest.raises(config.ConfigError) as caught:
        source.load(holder(tp))
    return [(one.path, one.expected) for one in caught.value.errors]


NUMBER = "expected a whole number"
WORDS = "one of 1/0, true/false, yes/no, on/off"


@pytest.mark.parametrize(
    ("tp", "value", "expected"),
    [
        (Tcp | Unix, {"path": 5}, [("x.path", "expected text")]),
        (Tcp | Unix, '{"path": 5}', [("x.path", "expected text")]),
        (
            Tcp | Unix | None,
            '{"host": "a", "port": "b"}',
            [("x.port", NUMBER)],
        ),
        (Tcp | Unix, [5], [("x", "expected a table")]),
        (list[int] | dict[str, int], {"a": "b"}, [("x.a", NUMBER)]),
        (list[int] | dict[str, int], ["b"], [("x[0]", NUMBER)]),
        (list[int] | bool, "b", [("x[0]", NUMBER)]),
        (
            list[int] | bool,
            {"a": 1},
            [
                ("x", f"expected an array or {WORDS}"),
            ],
        ),
        (t.Iterator[int] | t.Iterable[int], ["b"], [("x[0]", NUMBER)]),
    ],
    ids=str,
)
def test_errors_of_the_member_that_was_meant(tp, value, expected) -> None:
    """What is within a table or an array is said, not "something else"."""
    assert fail(tp, value) == expected


@pytest.mark.parametrize("word", ["", "null", "NULL"])
def test_nothing(word) -> None:
    """Text may say nothing where that is allowed and is no value itself."""
    assert load_text(int | list[int] | None, word) is None
    assert load_text(config.URL | None, word) is None
    assert load_text(config.Secret[int] | None, word) is None
    assert load_text(str | None, word) == word
    assert load_text(bytes | None, word) == word.encode()
    assert load_text(config.Secret[str] | None, word) == config.Secret(word)
    assert load_text(config.Secret | None, word) == config.Secret(word)
    assert load_text(t.Annotated[str, "x"] | None, word) == word


def test_member_in_the_second_place() -> None:
    """A sample writes the table of the class that the value is of."""

    @attrs.define
    class App:
        at: Tcp | Unix | None = None

    text = config.sample(App, value=App(Unix("/run/x")))

    assert '[at]\npath = "/run/x"' in text
