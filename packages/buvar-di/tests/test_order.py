"""The order in which a parameter is resolved, a test for each clause."""

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


def make_default(bar: Bar = Bar("default")) -> Foo:  # noqa: B008
    return Foo(bar)


async def label(**keywords: t.Any) -> str:
    foo = await di.nject(Foo, **keywords)
    assert foo.bar is not None
    return foo.bar.label


async def test_the_seed_program_works() -> None:
    """Adapters are tried latest first, keywords reach deep parameters."""

    class Bar: ...

    class Foo:
        def __init__(self, bar: Bar = None) -> None:  # type: ignore[assignment]
            self.bar = bar

        @classmethod
        async def adapt(cls, baz: str) -> Foo:
            return Foo()

    async def adapt(bar: Bar) -> Foo:
        return Foo(bar)

    async def task() -> None:
        assert (await di.nject(Foo, baz="baz")).bar is None
        bar = Bar()
        assert (await di.nject(Foo, bar=bar)).bar is bar

    di.register(Foo.adapt)
    di.register(adapt)
    await task()


async def test_1_a_keyword_of_the_name_comes_first() -> None:
    """A keyword of the parameter's name beats everything else."""
    di.register(make_foo, make_bar)
    context.add(Bar("unnamed"))
    context.add(Bar("named"), name="bar")
    got = await label(other=Bar("any"), bar=Bar("keyword"))
    assert got == "keyword"


async def test_1_a_keyword_of_another_type_is_not_taken() -> None:
    """A keyword of the name but of another type does not count."""
    di.register(make_foo, make_bar)
    assert await label(bar="text") == "adapter"


async def test_2_then_a_component_of_the_name() -> None:
    """A component named as the parameter beats an unnamed one."""
    di.register(make_foo, make_bar)
    context.add(Bar("unnamed"))
    context.add(Bar("named"), name="bar")
    assert await label(other=Bar("any")) == "named"


async def test_3_then_what_this_call_built() -> None:
    """What was built in the call is shared, before the context is asked."""

    class Holder:
        def __init__(self, own: Sub, bar: Bar) -> None:
            self.own, self.bar = own, bar

    di.register(Holder, Sub)
    context.add(Bar("unnamed"))
    holder = await di.nject(Holder)
    assert holder.bar is holder.own


async def test_3_then_an_unnamed_component() -> None:
    """An unnamed component beats keywords of other names and adapters."""
    di.register(make_foo, make_bar)
    context.add(Bar("unnamed"))
    assert await label(other=Bar("any")) == "unnamed"


async def test_4_then_any_keyword_of_the_type() -> None:
    """A keyword of any name beats an adapter."""
    di.register(make_foo, make_bar)
    assert await label(other=Bar("any")) == "any"


async def test_4_the_first_of_several_keywords() -> None:
    """Several keywords of the type are taken in the order given."""
    di.register(make_foo)
    assert await label(one=Bar("one"), two=Bar("two")) == "one"
    assert await label(two=Bar("two"), one=Bar("one")) == "two"


async def test_5_then_an_adapter() -> None:
    """An adapter beats the default."""
    di.register(make_default, make_bar)
    assert await label() == "adapter"


async def test_6_then_the_default() -> None:
    """The default is taken when nothing else is there."""
    di.register(make_default)
    assert await label() == "default"


async def test_6_the_default_stands_in_for_an_adapter_that_lacks() -> None:
    """An adapter that cannot be used leaves the parameter its default."""

    def needs(text: str) -> Bar:
        return Bar(text)

    di.register(make_default, needs)
    assert await label() == "default"


async def test_7_else_an_error() -> None:
    """Nothing at all is an error that shows the path and each adapter."""

    def other(baz: str) -> Foo:
        return Foo(None)

    di.register(make_foo, other)
    with pytest.raises(di.ResolveError) as caught:
        await di.nject(Foo)
    assert caught.value.target is Foo
    text = str(caught.value)
    assert "make_foo needs bar: Bar" in text
    assert "needs baz: str" in text
    assert "test_order.py:" in text


async def test_latest_adapter_first() -> None:
    """Of several adapters the one registered last is used."""

    def late() -> Bar:
        return Bar("late")

    di.register(make_foo, make_bar, late)
    assert await label() == "late"


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
