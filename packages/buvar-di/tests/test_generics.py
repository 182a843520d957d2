"""Type variables: what they stand for is found out from what is asked for."""

from __future__ import annotations

import functools
import typing as t

import pytest

from buvar import di


T = t.TypeVar("T")
Number = t.TypeVar("Number", bound="Base")
Hidden = t.TypeVar("Hidden", bound="Nowhere")  # type: ignore[name-defined] # noqa: F821
Either = t.TypeVar("Either", int, str)


class Base: ...


class Derived(Base): ...


class User: ...


class Box(t.Generic[T]):
    def __init__(self, item: T, number: int = 0) -> None:
        self.item = item
        self.number = number


class Shelf(t.Generic[T]):
    def __init__(self, box: Box[T], other: Box[T] | None = None) -> None:
        self.box = box
        self.other = other


async def test_a_type_with_arguments_may_be_registered() -> None:
    """Box[User] is built as such, and is no Box[Base]."""
    di.register(Box[User], User, Base)
    assert type((await di.nject(Box[User])).item) is User
    with pytest.raises(di.ResolveError):
        await di.nject(Box[Base])


async def test_a_partial_of_a_generic_class_is_generic() -> None:
    """What is bound already is kept, the rest follows what is asked for."""
    di.register(functools.partial(Box, number=7), User)
    box = await di.nject(Box[User])
    assert (type(box.item), box.number) == (User, 7)


async def test_arguments_reach_what_is_needed() -> None:
    """Shelf[User] needs a Box[User], and shares it within the call."""
    di.register(Shelf, Box, User, Base)
    shelf = await di.nject(Shelf[User])
    assert type(shelf.box.item) is User
    assert shelf.other is shelf.box
    assert type((await di.nject(Shelf[Base])).box.item) is Base


async def test_one_variable_stands_for_one_type() -> None:
    """dict[T, T] is no dict[User, Base]."""

    def pairs(item: T) -> dict[T, T]:
        return {item: item}

    def lists(items: list[T]) -> list[list[T]]:
        return [items]

    di.register(pairs, lists, User, Base)
    (user,) = await di.nject(dict[User, User])
    assert type(user) is User
    with pytest.raises(di.ResolveError):
        await di.nject(dict[User, Base])
    # No list of lists, but the collection of all users.
    assert [*map(type, await di.nject(list[User]))] == [User]
    with pytest.raises(di.ResolveError):
        await di.nject(Box[User])


async def test_bounds_and_constraints_are_kept_to() -> None:
    """A type variable does not stand for what it must not."""

    def bound(item: Number) -> frozenset[Number]:
        return frozenset({item})

    def constrained(item: Either) -> set[Either]:
        return {item}

    di.register(bound, constrained, Derived, User)
    assert [*map(type, await di.nject(frozenset[Derived]))] == [Derived]
    with pytest.raises(di.ResolveError):
        await di.nject(frozenset[User])
    with pytest.raises(di.ResolveError):
        await di.nject(frozenset[t.Literal[1]])
    assert await di.nject(set[int], item=3) == {3}
    with pytest.raises(di.ResolveError):
        await di.nject(set[float], item=3.0)


async def test_a_function_may_build_whatever_class_it_is_given() -> None:
    """type[T] -> T is a factory, of all that its type variable allows."""

    def factory(kind: type[Number], user: User) -> Number:
        assert isinstance(user, User)
        return kind()

    def wrong(kind: type[Number]) -> Number:
        return t.cast("Number", User())

    di.register(User, factory)
    assert type(await di.nject(Derived)) is Derived
    assert type(await di.nject(Base)) is Base
    with pytest.raises(di.ResolveError):
        await di.nject(Box)
    di.check()
    di.register(wrong)
    with pytest.raises(di.ResolveError, match=r"wrong .* returned .* User"):
        await di.nject(Derived)


async def test_a_bound_that_is_not_there() -> None:
    """What is bound to a name that is not defined is bound to nothing."""

    def factory(kind: type[Hidden], user: User) -> Hidden:
        return kind()

    di.register(factory, User)
    assert type(await di.nject(Base)) is Base


def test_a_variable_that_stands_for_nothing_is_refused() -> None:
    """Nothing says what T is, so it would be asked for everything."""

    def nothing() -> T:  # type: ignore[type-var]
        raise AssertionError

    with pytest.raises(di.RegisterError, match=r"give it one: type\[T\]"):
        di.register(nothing)


async def test_a_class_that_is_as_generic_as_its_base() -> None:
    """The same type variable stands for the same in both."""

    class Chest(Box[T]): ...

    di.register(Chest, User)
    assert type((await di.nject(Chest[User])).item) is User
    assert type(await di.nject(Box[User])) is Chest


async def test_a_class_as_an_argument_that_is_no_variable() -> None:
    """type[User] is asked for as anything else is."""

    def make(kind: type[User], item: T) -> list[T]:
        assert kind is User
        return [item]

    di.register(make, Base)
    assert type((await di.nject(list[Base], kind=User))[0]) is Base


async def test_bounds_that_classes_cannot_be_asked_about() -> None:
    """Who inherits from a protocol or a typed dict is seen from the class."""

    class Speaker(t.Protocol):
        def speak(self) -> str: ...

    class Options(t.TypedDict):
        size: int

    class Dog(Speaker):
        def speak(self) -> str:
            return "wuff"

    speaking = t.TypeVar("speaking", bound=Speaker)
    optional = t.TypeVar("optional", bound=Options)

    def speakers(item: speaking) -> frozenset[speaking]:
        return frozenset({item})

    def options(item: optional) -> set[optional]:
        raise AssertionError

    di.register(speakers, options, Dog, User)
    assert [*map(type, await di.nject(frozenset[Dog]))] == [Dog]
    for wrong in (frozenset[User], set[User]):
        with pytest.raises(di.ResolveError):
            await di.nject(wrong)


async def test_a_property_named_as_a_generic_has_it() -> None:
    """A class may have an attribute __parameters__ of its own."""

    class Odd:
        @property
        def __parameters__(self) -> int:
            return 3

    di.register(Odd)
    assert type(await di.nject(Odd)) is Odd


async def test_generic_bases_that_are_no_types() -> None:
    """A named tuple says its base is a function."""

    class Point(t.NamedTuple):
        user: User

    di.register(Point, User)
    assert type((await di.nject(Point)).user) is User
