"""What type checkers say of the public functions."""

from __future__ import annotations

import collections.abc
import typing as t

import pytest

from buvar import context
from buvar import di


T = t.TypeVar("T")


class Foo: ...


class Bar(Foo):
    def __init__(self, foo: Foo) -> None:
        self.foo = foo


class Baz: ...


class Box(t.Generic[T]):
    def __init__(self, item: T) -> None:
        self.item = item


async def test_nject() -> None:
    """One target has its type, several are a list of theirs."""
    di.register(Foo, Bar, Baz, Box)
    assert t.assert_type(await di.nject(Foo), Foo)
    assert t.assert_type(await di.nject(Foo, foo=Foo()), Foo)
    box = t.assert_type(await di.nject(Box[Baz]), Box[Baz])
    assert t.assert_type(box.item, Baz)


async def test_nject_of_several() -> None:
    """Two to five targets can be unpacked, each value with its type."""
    di.register(Foo, Bar, Baz, Box)
    foo, baz = await di.nject(Foo, Baz)
    t.assert_type(foo, Foo)
    t.assert_type(baz, Baz)
    three = t.assert_type(
        await di.nject(Foo, Baz, Box[Baz]), tuple[Foo, Baz, Box[Baz]]
    )
    t.assert_type(three[2].item, Baz)
    t.assert_type(
        await di.nject(Foo, Baz, Bar, Foo, foo=Foo()),
        tuple[Foo, Baz, Bar, Foo],
    )
    one, two, _, _, five = await di.nject(Bar, Baz, Foo, Baz, Bar)
    t.assert_type(one, Bar)
    t.assert_type(two, Baz)
    t.assert_type(five, Bar)
    six = t.assert_type(
        await di.nject(Foo, Baz, Bar, Foo, Baz, Bar), list[t.Any]
    )
    assert len(six) == 6


async def test_several_are_a_list() -> None:
    """So they are when the program runs, however many there are."""
    di.register(Foo, Baz)
    some: t.Any = await di.nject(Foo, Baz)
    assert type(some) is list


async def test_what_is_no_class_is_not_guessed() -> None:
    """Names and optional types are asked for without a type."""
    di.register(Foo)
    context.add(Foo(), name="x")
    asked: t.Any = t.Annotated[Foo, di.Named("x")]
    assert t.assert_type(await di.nject(asked), t.Any) is not None


def test_register() -> None:
    """A decorator leaves the type of what it decorates."""

    @di.register
    def make(number: int) -> Foo:
        return Foo()

    @di.register(scope="layer")
    async def opened() -> collections.abc.AsyncIterator[Baz]:
        yield Baz()

    assert t.assert_type(make(1), Foo)
    assert t.assert_type(di.register(Bar), type[Bar]) is Bar
    assert t.assert_type(opened(), t.AsyncIterator[Baz])
    adapters = di.Adapters()
    assert t.assert_type(adapters.register(Bar), type[Bar]) is Bar


async def test_inject() -> None:
    """Arguments may be given or left out, the result is the function's."""

    @di.inject
    async def handler(number: int, foo: Foo, *, bar: Bar) -> str:
        return f"{number} {type(foo).__name__} {type(bar).__name__}"

    di.register(Foo, Bar)
    foo, bar = Foo(), Bar(Foo())
    assert t.assert_type(await handler(1), str) == "1 Bar Bar"
    assert t.assert_type(await handler(1, foo, bar=bar), str) == "1 Foo Bar"
    assert t.assert_type(await handler(number=1, foo=foo), str) == "1 Foo Bar"


def test_the_rest() -> None:
    """Errors, graphs and overrides have their types."""
    di.register(Bar)
    with pytest.raises(di.CheckError) as caught:
        di.check()
    t.assert_type(caught.value.errors, tuple[di.ResolveError, ...])
    t.assert_type(di.graph().mermaid(), str)
    with di.override({Foo: Foo()}):
        t.assert_type(di.check(), None)
