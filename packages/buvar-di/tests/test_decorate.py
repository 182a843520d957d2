"""What adapters build is wrapped for all who ask for the type."""

from __future__ import annotations

import typing as t

import pytest

from buvar import context
from buvar import di


pytestmark = pytest.mark.asyncio

T = t.TypeVar("T")


class Base: ...


class Repo(Base):
    def names(self) -> list[str]:
        return [type(self).__name__]


class Postgres(Repo): ...


class Wrapper(Repo):
    def __init__(self, inner: Repo) -> None:
        self.inner = inner

    def names(self) -> list[str]:
        return [type(self).__name__, *self.inner.names()]


class Cache: ...


class Cached(Wrapper):
    def __init__(self, inner: Repo, cache: Cache) -> None:
        super().__init__(inner)
        self.cache = cache


class Traced(Wrapper): ...


async def test_wraps_what_an_adapter_builds() -> None:
    """Its further needs are injected, and it does not matter what is first."""
    di.decorate(Cached)
    di.register(Postgres, Cache)
    repo = await di.nject(Repo)
    assert isinstance(repo, Cached)
    assert isinstance(repo.cache, Cache)
    assert repo.names() == ["Cached", "Postgres"]
    assert (await di.nject(Base)).names() == ["Cached", "Postgres"]  # type: ignore[attr-defined]


async def test_what_is_inside_can_be_asked_for() -> None:
    """A class that the decorator does not return is left as it is."""
    di.register(Postgres)
    di.decorate(Traced)
    assert type(await di.nject(Postgres)) is Postgres
    outer, inner = await di.nject(Repo, Postgres)
    assert isinstance(outer, Traced)
    assert outer.inner is inner


async def test_the_last_one_is_outermost() -> None:
    """Several wrap each other in the order of registration."""
    di.register(Postgres, Cache)
    di.decorate(Cached)
    di.decorate(Traced)
    names = (await di.nject(Repo)).names()
    assert names == ["Traced", "Cached", "Postgres"]
    di.decorate(Cached)
    names = (await di.nject(Repo)).names()
    assert names == ["Cached", "Traced", "Postgres"]


@pytest.mark.parametrize("scope", ["layer", "stage"])
@pytest.mark.parametrize("first", [Repo, Postgres, Base])
async def test_it_is_kept_as_long(scope: di.Scope, first: type) -> None:
    """One wrapper around one object, whichever is asked for first."""
    made: list[Postgres] = []

    def connect() -> Postgres:
        made.append(Postgres())
        return made[-1]

    async def traced(inner: Repo) -> Repo:
        return Traced(inner)

    di.register(connect, scope=scope)
    di.decorate(traced)
    with context.child():
        await di.nject(first)
        repo = await di.nject(Repo)
        assert isinstance(repo, Traced)
        assert repo.inner is made[0]
        assert await di.nject(Repo) is repo
        assert await di.nject(Base) is repo
        assert await di.nject(Postgres) is made[0]
        assert await di.nject(list[Repo]) == [repo]
        assert len(made) == 1
    with context.child():
        assert (await di.nject(Repo) is repo) is (scope == "stage")


async def test_an_adapter_of_the_wrapped_type_itself() -> None:
    """What says no more than the type is inside only."""

    def connect() -> Repo:
        return Postgres()

    di.register(connect, scope="layer")
    di.decorate(Traced)
    with context.child():
        repo = await di.nject(Repo)
        assert repo.names() == ["Traced", "Postgres"]
        assert await di.nject(Repo) is repo


async def test_generators_end_around_what_they_wrap() -> None:
    """A decorator that yields goes on before what it wraps ends."""
    steps: list[str] = []

    async def connect() -> t.AsyncIterator[Repo]:
        yield Postgres()
        steps.append("closed")

    def traced(inner: Repo) -> t.Iterator[Repo]:
        yield Traced(inner)
        steps.append("flushed")

    async def counted(inner: Repo) -> t.AsyncIterator[Repo]:
        yield Wrapper(inner)
        steps.append("counted")

    di.register(connect, scope="layer")
    di.decorate(traced)
    di.decorate(counted)
    async with context.child():
        names = (await di.nject(Repo)).names()
        assert names == ["Wrapper", "Traced", "Postgres"]
    assert steps == ["counted", "flushed", "closed"]


class Box(t.Generic[T]):
    def __init__(self, items: list[T]) -> None:
        self.items = items


async def test_generics() -> None:
    """A type variable stands for what the wrapped type has there."""

    def ints() -> Box[int]:
        return Box([1])

    def texts() -> Box[str]:
        return Box(["a"])

    @di.decorate
    def twice(inner: Box[T]) -> Box[T]:
        return Box(inner.items * 2)

    @di.decorate
    def more(inner: Box[int]) -> Box[int]:
        return Box([*inner.items, 7])

    di.register(ints, texts)
    assert (await di.nject(Box[int])).items == [1, 1, 7]
    assert (await di.nject(Box[str])).items == ["a", "a"]
    assert twice(Box([0])).items == [0, 0]
    assert more(Box([0])).items == [0, 7]


async def test_a_type_variable_wraps_every_type_of_its_bound() -> None:
    """Each is returned as what it was."""
    R = t.TypeVar("R", bound=Repo)
    seen: list[object] = []

    @di.decorate
    def noted(inner: R) -> R:
        seen.append(inner)
        return inner

    di.register(Postgres, Cache)
    pg = await di.nject(Postgres)
    assert seen == [pg]
    await di.nject(Cache)
    assert seen == [pg]


async def test_each_member_of_a_collection() -> None:
    """Collections hold what one gets who asks for each member."""
    di.register(Postgres)
    di.register(lambda: Repo(), provides=Repo)  # noqa: PLW0108
    di.decorate(Traced)
    found = await di.nject(list[Repo])
    assert [one.names() for one in found] == [
        ["Traced", "Postgres"],
        ["Traced", "Repo"],
    ]
    repo, some = await di.nject(Repo, list[Repo])
    assert some[1] is repo


async def test_only_what_adapters_build() -> None:
    """Components, keywords and overrides are left as they are."""
    di.register(Postgres)
    di.decorate(Traced)

    class Service:
        def __init__(self, repo: Repo) -> None:
            self.repo = repo

    di.register(Service)
    fake = Postgres()
    assert (await di.nject(Service, repo=fake)).repo is fake
    with di.override({Repo: fake}):
        assert await di.nject(Repo) is fake
    with context.child():
        context.add(fake)
        assert await di.nject(Repo) is fake
    assert isinstance(await di.nject(Repo), Traced)


async def test_a_protocol_needs_its_name() -> None:
    """``provides`` says what is wrapped, where annotations do not."""

    class Sender(t.Protocol):
        def send(self) -> str: ...

    class Mail:
        def send(self) -> str:
            return "mail"

    class Loud:
        def __init__(self, inner: Sender) -> None:
            self.inner = inner

        def send(self) -> str:
            return self.inner.send().upper()

    di.register(Mail, provides=Sender)
    with pytest.raises(di.RegisterError, match="provides="):
        di.decorate(Loud)
    di.decorate(Loud, provides=Sender)
    assert (await di.nject(Sender)).send() == "MAIL"


async def test_nothing_to_wrap_is_found_by_a_check() -> None:
    """The error names the decorator, its place and the cure."""
    di.decorate(Traced)
    with pytest.raises(di.CheckError) as caught:
        di.check()
    (error,) = caught.value.errors
    assert error.target is Repo
    assert "Traced (" in str(error)
    assert "test_decorate.py:" in str(error)
    assert "decorates Repo, which no adapter builds" in str(error)
    assert "Hint: register something that returns Repo" in str(error)


async def test_what_a_decorator_lacks_is_an_error() -> None:
    """Nothing is handed out without it; a check finds it before."""
    di.register(Postgres)
    di.decorate(Cached)
    with pytest.raises(di.ResolveError) as caught:
        await di.nject(Repo)
    assert "Cached around Postgres needs cache: Cache" in str(caught.value)
    with pytest.raises(di.CheckError, match="Cached around Postgres"):
        di.check()
    assert isinstance(await di.nject(Postgres), Postgres)


async def test_a_decorator_that_needs_what_it_wraps() -> None:
    """It would have to be wrapped to wrap: a cycle, with its path."""

    class Audit:
        def __init__(self, repo: Repo) -> None: ...

    class Audited(Wrapper):
        def __init__(self, inner: Repo, audit: Audit) -> None:
            super().__init__(inner)

    di.register(Postgres, Audit)
    di.decorate(Audited)
    with pytest.raises(di.CycleError) as caught:
        await di.nject(Repo)
    assert caught.value.path == (Repo, Audit, Repo)
    with pytest.raises(di.CheckError):
        di.check()


async def test_a_keyword_for_a_decorator() -> None:
    """It takes keywords as adapters do, but not what it wraps."""
    di.register(Postgres)
    di.decorate(Cached)
    cache = Cache()
    repo = await di.nject(Repo, cache=cache)
    assert isinstance(repo, Cached)
    assert repo.cache is cache
    with pytest.raises(di.KeywordError):
        await di.nject(Repo, cache=cache, inner=Cache)


async def test_the_note_of_what_was_being_built() -> None:
    """An error that a decorator raises names it, and what it is around."""

    @di.decorate
    def broken(inner: Repo) -> Repo:
        raise ValueError

    di.register(Postgres)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        await di.nject(Repo)
    (note,) = caught.value.__notes__
    assert note.startswith("while injecting broken around Postgres (")
    assert broken.__name__ == "broken"


async def test_the_graph_shows_it() -> None:
    """A decorator is a node of its own, with what it wraps and needs."""
    di.register(Postgres, Cache)
    di.decorate(Cached)
    graph = di.graph()
    (node,) = [one for one in graph.nodes if one.type is Cached]
    assert node.scope == "decorator"
    assert node.where is not None
    edges = {
        (one.parameter, one.target)
        for one in graph.edges
        if one.source is Cached
    }
    assert edges == {("inner", Postgres), ("cache", Cache)}
    assert '[["Cached<br>decorator"]]' in graph.mermaid()
    assert "shape=component" in graph.dot()


async def test_a_name_that_is_defined_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A decorator may be written before what it wraps."""

    def late(inner: Later) -> Later:  # type: ignore[name-defined]  # noqa: F821
        return inner

    di.decorate(late)
    with pytest.raises(di.CheckError, match="late"):
        di.check()

    monkeypatch.setitem(globals(), "Later", type("Later", (), {}))
    with pytest.raises(di.CheckError, match="decorates Later"):
        di.check()


async def test_a_registry_of_its_own() -> None:
    """A copy has the decorators there were, and changes on its own."""
    adapters = di.Adapters()
    adapters.register(Postgres)
    assert adapters.decorate(Traced) is Traced
    twin = adapters.copy()
    twin.decorate(provides=Repo)(Wrapper)
    token = di.buvar_adapters.set(twin)
    assert (await di.nject(Repo)).names() == ["Wrapper", "Traced", "Postgres"]
    di.buvar_adapters.set(adapters)
    assert (await di.nject(Repo)).names() == ["Traced", "Postgres"]
    di.buvar_adapters.reset(token)


async def test_only_where_its_condition_holds() -> None:
    """A decorator may be left out as an adapter may."""
    di.register(Postgres)
    di.decorate(Traced, when=lambda: False)
    assert type(await di.nject(Repo)) is Postgres
    di.check()
    di.decorate(Traced, when=lambda: True)
    assert type(await di.nject(Repo)) is Traced
