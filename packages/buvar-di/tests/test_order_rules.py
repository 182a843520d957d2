"""Rules around the order: several adapters, unions, names, sharing."""

from __future__ import annotations

import typing as t

import pytest

from buvar import context
from buvar import di


class Bar:
    def __init__(self, label: str = "made") -> None:
        self.label = label


class Sub(Bar): ...


class Foo:
    def __init__(self, bar: Bar | None) -> None:
        self.bar = bar


def make_foo(bar: Bar) -> Foo:
    return Foo(bar)


def make_bar() -> Bar:
    return Bar("adapter")


async def label(**keywords: t.Any) -> str:
    foo = await di.nject(Foo, **keywords)
    assert foo.bar is not None
    return foo.bar.label


async def test_latest_adapter_first() -> None:
    """Of several adapters the one registered last is used."""

    def late() -> Bar:
        return Bar("late")

    di.register(make_foo, make_bar, late)
    assert await label() == "late"


async def test_a_later_adapter_of_a_base_is_first() -> None:
    """It is registration that decides, not how near a type is."""
    di.register(make_foo, Sub, make_bar)
    assert await label() == "adapter"
    assert type(await di.nject(Sub)) is Sub
    di.register(Sub)
    assert type((await di.nject(Foo)).bar) is Sub


async def test_an_adapter_registered_again_is_the_latest() -> None:
    """Registering once more moves it to the front."""

    def late() -> Bar:
        return Bar("late")

    di.register(make_foo, make_bar, late)
    assert await label() == "late"
    di.register(make_bar)
    assert await label() == "adapter"


async def test_a_target_is_looked_for_as_a_parameter_is() -> None:
    """A component, then any keyword of the type, then an adapter."""
    di.register(make_bar)
    any_other = Bar("any")
    assert await di.nject(Bar) is not any_other
    assert await di.nject(Bar, other=any_other) is any_other
    unnamed = context.add(Bar("unnamed"))
    assert await di.nject(Bar, other=any_other) is unnamed


async def test_a_union_asks_for_its_members_in_their_order() -> None:
    """For targets and parameters, whatever was asked for before."""
    di.register(Foo, make_bar)
    context.add(Bar("unnamed"))
    foo = context.add(Foo(None))
    one, other = t.cast("t.Any", Foo | Bar), t.cast("t.Any", Bar | Foo)
    for _ in range(2):
        assert await di.nject(one) is foo
        assert type(await di.nject(other)) is Bar


async def test_a_named_type_or_none() -> None:
    """The name counts within a union too."""

    def make(
        bar: t.Annotated[Bar, di.Named("x")] | None = None,
    ) -> Foo:
        return Foo(bar)

    di.register(make, make_bar)
    context.add(Bar("unnamed"))
    assert (await di.nject(Foo)).bar is None
    context.add(Bar("x"), name="x")
    assert await label() == "x"


async def test_an_adapter_that_would_need_itself_is_passed_over() -> None:
    """A cycle is an error only if there is no other way."""

    def loud(bar: Bar) -> Bar:
        return Bar(f"{bar.label}!")

    def default(foo: Foo | None = None) -> Sub:
        assert foo is None
        return Sub("default")

    di.register(make_foo, make_bar, loud)
    assert await label() == "adapter!"
    di.register(default)
    assert await label() == "default"


async def test_an_adapter_that_lacks_is_passed_over() -> None:
    """Nothing is built for an adapter that cannot be used."""
    built: list[str] = []

    class Dear:
        def __init__(self) -> None:
            built.append("dear")

    def late(dear: Dear, missing: str) -> Bar:
        return Bar("late")

    di.register(make_foo, make_bar, Dear, late)
    assert await label() == "adapter"
    assert built == []


async def test_optional_looks_for_the_type() -> None:
    """Optional[T] is resolved as T is."""

    def make(bar: t.Optional[Bar]) -> Foo:  # noqa: UP045
        return Foo(bar)

    di.register(make)
    with pytest.raises(di.ResolveError, match="= None"):
        await di.nject(Foo)
    di.register(make_bar)
    assert await label() == "adapter"
    assert (await di.nject(Foo, bar=None)).bar is None


async def test_named_asks_for_a_name() -> None:
    """Annotated with Named only the component of that name will do."""

    def make(bar: t.Annotated[Bar, di.Named("x")]) -> Foo:
        return Foo(bar)

    di.register(make, make_bar)
    context.add(Bar("unnamed"))
    with pytest.raises(di.ResolveError, match="named 'x'"):
        await di.nject(Foo)
    context.add(Bar("x"), name="x")
    assert await label() == "x"
    assert await label(x=Bar("keyword")) == "keyword"
    got = await di.nject(t.Annotated[Bar, di.Named("x")])
    assert got.label == "x"


async def test_what_a_call_builds_is_shared_within_it() -> None:
    """One call builds each type once, the next call anew."""

    class Pair:
        def __init__(self, foo: Foo, bar: Bar) -> None:
            self.foo, self.bar = foo, bar

    di.register(Pair, make_foo, make_bar)
    pair, foo, bar = await di.nject(Pair, Foo, Bar)
    assert pair.foo is foo
    assert pair.bar is foo.bar
    assert bar is pair.bar
    assert (await di.nject(Bar)) is not bar


async def test_one_target_gives_one_value_several_give_a_list() -> None:
    """One target gives its value, several a list in their order."""
    di.register(make_foo, make_bar)
    assert isinstance(await di.nject(Foo), Foo)
    got: list[t.Any] = t.cast("list[t.Any]", await di.nject(Foo, Bar))
    assert isinstance(got, list)
    assert [type(one) for one in got] == [Foo, Bar]


async def test_a_cycle_is_an_error_with_its_path() -> None:
    """A cycle is found before anything is built."""

    class A:
        def __init__(self, b: B) -> None: ...

    class B:
        def __init__(self, c: C) -> None: ...

    class C:
        def __init__(self, a: A) -> None: ...

    def later() -> None:
        di.register(A, B, C)

    later()
    with pytest.raises(di.CycleError) as caught:
        await di.nject(A)
    assert caught.value.path == (A, B, C, A)
    assert "A -> B -> C -> A" in str(caught.value)


async def test_other_answers_of_the_context_give_other_results() -> None:
    """Compiled code asks the context anew in each call."""
    di.register(make_foo, make_bar)
    assert await label() == "adapter"
    with context.child():
        context.add(Bar("inside"))
        assert await label() == "inside"
    assert await label() == "adapter"
    with context.child():
        context.add(Bar("named"), name="bar")
        assert await label() == "named"
    assert await label() == "adapter"
