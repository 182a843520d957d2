"""Methods that return the class they belong to, or one they are given."""

from __future__ import annotations

import functools
import typing as t

import pytest

from buvar import context
from buvar import di


T = t.TypeVar("T")


class Base: ...


class User: ...


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


async def test_a_classmethod_may_be_a_factory_of_others() -> None:
    """A class given as an argument is not the class of the method."""
    di.register(Maker.build, User)
    assert type(await di.nject(Base)) is Base
    assert type(await di.nject(Maker)) is Maker


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
