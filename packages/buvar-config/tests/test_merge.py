"""Merging dicts: later ones win, nothing is shared, no dict is changed."""

from __future__ import annotations

import collections
import copy
import types

import attrs
import pytest

from buvar import config


TREES = [
    ([{"a": 1}, {"a": 2}], {"a": 2}),
    ([{"a": 1}, {"b": 2}], {"a": 1, "b": 2}),
    ([{"a": {"b": 1}}, {"a": {"c": 2}}], {"a": {"b": 1, "c": 2}}),
    ([{"a": {"b": {"c": 1}}}, {"a": {"b": {"d": 2}}}], None),
    ([{"a": {"b": 1}}, {"a": 5}], {"a": 5}),
    ([{"a": 5}, {"a": {"b": 1}}], {"a": {"b": 1}}),
    ([{"a": [1, 2]}, {"a": [3]}], {"a": [3]}),
    ([{"a": {"b": 1}}, {"a": {}}], {"a": {"b": 1}}),
    ([{"a": {"b": 1}}, {"a": None}], {"a": None}),
    ([{"a": 1.5}, {"a": {1: 2}}, {"a": {"x": []}}], {"a": {1: 2, "x": []}}),
    ([{}, {"a": {}}], {"a": {}}),
]


@pytest.mark.parametrize(("trees", "merged"), TREES, ids=str)
def test_merge(trees, merged) -> None:
    """Tables merge key by key, all else is replaced; dicts stay as are."""
    before = copy.deepcopy(trees)

    source = config.ConfigSource(*trees)

    wanted = {"a": {"b": {"c": 1, "d": 2}}} if merged is None else merged
    assert source == wanted
    assert trees == before


def test_nothing_is_shared() -> None:
    """What is changed in a source is not changed in what it is made of."""
    data = {"a": {"b": [1, {"c": [2]}]}, "d": [[3]], "e": {"f": 1}}
    before = copy.deepcopy(data)
    source = config.ConfigSource(data)

    source["a"]["b"][1]["c"].append(5)
    source["a"]["b"].append(5)
    source["d"][0].append(5)
    source["e"]["g"] = 5

    assert data == before


def test_other_mappings() -> None:
    """Any mapping is a table, at the top and below, and becomes a dict."""
    inner = types.MappingProxyType({"b": types.MappingProxyType({"c": 1})})
    chain = collections.ChainMap({"d": 2}, {"e": 3})

    source = config.ConfigSource(
        types.MappingProxyType({"a": inner}), {"a": {"b": chain}}
    )

    assert source == {"a": {"b": {"c": 1, "d": 2, "e": 3}}}
    assert type(source["a"]["b"]) is dict


@pytest.mark.parametrize("wrap", [dict, list, tuple], ids=str)
def test_depth(wrap) -> None:
    """What is nested up to 64 levels is read, what is deeper is refused."""

    def nested(levels: int) -> dict[str, object]:
        # No number and no text, but no level of its own either.
        value: object = None
        for _ in range(levels):
            value = {"a": value} if wrap is dict else wrap([value])
        return {"a": value}

    assert config.ConfigSource(nested(63))
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(nested(64))

    (problem,) = caught.value.errors
    assert problem.expected == "expected at most 64 levels of nesting"
    assert problem.source == "code"


def test_what_is_no_dict() -> None:
    """Anything else is refused with what it is, and what to call."""
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource("base.toml")  # type: ignore[arg-type]

    (problem,) = caught.value.errors
    assert problem.expected == "a source is made of dicts"
    assert problem.value == "'base.toml'"
    assert caught.value.cure == "Read files with ConfigSource.read(path)."


@attrs.define
class Inner:
    a: int = 0
    b: int = 0


@attrs.define
class Outer:
    inner: Inner = attrs.field(factory=Inner)
    other: dict[str, int] = attrs.field(factory=dict)


def test_overrides_leave_the_rest() -> None:
    """An override changes its value, in the source alone."""
    data = {"x": {"inner": {"a": 1, "b": 2}, "other": {"c": 3}}}
    before = copy.deepcopy(data)
    source = config.ConfigSource(data)
    table, other = source["x"], source["x"]["other"]

    source.set("x.inner.a=5")

    assert source["x"] == {"inner": {"a": "5", "b": 2}, "other": {"c": 3}}
    # What another thread is reading stays as it is.
    assert table["inner"] == {"a": 1, "b": 2}
    assert source["x"]["other"] is other
    assert source.load(Outer, "x") == Outer(Inner(5, 2), {"c": 3})
    assert data == before


def test_overrides_of_tables() -> None:
    """An override that is a table is merged, on whatever there is."""
    source = config.ConfigSource({"x": {"inner": {"a": 1}, "other": 5}})
    inner = source["x"]["inner"]

    source.set('x.inner={"b": 2}')
    source.set('x.other={"c": 3}')
    source.set("x.new.deep=1")
    source.set("x.new.deeper=2")

    assert inner == {"a": 1}
    assert source["x"]["inner"] == {"a": 1, "b": 2}
    assert source["x"]["other"] == {"c": 3}
    assert source["x"]["new"] == {"deep": "1", "deeper": "2"}
    assert source.load(Outer, "x", unknown="ignore") == Outer(
        Inner(1, 2), {"c": 3}
    )


def test_overrides_replace_what_is_no_table() -> None:
    """A value that stands where a path leads makes place for a table."""
    source = config.ConfigSource({"inner": 5}, overrides=["inner.a=1"])

    assert source == {"inner": {"a": "1"}}
    assert source.load(Outer) == Outer(Inner(1))


def test_overrides_and_variables_of_a_whole(monkeypatch) -> None:
    """A table from a variable is merged with what is below it."""
    monkeypatch.setenv("APP_X", '{"inner": {"a": 1}, "other": {"d": 4}}')
    monkeypatch.setenv("APP_X_INNER_B", "2")

    @attrs.define
    class Whole:
        x: Outer

    data = {"x": {"inner": {"a": 7, "b": 7}, "other": {"c": 3}}}
    before = copy.deepcopy(data)
    source = config.ConfigSource(data, env_prefix="APP")

    assert source.load(Whole) == Whole(Outer(Inner(1, 2), {"c": 3, "d": 4}))
    assert source == data == before


def test_place_of_the_last() -> None:
    """A value is said to come from the last that has it."""
    source = config.ConfigSource(
        {"a": {"b": 1, "list": [{"c": 1}]}}, overrides=["x.y=1", "a.d=2"]
    )

    assert source.where(["a", "b"]) == "code"
    assert source.where(["a", "list", 0, "c"]) == "code"
    assert source.where(["a", "d"]) == "--set a.d"
    assert source.where(["a", "d", "below"]) == "--set a.d"
    assert source.where(["x"]) == "--set x.y"
    assert source.where(["a", "list", 1]) is None
    assert source.where(["a", "list", "c"]) is None
    assert source.where(["a", "b", "c"]) is None
    assert source.where(["z"]) is None
    assert source.where([]) == "code"


def test_an_override_of_a_section(monkeypatch) -> None:
    """An override that is the table of a section wins over variables."""
    monkeypatch.setenv("APP_X_INNER_A", "1")
    monkeypatch.setenv("APP_X_INNER_B", "1")
    source = config.ConfigSource(env_prefix="APP")
    source.set('x={"inner": {"a": 2}}')

    assert source.load(Outer, "x") == Outer(Inner(2, 1))


def test_an_override_that_is_no_table_any_more() -> None:
    """What code puts in the place of a useless override is loaded."""
    source = config.ConfigSource(overrides=["x=5"])
    with pytest.raises(config.ConfigError, match="expected a table"):
        source.load(Outer, "x")

    source["x"] = {"inner": {"a": 1}}
    assert source.load(Outer, "x") == Outer(Inner(1))


def test_loading_changes_nothing() -> None:
    """What is put over a table when it is loaded stays out of the source."""

    @attrs.define
    class Whole:
        x: Outer

    source = config.ConfigSource({"x": {"other": {"c": 1}}})
    source.set("x.inner.a=5")
    source.set('x={"other": {"c": 9}}')
    source["x"]["other"]["c"] = 2

    assert source.load(Whole) == Whole(Outer(Inner(5), {"c": 9}))
    assert source["x"]["other"] == {"c": 2}
