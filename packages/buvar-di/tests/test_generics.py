"""Type variables: what they stand for is found out from what is asked for."""

from __future__ import annotations

import collections.abc
import functools
import typing as t

import pytest

from buvar import context
from buvar import di


T = t.TypeVar("T")
S = t.TypeVar("S")
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


class Maker:
    @classmethod
    def make(cls: type[T]) -> T:  # noqa: PYI019 - one of the spellings
        return cls()

    @classmethod
    def short(cls) -> T:  # type: ignore[type-var]
        return t.cast("T", cls())

    @classmethod
    def several(cls) -> list[t.Self]:
        return [cls()]

    @classmethod
    def named(cls: type[T]) -> dict[str, T]:  # noqa: PYI019
        return {"one": cls()}

    @classmethod
    def perhaps(cls) -> set[t.Self] | None:
        return {cls()}

    @classmethod
    def maybe(cls) -> t.Self | None:
        return cls()

    @classmethod
    def typed(cls: Nowhere) -> t.Self:  # type: ignore[name-defined] # noqa: F821
        return cls()

    @classmethod
    def build(cls, kind: type[T], user: User) -> T:
        assert isinstance(user, User)
        return kind()

    def again(self) -> t.Self:
        return self

    def other(self: T) -> T:  # noqa: PYI019
        return self


class Special(Maker): ...


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
    with pytest.raises(di.ResolveError):
        await di.nject(list[User])
    with pytest.raises(di.ResolveError):
        await di.nject(Box[User])


async def test_bounds_and_constraints_are_kept_to() -> None:
    """A type variable does not stand for what it must not."""

    def bound(item: Number) -> list[Number]:
        return [item]

    def constrained(item: Either) -> set[Either]:
        return {item}

    di.register(bound, constrained, Derived, User)
    assert type((await di.nject(list[Derived]))[0]) is Derived
    with pytest.raises(di.ResolveError):
        await di.nject(list[User])
    with pytest.raises(di.ResolveError):
        await di.nject(list[t.Literal[1]])
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


async def test_a_classmethod_may_be_a_factory_of_others() -> None:
    """A class given as an argument is not the class of the method."""
    di.register(Maker.build, User)
    assert type(await di.nject(Base)) is Base
    assert type(await di.nject(Maker)) is Maker


def test_a_variable_that_stands_for_nothing_is_refused() -> None:
    """Nothing says what T is, so it would be asked for everything."""

    def nothing() -> T:  # type: ignore[type-var]
        raise AssertionError

    with pytest.raises(di.RegisterError, match=r"give it one: type\[T\]"):
        di.register(nothing)


async def test_self_within_a_type_is_the_class() -> None:
    """list[Self] and Self | None are found by the class of the method."""
    di.register(Maker.several, Maker.named, Maker.maybe, Maker.perhaps)
    assert type((await di.nject(set[Maker])).pop()) is Maker
    assert type((await di.nject(list[Maker]))[0]) is Maker
    assert type((await di.nject(dict[str, Maker]))["one"]) is Maker
    assert type(await di.nject(Maker)) is Maker
    # It would be called on the base, and return another type than asked for.
    with pytest.raises(di.ResolveError):
        await di.nject(list[Special])


async def test_self_of_an_object_is_its_class() -> None:
    """A bound method that returns Self, or self: T -> T."""
    special = Special()
    di.register(special.again)
    assert await di.nject(Special) is special
    di.register(Maker().other, replace=True)
    assert type(await di.nject(Maker)) is Maker


async def test_a_partial_of_a_generic_classmethod() -> None:
    """It is bound to its class: no subclass is built."""
    di.register(functools.partial(Maker.make))
    assert type(await di.nject(Maker)) is Maker
    with pytest.raises(di.ResolveError):
        await di.nject(Special)


async def test_a_variable_of_its_own_stands_for_the_class() -> None:
    """Nothing else can be meant, even if cls has no annotation."""
    di.register(Maker.short)
    assert type(await di.nject(Special)) is Special


async def test_what_the_class_parameter_says_need_not_be_there() -> None:
    """Nobody fills cls, so its annotation does not matter."""
    di.register(Maker.typed)
    assert type(await di.nject(Special)) is Special


async def test_generic_classmethods_are_kept_per_class() -> None:
    """A layer keeps one for each class that was asked for."""
    di.register(Maker.make, scope="layer")
    with context.child():
        special = await di.nject(Special)
        maker = await di.nject(Maker)
        assert (await di.nject(Special), type(special)) == (special, Special)
        assert isinstance(maker, Maker)


async def test_callables_are_told_apart_however_spelled() -> None:
    """typing.Callable is that of collections.abc, its arguments count."""

    def make() -> t.Callable[[int], User]:
        return lambda number: User()

    def generic() -> collections.abc.Callable[..., Base]:
        return Base

    di.register(make, generic)
    asked = collections.abc.Callable[[int], User]
    made = await di.nject(t.cast("t.Any", asked))
    assert type(made(1)) is User
    asked = t.Callable[..., Base]  # type: ignore[assignment]
    assert type((await di.nject(t.cast("t.Any", asked)))()) is Base
    other = t.cast("t.Any", collections.abc.Callable[[str], User])
    with pytest.raises(di.ResolveError) as caught:
        await di.nject(other)
    assert "Callable[[str], User] cannot be resolved" in str(caught.value)
    assert "an adapter for Callable[[int], User]: make" in str(caught.value)
    assert "Callable[..., Base]" in str(caught.value)


class TypeAliasType:
    """As typing has it from Python 3.12 on, for the Pythons before."""

    def __init__(self, name: str, value: t.Callable[[], t.Any]) -> None:
        self.name = name
        self.value = value

    def __repr__(self) -> str:
        return self.name

    @property
    def __value__(self) -> t.Any:
        return self.value()

    def __getitem__(self, args: t.Any) -> t.Any:
        return t.cast("t.Any", __import__("types").GenericAlias)(self, args)


async def test_aliases_are_looked_through() -> None:
    """An alias is what it stands for, as an argument and with arguments."""
    person: t.Any = TypeAliasType("Person", lambda: User)
    pair: t.Any = TypeAliasType("Pair", lambda: tuple[T, T])
    tree: t.Any = TypeAliasType("Tree", lambda: dict[str, tree])

    def people() -> list[User]:
        return [User()]

    def pairs(item: T) -> pair[T]:
        return (item, item)

    def trees() -> tree:
        return {"top": {}}

    di.register(people, pairs, trees, Box, User)
    assert type((await di.nject(list[person]))[0]) is User
    assert type((await di.nject(Box[person])).item) is User
    assert type((await di.nject(pair[User]))[0]) is User
    assert type((await di.nject(tuple[User, User]))[1]) is User
    assert await di.nject(dict[str, tree]) == {"top": {}}


async def test_an_alias_of_what_is_not_defined() -> None:
    """The error names the alias and what is missing."""

    def missing() -> t.Any:
        raise NameError("name 'Nowhere' is not defined")

    nowhere = TypeAliasType("Somewhere", missing)

    def make(it: nowhere) -> User:  # type: ignore[valid-type]
        raise AssertionError

    di.register(make)
    with pytest.raises(di.ResolveError, match="'Somewhere': name 'Nowhere'"):
        await di.nject(User)


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

    def speakers(item: speaking) -> list[speaking]:
        return [item]

    def options(item: optional) -> set[optional]:
        raise AssertionError

    di.register(speakers, options, Dog, User)
    assert type((await di.nject(list[Dog]))[0]) is Dog
    for wrong in (list[User], set[User]):
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
    """A named tuple says one of its bases is a function."""

    class Point(t.NamedTuple):
        user: User

    class Kinds(Box[User], t.Protocol[S] if False else object):  # type: ignore[misc]
        ...

    di.register(Point, Kinds, User)
    assert type((await di.nject(Point)).user) is User
    assert type(await di.nject(Box[User])) is Kinds
