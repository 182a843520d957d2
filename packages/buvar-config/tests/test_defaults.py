"""Defaults: objects that a table lies over, copies, classes of defaults."""

# ruff: noqa: RUF008, RUF009 - what is shared is what is tested

from __future__ import annotations

import copy
import dataclasses
import tomllib
import typing as t

import attrs
import pytest

from buvar import config


@attrs.define
class Inner:
    low: int = 1
    high: int = 2


@attrs.define
class Pool:
    name: str = "pool"
    size: int = 3
    inner: Inner = attrs.field(factory=Inner)
    words: list[str] = config.var(["a"], converter=list)


@dataclasses.dataclass(frozen=True)
class Frozen:
    name: str = "frozen"
    size: int = 3


class Point(t.NamedTuple):
    x: int
    y: int = 0


@attrs.define
class Small(Pool):
    """A class that a default may be of, though its base was asked for."""


@attrs.define
class App:
    pool: Pool = attrs.field(factory=lambda: Pool("main", 33, Inner(7, 8)))
    maybe: Pool | None = attrs.field(factory=lambda: Pool("maybe", 44))
    frozen: Frozen = Frozen("it", 55)
    either: Frozen | Pool = Frozen("either", 66)
    point: Point = Point(5, 6)
    small: Pool = attrs.field(factory=lambda: Small("small", 77))


CHANGES: dict[str, tuple[str, t.Any]] = {
    "pool.name": ("pool", Pool("new", 33, Inner(7, 8))),
    "pool.inner.low": ("pool", Pool("main", 33, Inner(9, 8))),
    "maybe.size": ("maybe", Pool("maybe", 9)),
    "frozen.size": ("frozen", Frozen("it", 9)),
    "either.size": ("either", Frozen("either", 9)),
    "point.x": ("point", Point(9, 6)),
    "small.name": ("small", Small("new", 77)),
}


def _nested(path: str, value: object) -> dict[str, t.Any]:
    first, _, rest = path.partition(".")
    return {first: _nested(rest, value) if rest else value}


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("way", ["dict", "file", "variable", "set", "json"])
def test_one_value_of_a_default(way, path, tmp_path, monkeypatch) -> None:
    """A default object keeps what nobody sets, whatever sets the rest."""
    attribute, expected = CHANGES[path]
    value = "new" if path.endswith("name") else "9"
    text = f'"{value}"'
    source = config.ConfigSource(env_prefix="APP")
    if way == "dict":
        source = config.ConfigSource(_nested(path, value))
    elif way == "file":
        tmp_path.joinpath("a.toml").write_text(f"{path} = {text}\n")
        source = config.ConfigSource.read(tmp_path / "a.toml")
    elif way == "variable":
        name = path.replace(".", "_").upper()
        monkeypatch.setenv(f"APP_{name}", value)
    elif way == "set":
        source.set(f"{path}={value}")
    else:
        first, _, rest = path.partition(".")
        inner = str(_nested(rest, value)).replace("'", '"')
        monkeypatch.setenv(f"APP_{first.upper()}", inner)

    found = source.load(App)

    wanted = copy.deepcopy(App())
    setattr(wanted, attribute, expected)
    assert found == wanted
    assert type(found.small) is Small
    assert config.ConfigSource().load(App) == App()


def test_a_default_of_another_class_of_a_union() -> None:
    """A table that is for another class has nothing of the default."""

    @attrs.define
    class Other:
        host: str
        name: str = "other"

    @attrs.define
    class Has:
        item: Frozen | Other = Frozen("it", 5)

    for mode in ("error", "ignore"):
        source = config.ConfigSource({"item": {"host": "h"}}, unknown=mode)
        assert source.load(Has) == Has(Other("h"))


def test_what_follows_from_other_values() -> None:
    """A default that is made of other fields is made of the new ones."""

    @attrs.define
    class Range:
        low: int = 1
        high: int = attrs.field()

        @high.default
        def _(self) -> int:
            return self.low * 2

    @attrs.define
    class Has:
        derived: Range = attrs.field(factory=lambda: Range(5))
        own: Range = attrs.field(factory=lambda: Range(5, 6))

    data = {"derived": {"low": 7}, "own": {"low": 7}}

    found = config.ConfigSource(data).load(Has)

    assert found == Has(Range(7, 14), Range(7, 6))


def test_what_is_wrong_over_a_default() -> None:
    """Problems have the paths of what was written."""

    @attrs.define
    class Has:
        range: Inner = attrs.field(factory=lambda: Inner(5, 6))

    data = {"range": {"low": "x", "hihg": 1}}

    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(data).load(Has)

    assert {one.path for one in caught.value.errors} == {
        "range.low",
        "range.hihg",
    }
    assert "Did you mean 'high'?" in str(caught.value)


def test_sample_and_explanation_agree() -> None:
    """What is written down of a default object is what is loaded."""
    text = config.sample(App)
    rows = {one.path: one for one in config.ConfigSource().explain(App)}

    assert config.ConfigSource(tomllib.loads(text)).load(Pool, "pool") == (
        Pool("main", 33, Inner(7, 8))
    )
    assert rows["pool.inner.low"].value == "7"
    assert rows["maybe.size"].value == "44"
    variables = {one.path: one.text for one in config.variables(App)}
    assert variables["pool.size"] == "33"


def test_nobody_shares_a_default() -> None:
    """Each object that is loaded has mutable defaults of its own."""

    @attrs.define
    class Has:
        labels: dict[str, int] = config.var({"x": 1})
        plain: list[list[int]] = [[1]]
        pool: Pool = Pool("shared")
        items: tuple[list[int], ...] = ([1],)

    source = config.ConfigSource()
    one = source.load(Has)
    one.labels["y"] = one.plain[0][0] = one.items[0][0] = 2
    one.pool.name = "changed"

    assert source.load(Has) == Has({"x": 1}, [[1]], Pool("shared"), ([1],))
    assert Has().labels is not Has().labels


def test_a_class_that_needs_nothing() -> None:
    """A nested class whose fields have defaults is made of nothing."""

    @attrs.define
    class Deep:
        inner: Inner
        point: Frozen

    @attrs.define
    class Has:
        deep: Deep
        needed: Point

    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource().load(Has)

    assert [one.path for one in caught.value.errors] == ["needed"]
    found = config.ConfigSource({"needed": {"x": 1}}).load(Has)
    assert found == Has(Deep(Inner(), Frozen()), Point(1))
    assert config.schema(Has)["required"] == ["needed"]
    assert "high = 2" in config.sample(Has)


def test_named_tuples(monkeypatch) -> None:
    """A named tuple is a table or an array, with its defaults."""

    @attrs.define
    class Has:
        at: Point
        more: list[Point] = []

    def load(**data: t.Any) -> Has:
        return config.ConfigSource(data, env_prefix="NT").load(Has)

    assert load(at={"x": "1"}) == Has(Point(1))
    assert load(at=["1", 2], more=[[3], {"x": 4}]) == Has(
        Point(1, 2), [Point(3), Point(4)]
    )
    for wrong in ([], [1, 2, 3], "x", {"z": 1}):
        with pytest.raises(config.ConfigError):
            load(at=wrong)
    monkeypatch.setenv("NT_AT", "7, 8")
    assert load() == Has(Point(7, 8))
    monkeypatch.setenv("NT_AT", '{"x": 9}')
    monkeypatch.setenv("NT_AT_Y", "1")
    assert load() == Has(Point(9, 1))


def test_parameters_that_are_no_attributes() -> None:
    """An ``InitVar`` is a parameter like any other, a secret one as well."""

    @dataclasses.dataclass
    class Login:
        word: dataclasses.InitVar[config.Secret[str]]
        factor: dataclasses.InitVar[int] = 2
        total: int = dataclasses.field(init=False, default=0)

        def __post_init__(self, word: t.Any, factor: int) -> None:
            self.total = len(word.reveal()) * factor

    @attrs.define
    class Has:
        login: Login = attrs.field(
            factory=lambda: Login(config.Secret("hunter2"))
        )

    source = config.ConfigSource({"word": "abc", "factor": "3"})

    assert source.load(Login).total == 9
    assert "# word = (text, secret, required)" in config.sample(Login)
    assert "hunter2" not in config.sample(Has, value=Has(), reveal=True)
    with pytest.raises(config.ConfigError, match=r"login\.word: missing"):
        config.ConfigSource({"login": {"factor": 1}}).load(Has)


def test_a_class_made_without_types() -> None:
    """Fields that have no types take anything."""
    User = dataclasses.make_dataclass("User", ["name", "age"])  # noqa: N806

    assert config.ConfigSource({"name": "x", "age": [1]}).load(User) == User(
        "x", [1]
    )
