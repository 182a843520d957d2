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


async def test_1_a_keyword_of_another_type_is_refused() -> None:
    """What the caller passed is not replaced by what an adapter builds."""
    di.register(make_foo, make_bar)
    with pytest.raises(di.KeywordError, match="bar is of str, not of Bar"):
        await label(bar="text")


async def test_2_then_a_component_of_the_name() -> None:
    """A component named as the parameter beats an unnamed one."""
    di.register(make_foo, make_bar)
    context.add(Bar("unnamed"))
    context.add(Bar("named"), name="bar")
    assert await label(other=Bar("any")) == "named"


async def test_2_a_component_of_another_type_is_not_taken() -> None:
    """A component of the name but of another type does not count."""
    di.register(make_foo, make_bar)
    context.add("text", name="bar")
    assert await label() == "adapter"


async def test_2_a_component_of_the_name_beats_what_this_call_built() -> None:
    """The name is nearer than what only has the type."""

    class Holder:
        def __init__(self, own: Sub, bar: Bar) -> None:
            self.own, self.bar = own, bar

    di.register(Holder, Sub)
    named = context.add(Bar("named"), name="bar")
    assert (await di.nject(Holder)).bar is named


async def test_2_the_uppermost_component_of_the_name() -> None:
    """Layers are searched from the top, for a subclass as well."""
    di.register(make_foo)
    context.add(Bar("lower"), name="bar")
    with context.child():
        assert await label() == "lower"
        context.add(Sub("upper"), name="bar")
        assert await label() == "upper"
    assert await label() == "lower"


async def test_3_then_what_this_call_built() -> None:
    """What was built in the call is shared, before the context is asked."""

    class Holder:
        def __init__(self, own: Sub, bar: Bar) -> None:
            self.own, self.bar = own, bar

    di.register(Holder, Sub)
    context.add(Bar("unnamed"))
    holder = await di.nject(Holder)
    assert holder.bar is holder.own


async def test_3_what_this_call_built_beats_any_keyword() -> None:
    """A keyword of another name comes later."""

    class Holder:
        def __init__(self, own: Sub, bar: Bar) -> None:
            self.own, self.bar = own, bar

    di.register(Holder, Sub)
    holder = await di.nject(Holder, other=Bar("any"))
    assert holder.bar is holder.own


async def test_3_what_is_not_built_yet_is_not_there() -> None:
    """Parameters are looked up one after the other."""

    class Holder:
        def __init__(self, bar: Bar, own: Sub) -> None:
            self.own, self.bar = own, bar

    di.register(Holder, make_bar, Sub)
    context.add(Bar("unnamed"))
    holder = await di.nject(Holder)
    assert holder.bar.label == "unnamed"
    assert type(holder.own) is Sub


async def test_3_then_an_unnamed_component() -> None:
    """An unnamed component beats keywords of other names and adapters."""
    di.register(make_foo, make_bar)
    context.add(Bar("unnamed"))
    assert await label(other=Bar("any")) == "unnamed"


async def test_4_then_any_keyword_of_the_type() -> None:
    """A keyword of any name beats an adapter."""
    di.register(make_foo, make_bar)
    assert await label(other=Bar("any")) == "any"


async def test_4_a_keyword_of_a_base_is_not_taken() -> None:
    """A subclass is one of the type, a base is not."""
    di.register(make_foo, make_bar)
    assert await label(other=Sub("sub")) == "sub"

    def make_sub(sub: Sub) -> Foo:
        return Foo(sub)

    di.register(make_sub, Sub)
    foo = await di.nject(Foo, other=Bar("base"))
    assert type(foo.bar) is Sub


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
