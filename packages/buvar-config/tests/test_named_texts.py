"""Providers that have texts by name, such as a file of variables."""

from __future__ import annotations

import typing as t

import attrs
import pytest

from buvar import config


@attrs.define
class Store:
    url: str
    user: str = "p"
    tries: int = 1


class Named:
    """A fake of a store that has texts by name, such as a file ``.env``."""

    name = "vault:kv/app"
    secret = False
    version = 1

    def __init__(self, **store: t.Any) -> None:
        self.store = store

    def load(self) -> t.Any:
        return config.Texts(self.store, secret=self.secret)

    def stamp(self) -> object:
        return self.version


class Fixed(Named):
    """A fake of a store that has whatever it is given."""

    def __init__(self, found: t.Any) -> None:
        self.found = found

    def load(self) -> t.Any:
        return self.found


class Remote(Fixed):
    """The same, behind a network."""

    async def load(self) -> t.Any:
        return self.found


def fails(source: config.ConfigSource) -> str:
    with pytest.raises(config.ConfigError) as caught:
        source.load(Store, "store")
    return str(caught.value)


def test_texts_by_name(tmp_path, monkeypatch) -> None:
    """Names win over all trees, and lose to secrets, variables, options."""
    store = {"APP_STORE_URL": "name", "store-tries": "5", "STORE_USER": "u"}
    source = config.ConfigSource(
        Named(**store),
        {"store": {"url": "dict", "tries": 2, "user": "dict"}},
        env_prefix="APP",
        secrets=tmp_path,
    )

    assert source.load(Store, "store") == Store("name", "u", 5)
    explained = {x.path: x.source for x in source.explain(Store, "store")}
    assert explained["store.tries"] == "vault:kv/app: store-tries"

    tmp_path.joinpath("store_url").write_text("secret")
    source.reload()
    assert source.load(Store, "store").url == "secret"
    monkeypatch.setenv("APP_STORE_URL", "variable")
    assert source.load(Store, "store").url == "variable"
    source.set("store.url=option")
    assert source.load(Store, "store") == Store("option", "u", 5)


def test_later_texts_win() -> None:
    """Of two providers by name the later one wins, as of two trees."""
    low, high = Named(STORE_URL="low", STORE_USER="low"), Named(STORE_URL="h")
    source = config.ConfigSource(low)
    source.add(high)

    assert source.load(Store, "store") == Store("h", "low")
    low.store["STORE_USER"], low.version = "new", 2
    assert source.refresh()
    assert source.load(Store, "store").user == "new"


def test_unknown_texts() -> None:
    """A name that nothing reads is a mistake, as a variable is."""
    source = config.ConfigSource(Named(STORE_URL="u", STORE_TRIS="5"))

    text = fails(source)
    assert "vault:kv/app: STORE_TRIS" in text
    assert "Did you mean STORE_TRIES?" in text


def test_texts_of_tables() -> None:
    """A name may lead below a key of a table, and be that of a table."""

    @attrs.define
    class Stores:
        stores: dict[str, Store]
        one: Store

    named = Named(STORES_MAIN_URL="m", ONE='{"url": "o"}', ONE_TRIES="3")
    found = config.ConfigSource(named).load(Stores)

    assert found == Stores({"main": Store("m")}, Store("o", "p", 3))


def test_secret_texts() -> None:
    """What is secret by name is masked as in a tree."""
    named = Named(STORE_URL="hidden-host", STORE_TRIES="hidden-n")
    named.secret = True
    source = config.ConfigSource(named)

    assert "hidden" not in fails(source)
    source.set("store.tries=1")
    assert "hidden" not in str(source.explain(Store, "store"))
    assert source.load(Store, "store").url == "hidden-host"


def test_origins_of_texts(caplog) -> None:
    """An origin is a text, or told by name, or is not, and that is logged."""

    def of(origin: t.Any) -> str:
        texts = config.Texts({"STORE_URL": "u"}, origin)
        source = config.ConfigSource(Fixed(texts))
        return source.explain(Store, "store")[0].source

    assert of("ssm:/app") == "ssm:/app"
    assert of(lambda name: f"ssm:{name}") == "ssm:STORE_URL"
    assert of(lambda name: name[99]) == "vault:kv/app: STORE_URL"
    assert "cannot say where a text came from" in caplog.text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"STORE_URL": 5}, "the provider has STORE_URL of type int, not text"),
        ({5: "u"}, "the provider has the name 5 "),
        ({"STORE_URL": None}, "STORE_URL of type NoneType"),
        (["a"], "an object of type list"),
    ],
)
def test_texts_are_text(data, text) -> None:
    """Anything but text by text is refused, with the provider's name."""
    with pytest.raises(config.ConfigError, match="vault:kv/app") as caught:
        config.ConfigSource(Fixed(config.Texts(data)))
    assert text in str(caught.value)


async def test_several_at_once() -> None:
    """A provider may have trees and texts; an awaited one as well."""
    both = [
        {"store": {"url": "a", "user": "a"}},
        config.Values({"store": {"user": "b"}}, origin="second"),
        config.Texts({"STORE_TRIES": "3"}),
    ]
    remote = config.ConfigSource(Remote(both))
    await remote.fetch()
    for source in (config.ConfigSource(Fixed(both)), remote):
        assert source.load(Store, "store") == Store("a", "b", 3)
        assert source.where(["store", "user"]) == "second"
