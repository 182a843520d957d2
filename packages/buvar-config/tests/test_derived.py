"""Defaults that an object makes of itself, with a table over them."""

from __future__ import annotations

import attrs
import pytest

from buvar import config


@attrs.define
class Pool:
    low: int
    high: int


@attrs.define
class Database:
    host: str
    size: int = attrs.field(default="2", converter=int)
    area: int = attrs.field(init=False)
    pool: Pool = attrs.field()
    twin: Pool | None = attrs.field()

    @area.default
    def _area(self) -> int:
        return self.size**2

    @pool.default
    def _pool(self) -> Pool:
        return Pool(len(self.host), self.area)

    @twin.default
    def _twin(self) -> Pool | None:
        return Pool(self.pool.low * 10, self.pool.high * 10)


def load(**given: object) -> Database:
    source = config.ConfigSource(given)
    return source.load(Database)


def test_what_a_table_leaves_out() -> None:
    """It is as in the object that the factory makes of the values given."""
    assert load(host="db", pool={"high": 9}) == Database(
        "db", 2, Pool(2, 9), Pool(20, 90)
    )
    assert load(host="db", size="3", pool={"low": 7}) == Database(
        "db", 3, Pool(7, 9), Pool(70, 90)
    )
    assert load(host="db", pool={"low": 7}, twin={"high": 1}) == Database(
        "db", 2, Pool(7, 4), Pool(70, 1)
    )


def test_each_source(tmp_path, monkeypatch) -> None:
    """A file, a variable and an override set one value each."""
    file = tmp_path / "app.toml"
    file.write_text('host = "db"\n[pool]\nlow = 7\n')
    monkeypatch.setenv("APP_TWIN_LOW", "8")
    source = config.ConfigSource.read(
        file, env_prefix="APP", overrides=["twin.high=9"]
    )
    assert source.load(Database) == Database("db", 2, Pool(7, 4), Pool(8, 9))


def test_below_a_default_that_is_an_object() -> None:
    """What follows from other values follows from those that are given."""

    @attrs.define
    class Service:
        database: Database = attrs.field(
            factory=lambda: Database("db", pool=Pool(1, 1))
        )

    source = config.ConfigSource(
        {"database": {"size": 3, "pool": {"low": 5}, "twin": {"low": 6}}}
    )
    assert source.load(Service).database == Database(
        "db", 3, Pool(5, 1), Pool(6, 10)
    )


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"pool": {"low": 1}}, ["host"]),
        ({"host": "db", "size": "x", "pool": {"low": 1}}, ["size"]),
        (
            {"host": "db", "pool": {"low": "x"}, "twin": {"low": 1}},
            ["pool.low"],
        ),
        (
            {"host": 1, "pool": {"low": "x", "strange": 1}},
            ["host", "pool.low", "pool.strange"],
        ),
    ],
)
def test_only_what_is_wrong_is_said(given, wrong: list[str]) -> None:
    """A value that is wrong makes no other one look missing."""
    with pytest.raises(config.ConfigError) as caught:
        load(**given)
    assert sorted(one.path for one in caught.value.errors) == wrong


def test_a_factory_that_fails() -> None:
    """The table has to say it all then."""

    @attrs.define
    class Broken:
        pool: Pool = attrs.field()

        @pool.default
        def _pool(self) -> Pool:
            raise RuntimeError

    source = config.ConfigSource({"pool": {"low": 1}})
    with pytest.raises(config.ConfigError, match=r"pool\.high: missing"):
        source.load(Broken)
    source = config.ConfigSource({"pool": {"low": 1, "high": 2}})
    assert source.load(Broken).pool == Pool(1, 2)


def test_converters_that_take_the_object() -> None:
    """They are called as the class calls them."""

    @attrs.define
    class Scaled:
        factor: int
        size: int = attrs.field(
            converter=attrs.Converter(  # type: ignore[call-overload]
                lambda value, self, field: int(value) * self.factor,
                takes_self=True,
                takes_field=True,
            )
        )
        pool: Pool = attrs.field(
            default=attrs.Factory(
                lambda self: Pool(self.size, self.factor), takes_self=True
            )
        )

    source = config.ConfigSource({"factor": 2, "size": 4, "pool": {"high": 1}})
    assert source.load(Scaled).pool == Pool(8, 1)
