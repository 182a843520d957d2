"""Texts that are broken, keys, objects of code, and secrets."""

from __future__ import annotations

import dataclasses
import typing as t

from collections.abc import Sequence

import attrs
import pytest

from buvar import config


def load(tp: t.Any, value: t.Any, **options: t.Any) -> t.Any:
    cls = attrs.make_class("Holder", {"x": attrs.field(type=tp, **options)})
    return config.ConfigSource({"x": value}).load(cls).x


def load_text(tp: t.Any, text: str) -> t.Any:
    cls = attrs.make_class("Holder", {"x": attrs.field(type=tp)})
    return config.ConfigSource(overrides=[f"x={text}"]).load(cls).x


@pytest.mark.parametrize("word", ["1", "true", "YES", "on", 1, True], ids=repr)
def test_true(word) -> None:
    """There are words for true."""
    assert load(bool, word) is True


@pytest.mark.parametrize(
    "word", ["0", "false", "No", "OFF", 0, False], ids=repr
)
def test_false(word) -> None:
    """There are words for false."""
    assert load(bool, word) is False


def test_sequence() -> None:
    """An abstract sequence is whatever cattrs makes of it."""
    assert list(load(Sequence[int], ["1"])) == [1]


def test_objects_set_by_code() -> None:
    """An object that text cannot say passes if it is of the type."""
    iterator = iter("")

    assert load(type(iterator), iterator) is iterator


@pytest.mark.parametrize(
    ("tp", "text", "expected"),
    [
        (dict[str, int], "5", "expected a JSON object or a TOML table"),
        (dict[str, int], "x = [", "expected a JSON object or a TOML table"),
        (dict[str, int], "{a=1}\nb=2", "expected a JSON object or a TOML"),
        (dict[str, int], "x=" + "[" * 9999, "nested less deeply"),
        (list[int], "[" * 9999, "nested less deeply"),
        (list[str], '["\udcff"]', "expected UTF-8 text"),
        (dict[str, t.Any], '{"a": "\udcff"}', "expected UTF-8 text"),
    ],
)
def test_broken_text(tp, text, expected) -> None:
    """Text that is neither JSON nor TOML is one error of its field."""
    with pytest.raises(config.ConfigError) as caught:
        load_text(tp, text)

    (problem,) = caught.value.errors
    assert problem.path == "x"
    assert expected in problem.expected


@pytest.mark.parametrize(
    ("tp", "value", "shown"),
    [
        (dict[int, str], {"a": "b"}, "'a'"),
        (dict[int, config.Secret[str]], {"a": "b"}, "***"),
    ],
)
def test_wrong_key(tp, value, shown) -> None:
    """A key that is wrong is shown, not the value that it has."""
    with pytest.raises(config.ConfigError) as caught:
        load(tp, value)

    (problem,) = caught.value.errors
    assert problem.path == "x"
    assert problem.value == shown
    assert problem.source == "code"


def test_any_is_copied() -> None:
    """An untyped list is the object's own, not that of the source."""
    source = config.ConfigSource({"x": [1]})
    cls = attrs.make_class("Holder", {"x": attrs.field(type=t.Any)})

    source.load(cls).x.append(2)

    assert source["x"] == [1]


def test_not_a_class_with_fields() -> None:
    """Only classes with fields can be loaded."""
    with pytest.raises(config.ConfigError, match="neither"):
        config.ConfigSource().load(dict)


def test_secret() -> None:
    """A secret shows itself to nobody, and reveals itself when asked."""
    secret = config.Secret("geheim")

    assert "geheim" not in f"{secret} {secret!r} {[secret]} {secret!s:>9}"
    assert secret.reveal() == "geheim"
    assert secret != "geheim"  # noqa: S105
    assert len({secret, config.Secret("geheim")}) == 1
    assert not config.Secret("")
    assert "pw" not in repr(config.URL("http://user:pw@host/"))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    a: int
    _b: str = dataclasses.field(
        default="x", metadata=config.metadata(name="bb", help="The b.")
    )


def test_dataclass() -> None:
    """A frozen dataclass with slots loads, by the names it gives."""
    source = config.ConfigSource({"f": {"a": "1", "bb": "y"}})

    assert source.load(Frozen, "f") == Frozen(a=1, _b="y")


def test_prefix_that_is_no_text() -> None:
    """A prefix of another type is refused with what may be given."""
    with pytest.raises(TypeError, match="Pass '' to read variables"):
        config.ConfigSource(env_prefix=t.cast("t.Any", True))


def test_table_of_tables_by_variables(monkeypatch) -> None:
    """A variable sets one table of a dict of dicts, written as text."""

    @attrs.define
    class Node:
        port: int

    @attrs.define
    class Has:
        zones: dict[str, dict[str, Node]]

    monkeypatch.setenv("TT_ZONES_NORTH", '{"a": {"port": 1}}')

    assert config.ConfigSource(env_prefix="TT").load(Has) == Has(
        {"north": {"a": Node(1)}}
    )


def test_variables_of_a_missing_class() -> None:
    """What has to be given of it is named, not the variable of the whole."""

    @attrs.define
    class Pool:
        size: int
        name: str = "main"

    @attrs.define
    class Database:
        pool: Pool
        url: str
        spare: Pool | None = None

    @attrs.define
    class Has:
        db: Database
        port: int

    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(env_prefix="VM").load(Has)

    assert [problem.hint for problem in caught.value.errors] == [
        "The variables VM_DB_POOL_SIZE, VM_DB_URL set it.",
        "The variable VM_PORT sets it.",
    ]


def test_wrong_item_of_a_named_tuple(monkeypatch) -> None:
    """The item is named, also where the variable has no names."""

    class Point(t.NamedTuple):
        x: int
        y: int = 0

    @attrs.define
    class Has:
        at: Point

    monkeypatch.setenv("NP_AT", "1, far")
    for source in (
        config.ConfigSource(env_prefix="NP"),
        config.ConfigSource({"at": [1, "far"]}),
    ):
        with pytest.raises(config.ConfigError) as caught:
            source.load(Has)
        (problem,) = caught.value.errors
        assert problem.path == "at.y"
        assert problem.expected == "expected a whole number"
