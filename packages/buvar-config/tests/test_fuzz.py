"""
Whatever comes in: a right object or a ConfigError.

The normal run tries some hundred inputs, ``BUVAR_FUZZ=20000`` that many of
each kind; so do the round trips of ``test_generators.py``.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import os
import pathlib
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
class Leaf:
    a: int
    b: str = "b"
    c: float | None = None


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Pair(t.NamedTuple):
    a: int
    b: str = "b"


@attrs.define
class First:
    x: t.Literal["1"] = "1"
    a: int = 0


@attrs.define
class Second:
    x: t.Literal[2] = 2
    b: Leaf = attrs.field(factory=lambda: Leaf(5, "c", 0.5))


Number = t.NewType("Number", int)

TYPES: list[t.Any] = [
    *(str, int, float, bool, bytes, dt.datetime, dt.date, dt.timedelta),
    *(pathlib.Path, Color, t.Literal["a", 1], config.ByteSize, config.URL),
    *(config.Secret[str], t.Any, Leaf, Leaf | None, list[Leaf]),
    *(dict[str, Leaf], list[int], tuple[int, str], set[str], int | str),
    *(dict[str, int] | None, Leaf | int, list[list[int]], dict[int, str]),
    *(Number, t.Annotated[Leaf, "x"], t.Iterable[int], list[int] | Leaf),
    *(config.Secret[str] | None, config.Secret[int], str | None, Color | int),
    *(Access, Pair, First | Second, list[First | Second], dict[str, Pair]),
    *(Second, t.Literal[Color.RED, 1, True], dict[str, First | Second]),
]
NAMES = ["a", "b", "c", "a_b", "x"]
KEYS = st.sampled_from([*NAMES, "A", "a-b", ""]) | st.text(max_size=3)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.datetimes()
    | st.dates()
    | st.sampled_from(["1h", "red", "yes", "1", "10MB", "http://a/", "[1]"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.dictionaries(st.integers(0, 3), inner, max_size=1)
        | st.tuples(inner)
    ),
    max_leaves=8,
)
DICTS = st.dictionaries(KEYS, VALUES, max_size=4)
TEXTS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"])
) | st.sampled_from(
    ["[1", "{", "{a=1}", '{"a": 1}', "[" * 9999, "1,2", "null"]
)


@st.composite
def classes(draw: t.Any) -> type:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    return attrs.make_class(
        "Random",
        {
            name: attrs.field(
                type=draw(st.sampled_from(TYPES)),
                default=draw(st.sampled_from([attrs.NOTHING, None])),
                kw_only=True,
            )
            for name in names
        },
    )


CLASSES = st.sampled_from(
    [
        attrs.make_class(
            f"C{number}",
            {
                name: attrs.field(
                    type=TYPES[(number * 3 + place) % len(TYPES)],
                    default=[attrs.NOTHING, None][(number + place) % 2],
                    kw_only=True,
                )
                for place, name in enumerate(NAMES[: number % 5 + 1])
            },
        )
        for number in range(len(TYPES))
    ]
)
VARIABLES = st.dictionaries(
    st.sampled_from([f"F_{name}" for name in ("A", "B", "A_B", "X", "A_A")]),
    TEXTS,
    max_size=3,
)
NUMBER = int(os.environ.get("BUVAR_FUZZ", "300"))
fuzz = settings(
    max_examples=NUMBER,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)


@contextlib.contextmanager
def environment(variables: dict[str, str]) -> t.Iterator[None]:
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


def check(cls: type, make: t.Callable[[], config.ConfigSource]) -> None:
    try:
        found = make().load(cls)
    except config.ConfigError as error:
        caught = error
    else:
        assert isinstance(found, cls)
        # A right object: it loads equal from what it was made of.
        assert repr(make().load(cls)) == repr(found)
        return
    assert caught.errors
    assert str(caught)
    assert caught.__context__ is None


@fuzz
@given(CLASSES, DICTS, VARIABLES)
def test_dicts_and_variables(cls, data, variables) -> None:
    """Random dicts and variables give an object or a ConfigError."""
    with environment(variables):
        check(cls, lambda: config.ConfigSource(data, env_prefix="F"))


# Each class is compiled, which takes longer than all the rest.
@settings(fuzz, max_examples=NUMBER if "BUVAR_FUZZ" in os.environ else 50)
@given(classes(), DICTS, VARIABLES)
def test_random_classes(cls, data, variables) -> None:
    """Random classes give an object or a ConfigError."""
    with environment(variables):
        check(cls, lambda: config.ConfigSource(data, env_prefix="F"))


LINES = st.sampled_from(
    ["[a]", "[[x]]", "[b.a]", "x = [", "]", "a = {a = 1}", "'''", '"', "="]
) | st.builds(
    "{} = {}".format,
    st.sampled_from(NAMES),
    st.sampled_from(["1", '"a"', "[1, 2]", "{a = 1}", "true", "1979-05-27"])
    | st.text(max_size=4),
)
DOCUMENTS = st.lists(LINES, max_size=6).map("\n".join) | st.text()


@fuzz
@given(CLASSES, DOCUMENTS | st.binary())
def test_texts(tmp_path_factory, cls, text) -> None:
    """Random files give an object or a ConfigError."""
    file = tmp_path_factory.getbasetemp() / "fuzz.toml"
    data = text if isinstance(text, bytes) else text.encode(errors="replace")
    file.write_bytes(data)

    check(cls, lambda: config.ConfigSource.read(file))


@pytest.mark.parametrize("depth", [100, 10_000, 100_000])
def test_deep_nesting(depth, tmp_path, monkeypatch) -> None:
    """Nesting that would end the interpreter's stack is a ConfigError."""
    cls = attrs.make_class("Any", {"x": attrs.field(type=t.Any)})
    deep_list: list[t.Any] = []
    deep_dict: dict[str, t.Any] = {}
    for _ in range(depth):
        deep_list, deep_dict = [deep_list], {"x": deep_dict}
    file = tmp_path / "deep.toml"
    file.write_text("x = " + "[" * depth + "]" * depth)
    monkeypatch.setenv("D_X", "[" * depth + "]" * depth)
    lists = attrs.make_class("Lists", {"x": attrs.field(type=list[t.Any])})

    for make, kind in (
        (lambda: config.ConfigSource({"x": deep_list}), cls),
        (lambda: config.ConfigSource(deep_dict), cls),
        (lambda: config.ConfigSource.read(file), cls),
        (lambda: config.ConfigSource(env_prefix="D"), lists),
    ):
        with pytest.raises(config.ConfigError):
            make().load(kind)
