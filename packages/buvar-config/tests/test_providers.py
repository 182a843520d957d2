"""Providers: vaults and databases beside files, awaited ones too."""

from __future__ import annotations

import asyncio
import typing as t

import attrs
import pytest

from buvar import config


@attrs.define
class Store:
    url: str
    user: str = "p"
    tries: int = 1


class Vault:
    """A fake of what keeps secrets elsewhere."""

    def __init__(self, **store: t.Any) -> None:
        self.name = "vault:kv/app"
        self.store = store
        self.version = 1
        self.loads = 0

    def load(self) -> config.Values:
        self.loads += 1
        return config.Values(
            {"store": self.store},
            origin=lambda path: f"{self.name}@{self.version}#{path[-1]}",
            secret=True,
        )

    def stamp(self) -> object:
        return self.version


class Remote:
    """A fake of a database, which has to be awaited."""

    def __init__(self, data: t.Any, name: str = "etcd:/app") -> None:
        self.name = name
        self.data = data
        self.asked = asyncio.Event()
        self.others: list[Remote] = []

    async def load(self) -> t.Any:
        self.asked.set()
        for other in self.others:
            await asyncio.wait_for(other.asked.wait(), 15)
        if isinstance(self.data, Exception):
            raise self.data
        return self.data

    def stamp(self) -> object:
        return None


def fails(source: config.ConfigSource) -> str:
    with pytest.raises(config.ConfigError) as caught:
        source.load(Store, "store")
    return str(caught.value)


def test_precedence(tmp_path, monkeypatch) -> None:
    """A provider wins over what is before it, and loses to what is behind."""
    file = tmp_path / "app.toml"
    file.write_text("[store]\nurl = 'file'\ntries = 2\n")
    vault = Vault(url="vault", tries=3)

    below = config.ConfigSource.read(vault, file)
    above = config.ConfigSource.read(file, vault, env_prefix="APP")

    assert below.load(Store, "store") == Store("file", "p", 2)
    assert above.load(Store, "store") == Store("vault", "p", 3)
    monkeypatch.setenv("APP_STORE_URL", "variable")
    assert above.load(Store, "store").url == "variable"
    above.set("store.url=option")
    assert above.load(Store, "store").url == "option"


def test_beside_dicts() -> None:
    """Dicts and providers are merged in their order."""
    source = config.ConfigSource(
        {"store": {"url": "a", "tries": 1}}, Vault(url="b"), {"store": {}}
    )
    assert source.load(Store, "store") == Store("b", "p", 1)


def test_errors_name_the_place() -> None:
    """What a provider calls the place of a value stands in the error."""
    text = fails(config.ConfigSource(Vault(url="b", tries="many")))
    assert "store.tries" in text
    assert "vault:kv/app@1#tries" in text


def test_secrets_are_not_shown() -> None:
    """What a provider keeps secret is masked in all that is shown."""
    source = config.ConfigSource(Vault(url="hidden-host", tries="hidden-n"))
    assert "hidden" not in fails(source)
    assert "hidden" not in repr(source)

    source.set("store.tries=2")
    assert "hidden" not in str(source.explain(Store, "store"))
    assert "hidden" not in str(source.explain())
    assert "store.tries = '2' " in str(source.explain(Store, "store"))
    assert source.load(Store, "store").url == "hidden-host"


def test_plain_dict_is_enough() -> None:
    """Without an origin of its own a value has the provider's name."""

    class Plain(Vault):
        def load(self) -> t.Any:
            return {"store": {"url": "u", "tries": "x"}}

    text = fails(config.ConfigSource(Plain()))
    assert "'x' (vault:kv/app)" in text


def test_failing_origin(caplog) -> None:
    """Where a value is from is the provider's name if it cannot be told."""

    class Odd(Vault):
        def load(self) -> t.Any:
            data = {"store": {"url": "u", "tries": "x"}}
            return config.Values(data, origin=lambda path: path[7])

    assert "'x' (vault:kv/app)" in fails(config.ConfigSource(Odd()))
    assert caplog.messages == [
        "vault:kv/app cannot say where a value came from."
    ]


def test_origin_that_is_not_known(caplog) -> None:
    """Without an origin it is the name of the provider, with no word of it."""

    class Told(Vault):
        def load(self) -> t.Any:
            data = {"store": {"url": "u"}, "other": 1}
            known = {"other": "o"}
            return config.Values(data, lambda path: known.get(path[0]))

    source = config.ConfigSource({"first": 1}, Told())

    assert source.where(["store", "url"]) == "vault:kv/app"
    assert source.where(["other"]) == "o"
    assert source.where(["first"]) == "code"
    assert source.where([]) == "vault:kv/app"
    assert not caplog.records


@pytest.mark.parametrize("wrong", [None, [1], config.Values([])])  # type: ignore[arg-type]
def test_wrong_results(wrong) -> None:
    """What is no dict is refused, with the provider's name."""

    class Wrong(Vault):
        def load(self) -> t.Any:
            return wrong

    with pytest.raises(config.ConfigError, match=r"vault:kv/app") as caught:
        config.ConfigSource(Wrong())
    assert "config.Values" in str(caught.value)


def test_failure_is_one_error(tmp_path) -> None:
    """A failing provider and a broken file are told together."""

    class Down(Vault):
        def load(self) -> t.Any:
            raise ConnectionRefusedError(111, "refused")

    broken = tmp_path / "a.toml"
    broken.write_text("a =")
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource.read(Down(), broken)
    assert len(caught.value.errors) == 2
    assert "ConnectionRefusedError" in str(caught.value)


def test_neither_a_dict_nor_a_provider() -> None:
    """Something else is refused as it always was."""
    with pytest.raises(config.ConfigError, match="made of dicts"):
        config.ConfigSource(5)  # type: ignore[arg-type]


class Half:
    """Lacks what says whether there is something new."""

    name = "half"

    def load(self) -> t.Any:
        return {}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (Half(), "a provider of type Half has no stamp"),
        (Half, "Half is a class"),
        (Vault, "Vault is a class"),
    ],
)
def test_half_a_provider(given: t.Any, text: str) -> None:
    """What is meant as a provider is told what it lacks."""
    with pytest.raises(config.ConfigError, match=text):
        config.ConfigSource({}, given)
    with pytest.raises(config.ConfigError, match=text):
        config.ConfigSource.read(given)


def test_a_coroutine_of_a_plain_function() -> None:
    """The cure says how to write one that has to be awaited."""

    class Wrapped(Half):
        def load(self) -> t.Any:
            return Remote({}).load()

        def stamp(self) -> object:
            return None

    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(Wrapped())
    assert "an object of type coroutine (half)" in str(caught.value)
    assert str(caught.value).endswith(
        "Write 'async def load', and call `await source.fetch()`."
    )


def test_refresh_follows_the_stamp() -> None:
    """A provider is asked again when its stamp differs, not before."""
    vault = Vault(url="a")
    source = config.ConfigSource(vault)
    assert not source.refresh()
    assert vault.loads == 1

    vault.store, vault.version = {"url": "b"}, 2
    assert source.refresh()
    assert source.load(Store, "store").url == "b"
    assert source.explain(Store, "store")[0].source == "vault:kv/app@2#url"


def test_failing_refresh_keeps_what_is_there(caplog) -> None:
    """Values that break a class that was right are not taken over."""
    vault = Vault(url="a")
    source = config.ConfigSource(vault)
    source.load(Store, "store")

    vault.store, vault.version = {"url": "b", "tries": "x"}, 2
    assert not source.refresh()
    assert source.load(Store, "store").url == "a"
    assert "the old one stays" in caplog.text


def test_failing_stamp_is_logged(caplog) -> None:
    """A stamp that cannot be told does not stop anything."""

    class Odd(Vault):
        def stamp(self) -> object:
            raise OSError("gone")

    source = config.ConfigSource(Odd(url="a"))
    assert not source.refresh()
    assert source.load(Store, "store").url == "a"
    assert "The stamp of the provider" in caplog.text


async def test_asynchronous_ones_are_asked_at_the_same_time() -> None:
    """``fetch`` awaits all of them together, and merges in their order."""
    one, two = Remote({"store": {"url": "1"}}), Remote({"store": {"url": "2"}})
    one.others, two.others = [two], [one]
    source = config.ConfigSource(one, two)

    await source.fetch()

    assert source.load(Store, "store").url == "2"
    source.reload()
    assert source.load(Store, "store").url == "2"


async def test_nothing_is_loaded_before_they_are_asked() -> None:
    """A load that would lack values says how to get them."""
    source = config.ConfigSource(Remote({"store": {"url": "u"}}))
    text = fails(source)
    assert "etcd:/app" in text
    assert text.endswith("Call `await source.fetch()` before the first load.")
    with pytest.raises(config.ConfigError):
        source.explain(Store, "store")


async def test_fetch_that_fails_changes_nothing() -> None:
    """All failures are told, and the old values stay."""
    one, two = Remote({"store": {"url": "1"}}, "one"), Remote({}, "two")
    source = config.ConfigSource(one, two)
    await source.fetch()

    one.data, two.data = OSError("down"), ValueError("odd")
    with pytest.raises(config.ConfigError) as caught:
        await source.fetch()
    assert {x.source for x in caught.value.errors} == {"one", "two"}
    assert source.load(Store, "store").url == "1"


async def test_cancelled_fetch_is_cancelled() -> None:
    """Waiting for a provider can be cancelled, and changes nothing."""
    never = Remote({})
    never.others = [Remote({})]
    source = config.ConfigSource({"store": {"url": "u"}})
    source.add(never)
    task = asyncio.ensure_future(source.fetch())
    await asyncio.wait_for(never.asked.wait(), 15)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source == {"store": {"url": "u"}}


async def test_added_later() -> None:
    """A plugin may add one to the source that it is given."""
    source = config.ConfigSource({"store": {"url": "a"}})
    source.set("store.tries=7")

    source.add(Vault(url="b"))
    assert source.load(Store, "store") == Store("b", "p", 7)
    source.add(Remote({"store": {"url": "c"}}))
    await source.fetch()
    assert source.load(Store, "store") == Store("c", "p", 7)


def test_adding_one_that_fails_changes_nothing() -> None:
    """A source is as before when what was added to it fails."""

    class Down(Vault):
        def load(self) -> t.Any:
            raise OSError("down")

    source = config.ConfigSource({"store": {"url": "a"}})
    with pytest.raises(config.ConfigError):
        source.add(Down())
    assert source.load(Store, "store").url == "a"
    source.reload()


async def test_errors_of_their_own() -> None:
    """A provider that says what is wrong is not said to have failed."""
    problem = config.Problem("store.url", "expected a lease", source="vault")
    error = config.ConfigError([problem], "Renew the token.")

    class Expired(Vault):
        def load(self) -> t.Any:
            raise error

    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource(Expired())
    assert str(caught.value) == str(error)
    with pytest.raises(config.ConfigError) as caught:
        await config.ConfigSource(Remote(error)).fetch()
    assert str(caught.value) == str(error)


def test_what_a_source_shows() -> None:
    """A source has what users call, and nothing else, beside its data."""
    source = config.ConfigSource({"a": 1})
    own = {name for name in dir(source) if not name.startswith("_")}

    assert own - set(dir(dict)) == {
        "add",
        "check_unknown",
        "classes",
        "env_prefix",
        "explain",
        "fetch",
        "load",
        "read",
        "refresh",
        "reload",
        "reserve",
        "secrets",
        "set",
        "unknown",
        "watch",
        "where",
        "with_values",
    }
