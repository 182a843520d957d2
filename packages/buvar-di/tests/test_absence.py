"""What the context has none of is not asked twice, and noticed once added."""

from __future__ import annotations

import abc
import typing as t

import pytest

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import context
from buvar import di
from buvar.components import Components
from buvar.components import spi
from buvar.context import buvar_context


class One: ...


class Two(One): ...


class Three: ...


class All:
    def __init__(self, one: One, two: Two, three: Three) -> None:
        self.parts = (one, two, three)


TYPES: t.Final = (One, Two, Three)


def scoped(below: Components) -> Components:
    """Make a layer as a request has one."""
    return spi.open_layer(below)


def stack() -> list[Components]:
    """Make the layers of a process, a stage, a task and a request."""
    root = Components()
    plugins = scoped(root)
    plugins._stage = None
    task = plugins.push()
    request = scoped(task)
    inner = request.push()
    shared = Components(plugins, root).push()
    return [root, plugins, task, request, inner, shared]


steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "ask", "ask"]),
        st.integers(0, 5),
        st.integers(0, 2),
    ),
    max_size=25,
)


def drive(coroutine: t.Coroutine[t.Any, t.Any, t.Any]) -> t.Any:
    """Run what awaits nothing, without a loop."""
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    return stop.value.value


@settings(max_examples=300, deadline=None)
@given(steps)
def test_what_is_added_anywhere_is_seen(
    taken: list[tuple[str, int, int]],
) -> None:
    """Whatever was asked before, an answer is what the context says now."""
    adapters, layers = di.Adapters(), stack()
    adapters.register(*TYPES, All)
    registry = di.buvar_adapters.set(adapters)
    before = buvar_context.get()
    try:
        for what, number, which in taken:
            layer = layers[number]
            if what == "add":
                layer.add(TYPES[which]())
                continue
            buvar_context.set(layer)
            parts = drive(di.nject(All)).parts
            for cls, got in zip(TYPES, parts, strict=True):
                want = layer.get(cls, default=None)
                if want is not None:
                    assert got is want
                else:
                    assert type(got) in {cls, Two}
                    assert got not in [*layer.stack]
                    assert all(got not in x._items.values() for x in layers)
    finally:
        buvar_context.set(before)
        di.buvar_adapters.reset(registry)


async def test_what_has_nothing_to_do_with_it_changes_nothing() -> None:
    """A type added for the first time leaves other plans as they are."""

    class New: ...

    class Other: ...

    di.register(New, Other)
    await di.nject(New)
    await di.nject(Other)
    added = context.add(New())
    assert await di.nject(Other) is not await di.nject(Other)
    assert await di.nject(New) is added


@pytest.mark.parametrize("number", range(4))
async def test_what_each_layer_below_a_request_gets_is_seen(
    number: int,
) -> None:
    """Of a task, the stage or the process, though it had none for long."""
    adapters, (root, plugins, task, *_) = di.Adapters(), stack()
    di.buvar_adapters.set(adapters)
    di.register(All, *TYPES)
    for one in TYPES:
        # Somewhere there is one, so that the context has to be asked.
        Components().add(one())
    for below in (task, task, plugins.push(), task):
        buvar_context.set(scoped(below))
        for _ in range(3):
            parts = (await di.nject(All)).parts
            assert not any(part in root._items.values() for part in parts)
    request = scoped(task)
    added = (root, plugins, task, request)[number].add(Three())
    buvar_context.set(request)
    assert (await di.nject(All)).parts[2] is added


async def test_types_that_will_be_there_when_it_runs() -> None:
    """What no layer ever had may be said to come."""

    class Request: ...

    class Handler:
        def __init__(self, request: Request) -> None: ...

    di.register(Handler)
    with pytest.raises(di.CheckError):
        di.check()
    di.check(given=[Request])


async def test_a_request_below_a_task() -> None:
    """A layer's own object is found from the layers above it."""
    di.register(All, *TYPES[1:])
    di.register(One, scope="layer")
    async with context.child() as request:
        for _ in range(3):
            context.push()
            await di.nject(All)
        first = await di.nject(One)
        assert request.get(One) is first
        one = context.add(One())
        assert (await di.nject(All)).parts[0] is one


async def test_a_component_above_does_not_hide_the_kept() -> None:
    """What the stage keeps is not taken from a request that has another."""

    class Kept:
        def __init__(self, one: One) -> None:
            self.one = one

    di.register(One)
    di.register(Kept, scope="stage")
    with context.child():
        one = context.add(One())
        kept = await di.nject(Kept)
        assert kept.one is not one
    with context.child():
        context.add(One())
        assert await di.nject(Kept) is kept


async def test_more_types_than_are_asked_for_one_by_one() -> None:
    """A large plan asks for all of its types at once."""
    made = [type(f"Made{n}", (), {}) for n in range(12)]
    names = {f"T{n}": cls for n, cls in enumerate(made)}
    heads = ", ".join(f"p{n}: T{n}" for n in range(12))
    exec(f"def __init__(self, {heads}): self.last = p11", names)  # noqa: S102
    cls = type("Large", (), {"__init__": names["__init__"]})
    di.register(cls, *made)
    with context.child():
        for one in made:
            context.add(one())
    with context.child():
        context.add("something else")
        for _ in range(2):
            await di.nject(cls)
        last = context.add(made[11]())
        assert (await di.nject(cls)).last is last


async def test_found_by_an_abstract_class_it_is_the_same() -> None:
    """What a layer keeps is kept once, by whatever type it is asked for."""

    class Shape(abc.ABC):
        @abc.abstractmethod
        def area(self) -> int: ...

    class Square:
        pass

    async def opened(one: One) -> Two:
        return Two()

    Shape.register(Square)
    di.register(One, opened)
    di.register(Square, scope="layer")
    async with context.child():
        square = await di.nject(Square)
        shape: t.Any = Shape
        assert await di.nject(shape) is square
        assert (await di.nject(shape, Two))[0] is square
    async with context.child():
        first = await di.nject(shape)
        assert await di.nject(Square) is first
