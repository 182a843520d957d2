"""Adapters that are used only where a condition holds."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import typing as t
import weakref

import pytest

from buvar import context
from buvar import di


pytestmark = pytest.mark.asyncio


class Cache: ...


class Memory(Cache): ...


class Redis(Cache): ...


@dataclasses.dataclass
class Settings:
    redis: bool = False


@pytest.fixture
def asked() -> list[bool]:
    """Return what the condition has said so far."""
    return []


@pytest.fixture
def uses_redis(asked: list[bool]) -> t.Any:
    """Return a condition on a component."""

    def uses_redis(settings: Settings) -> bool:
        asked.append(settings.redis)
        return settings.redis

    return uses_redis


async def test_the_configuration_decides(uses_redis: t.Any) -> None:
    """What is registered last is used only if its condition holds."""
    di.register(Memory)
    di.register(Redis, when=uses_redis)
    context.add(Settings())
    assert type(await di.nject(Cache)) is Memory
    context.add(Settings(redis=True))
    assert type(await di.nject(Cache)) is Redis
    assert [type(one) for one in await di.nject(list[Cache])] == [
        Memory,
        Redis,
    ]
    context.add(Settings())
    assert [type(one) for one in await di.nject(list[Cache])] == [Memory]
    assert type(await di.nject(Cache)) is Memory


async def test_it_is_asked_when_a_call_is_planned(
    uses_redis: t.Any, asked: list[bool]
) -> None:
    """Then it is compiled: asked again only where something changes."""
    di.register(Memory)
    di.register(Redis, when=uses_redis)
    context.add(Settings())
    for _ in range(3):
        await di.nject(Cache)
    assert len(asked) == 1
    with context.child():
        context.add(Settings(redis=True))
        for _ in range(3):
            assert type(await di.nject(Cache)) is Redis
    for _ in range(3):
        assert type(await di.nject(Cache)) is Memory
    assert asked == [False, True]
    di.register(Settings)
    await di.nject(Cache)
    assert asked == [False, True, False]


async def test_what_changes_in_place(uses_redis: t.Any) -> None:
    """``replan`` has conditions decided anew."""
    di.register(Memory)
    di.register(Redis, when=uses_redis)
    settings = context.add(Settings())
    assert type(await di.nject(Cache)) is Memory
    settings.redis = True
    assert type(await di.nject(Cache)) is Memory
    di.replan()
    assert type(await di.nject(Cache)) is Redis


async def test_a_section_is_loaded_for_it() -> None:
    """A parameter may be built, by a coroutine that need not wait too."""

    async def load(source: dict[str, bool]) -> Settings:
        return Settings(**source)

    @di.register(when=lambda: True)
    def nothing() -> int:
        return 0

    def condition(settings: Settings, *, number: int) -> bool:
        return settings.redis and number == 0

    di.register(load)
    di.register(Memory)
    di.register(Redis, when=condition)
    context.add({"redis": True}, dict[str, bool])
    assert type(await di.nject(Cache)) is Redis


async def test_errors_name_the_condition(uses_redis: t.Any) -> None:
    """They say that it is false, and where it was written."""
    di.register(Redis, when=uses_redis)
    context.add(Settings())
    with pytest.raises(di.ResolveError) as caught:
        await di.nject(Cache)
    text = str(caught.value)
    assert "it is left out, as its condition is false: uses_redis (" in text
    assert "test_conditions.py:" in text
    assert text.endswith("register something for the other case")


async def test_a_check_passes_over_what_is_left_out(
    uses_redis: t.Any,
) -> None:
    """It need not be resolved, but what is used without it has to be."""

    class Client: ...

    class Other(Cache):
        def __init__(self, client: Client) -> None: ...

    di.register(Other, when=uses_redis)
    context.add(Settings())
    di.check()

    class Service:
        def __init__(self, cache: Cache) -> None: ...

    di.register(Service)
    with pytest.raises(di.CheckError, match="its condition is false"):
        di.check()
    context.add(Settings(redis=True))
    with pytest.raises(di.CheckError, match="needs client: Client"):
        di.check()


async def test_the_graph_says_what_is_left_out(uses_redis: t.Any) -> None:
    """With the condition, and edges to what is used instead."""

    class Service:
        def __init__(self, cache: Cache) -> None: ...

    di.register(Memory, Service)
    di.register(Redis, when=uses_redis)
    context.add(Settings())
    graph = di.graph()
    nodes = {one.type: one for one in graph.nodes}
    assert nodes[Memory].left_out is None
    assert "its condition is false: uses_redis" in str(nodes[Redis].left_out)
    assert [one.target for one in graph.edges] == [Memory]
    assert '"Redis<br>left out"' in graph.mermaid()


async def test_what_it_needs_is_missing(uses_redis: t.Any) -> None:
    """A condition that cannot be decided is an error, not a no."""
    di.register(Redis, when=uses_redis)
    with pytest.raises(di.ResolveError) as caught:
        await di.nject(Cache)
    assert "whose condition uses_redis (" in str(caught.value)
    assert "needs settings: Settings" in str(caught.value)
    with pytest.raises(di.CheckError, match="The condition of Redis"):
        di.check()
    (node,) = di.graph().nodes
    assert "cannot be decided" in str(node.left_out)


@pytest.mark.parametrize("target", [Cache, list[Cache], dict[str, Cache]])
async def test_undecided_beside_something_else(
    target: t.Any, uses_redis: t.Any
) -> None:
    """What else there is does not stand for what nobody decided about."""
    di.register(Memory)
    di.register(Redis, when=uses_redis)
    with pytest.raises(di.ResolveError, match="needs settings: Settings"):
        await di.nject(target)
    context.add(Settings(redis=True))
    assert await di.nject(target)


async def test_what_is_registered_later_needs_no_decision(
    uses_redis: t.Any,
) -> None:
    """A condition is not asked where something else comes first."""
    di.register(Redis, when=uses_redis)
    di.register(Memory)
    assert isinstance(await di.nject(Cache), Memory)


async def test_undecided_decorator(uses_redis: t.Any) -> None:
    """Nothing is handed out unwrapped because nobody decided."""

    def wrap(inner: Cache) -> Cache:
        return inner

    di.register(Memory)
    di.decorate(wrap, when=uses_redis)
    with pytest.raises(di.ResolveError) as caught:
        await di.nject(Cache)
    assert "wrap around Memory, whose condition uses_redis" in str(
        caught.value
    )
    context.add(Settings(redis=False))
    assert isinstance(await di.nject(Cache), Memory)


async def test_the_cure_for_a_collection() -> None:
    """The error of a condition on a collection says what it may ask for."""

    def several(caches: list[Cache]) -> bool:
        return bool(caches)

    di.register(Memory, collect=False)
    context.add(Settings(), Cache)
    di.register(Redis, when=several)
    with pytest.raises(di.ResolveError) as caught:
        await di.nject(Redis)
    assert "list[Cache] is a collection" in str(caught.value)
    assert str(caught.value).endswith(
        "have the condition ask for components only, or for what is built "
        "without waiting and not kept"
    )


async def test_what_is_there_only_later(uses_redis: t.Any) -> None:
    """A check does not decide by what a request brings along."""
    di.register(Redis, when=uses_redis)
    di.expect(Settings)
    di.check()
    with context.child():
        context.add(Settings(redis=True))
        assert isinstance(await di.nject(Cache), Redis)


async def test_it_must_not_wait() -> None:
    """Nor take what is kept: nothing is built to stay while one plans."""

    async def slow() -> Settings:
        await asyncio.sleep(0)
        return Settings()

    def condition(settings: Settings) -> bool:
        return settings.redis

    di.register(Redis, when=condition)
    di.register(slow)
    with pytest.raises(di.ResolveError, match="slow waits"):
        await di.nject(Cache)
    di.register(Settings, scope="layer")
    with pytest.raises(di.ResolveError, match="builds what is kept"):
        await di.nject(Cache)
    with pytest.raises(di.CheckError, match="builds what is kept"):
        di.check()


async def test_it_must_not_need_itself() -> None:
    """What decides about an adapter is not built by it."""

    def condition(cache: Cache) -> bool:
        return bool(cache)

    di.register(Redis, when=condition)
    with pytest.raises(di.ResolveError, match="its condition needs itself"):
        await di.nject(Cache)


@pytest.mark.parametrize("condition", [True, "yes", bool])
async def test_it_is_a_function(condition: t.Any) -> None:
    """Values are not asked: an ``if`` around the registration does that."""
    with pytest.raises(di.RegisterError, match="a condition is a function"):
        di.register(Redis, when=condition)


async def test_its_parameters_say_what_they_are() -> None:
    """What is injected is known by its type."""
    with pytest.raises(di.RegisterError, match="settings has no annotation"):
        di.register(Redis, when=lambda settings: settings.redis)


async def test_it_is_a_plain_function() -> None:
    """A coroutine cannot be awaited while a call is planned."""

    async def condition() -> bool:
        return True

    with pytest.raises(di.RegisterError, match="cannot wait"):
        di.register(Redis, when=condition)


async def test_it_replaces_nothing() -> None:
    """With ``replace=True`` there would be nothing if it is false."""
    with pytest.raises(di.RegisterError, match="leave out replace="):
        di.register(Redis, replace=True, when=lambda: True)


async def test_what_it_raises_is_raised() -> None:
    """With a note that says which condition it was."""

    def condition() -> bool:
        raise KeyError

    di.register(Redis, when=condition)
    with pytest.raises(KeyError) as caught:
        await di.nject(Cache)
    (note,) = caught.value.__notes__
    assert note.startswith("while the condition condition (")


async def test_it_keeps_nothing_alive(uses_redis: t.Any) -> None:
    """Compiled code does not hold the component that was read."""
    di.register(Memory)
    di.register(Redis, when=uses_redis)
    with context.child():
        settings = weakref.ref(context.add(Settings()))
        assert type(await di.nject(Cache)) is Memory
    gc.collect()
    assert settings() is None
