"""What can be registered, what cannot, and what is forgotten."""

from __future__ import annotations

import abc
import dataclasses
import sys
import typing as t

import pytest

from buvar import context
from buvar import di


class Base:
    @classmethod
    def make(cls) -> t.Self:
        return cls()


class User: ...


class Order: ...


class Speaker(t.Protocol):
    def speak(self) -> str: ...


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self) -> int: ...


class Dog:
    def speak(self) -> str:
        return "wuff"


def returns_anything() -> t.Any: ...


def returns_object() -> object: ...


def returns_none() -> None: ...


async def test_forward_references() -> None:
    """A name may be defined after the registration."""
    di.register(forward)
    with pytest.raises(di.ResolveError, match="Later is not defined"):
        await di.nject(User)
    with pytest.raises(di.CheckError, match="Later is not defined"):
        di.check()
    module = sys.modules[forward.__module__]
    vars(module)["Later"] = type("Later", (), {})
    try:
        assert await di.nject(vars(module)["Later"])
    finally:
        del vars(module)["Later"]


def forward() -> Later:  # type: ignore[name-defined] # noqa: F821
    return sys.modules[__name__].__dict__["Later"]()


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (Shape, "area is missing"),
        (Speaker, "protocol"),
        (7, "not callable"),
        (lambda: None, "does not say what it returns"),
        (returns_anything, "does not say what it returns"),
        (returns_object, "does not say what it returns"),
        (returns_none, "does not say what it returns"),
        (Base.__dict__["make"], "di.register\\(Cls.method\\)"),
    ],
)
def test_what_cannot_be_registered(wrong: t.Any, text: str) -> None:
    """The error comes at once and says the cure."""
    with pytest.raises(di.RegisterError, match=text):
        di.register(wrong)
    with pytest.raises(ValueError, match="scope is one of"):
        di.register(User, scope=t.cast("t.Any", "request"))


async def test_register_gives_back_what_it_got() -> None:
    """It serves as a decorator, with and without options."""

    @di.register
    def user() -> User:
        return User()

    @di.register(scope="layer")
    def order() -> Order:
        return Order()

    assert isinstance(user(), User)
    assert di.register(User, Order) == (User, Order)
    own = di.Adapters()
    assert own.register(scope="layer")(Dog) is Dog
    assert own.register(User, Order) == (User, Order)
    with context.child():
        assert await di.nject(Order) is not await di.nject(Order)


async def test_static_methods_of_a_class_body() -> None:
    """A static method may be registered where it is written."""

    class Maker:
        @di.register
        @staticmethod
        def make() -> User:
            return User()

    assert type(Maker.make()) is User
    assert type(await di.nject(User)) is User


async def test_callables_that_cannot_be_hashed() -> None:
    """Each object is an implementation of its own, once."""

    @dataclasses.dataclass
    class Maker:
        number: int

        def __call__(self) -> User:
            made.append(self.number)
            return User()

    made: list[int] = []
    one, other = Maker(1), Maker(2)
    di.register(one, other)
    await di.nject(User)
    di.register(one)
    await di.nject(User)
    assert made == [2, 1]
    assert len(di.buvar_adapters.get().adapters) == 2


async def test_replace_and_duplicates() -> None:
    """Several adapters of a type are listed; replace leaves one."""

    def late() -> User:
        return User()

    di.register(User, late)
    adapters = di.buvar_adapters.get()
    found = adapters.duplicates()
    assert [one.name for one in found[User]] == ["late", "User"]
    di.register(User)
    assert [one.name for one in adapters.duplicates()[User]] == [
        "User",
        "late",
    ]
    di.register(late, replace=True)
    assert adapters.duplicates() == {}
    assert isinstance(adapters.adapters[0].implementation, type(late))
