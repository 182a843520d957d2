"""Components of types with arguments are found as what adapters build is."""

from __future__ import annotations

import typing as t

import pytest

from buvar import context
from buvar import di


K = t.TypeVar("K")
V = t.TypeVar("V")


class Order: ...


class User: ...


class Repo(t.Generic[K]): ...


class Table(Repo[V], t.Generic[K, V]): ...


class Orders(Repo[Order]): ...


class Special(Orders): ...


class Users(Table[int, User]): ...


class Service:
    def __init__(self, repo: Repo[Order], users: Repo[User]) -> None:
        self.parts = (repo, users)


async def test_a_class_says_what_its_objects_are_of() -> None:
    """By its bases, and by those of its bases."""
    di.register(Service)
    orders, users = context.add(Orders()), context.add(Users())
    for _ in range(2):
        assert (await di.nject(Service)).parts == (orders, users)
    assert await di.nject(Table[int, User]) is users
    di.check()
    with pytest.raises(di.ResolveError):
        await di.nject(Repo[int])
    with pytest.raises(di.ResolveError):
        await di.nject(Table[str, User])


async def test_a_component_comes_before_an_adapter() -> None:
    """Also where it is added after the adapter was used."""

    def make() -> Repo[Order]:
        return Repo()

    di.register(make)
    assert type(await di.nject(Repo[Order])) is Repo
    with context.child() as layer:
        special = layer.add(Special())
        assert await di.nject(Repo[Order]) is special
    assert type(await di.nject(Repo[Order])) is Repo

    class Late(Repo[Order]): ...

    late = context.add(Late())
    assert await di.nject(Repo[Order]) is late


async def test_the_nearest_and_latest_of_several() -> None:
    """As it is with classes: upper layers first, then the last added."""
    first, second = Orders(), Special()
    context.add(first)
    context.add(second)
    assert await di.nject(Repo[Order]) is second

    class Other(Repo[Order]): ...

    with context.child() as layer:
        other = layer.add(Other())
        assert await di.nject(Repo[Order]) is other
        with context.child() as inner:
            inner.add(first)
            assert await di.nject(Repo[Order]) is first
        assert await di.nject(Repo[Order]) is other
    assert await di.nject(Repo[Order]) is second


async def test_names_tell_them_apart() -> None:
    """A name of a component, or of the parameter."""

    def make(main: Repo[Order]) -> list[Repo[Order]]:
        return [main]

    di.register(make)
    context.add(Orders())
    orders = context.add(Orders(), name="main")
    asked: t.Any = t.Annotated[Repo[Order], di.Named("main")]
    assert await di.nject(asked) is orders
    assert await di.nject(list[Repo[Order]]) == [orders]


async def test_an_object_made_with_arguments() -> None:
    """It says itself what it is of."""
    orders = Repo[Order]()
    with context.child() as layer:
        layer.add(orders)
        for _ in range(2):
            assert await di.nject(Repo[Order]) is orders
        with pytest.raises(di.ResolveError):
            await di.nject(Repo[User])
        with context.child() as inner:
            users = inner.add(Repo[User]())
            assert await di.nject(Repo[User]) is users


async def test_what_is_kept_must_not_hold_what_ends_before() -> None:
    """A component of a request is not for the stage."""

    def make(repo: Repo[Order]) -> Service:
        return Service(repo, Repo())

    di.register(make, scope="stage")
    with context.child(), context.child() as layer:
        layer.add(Orders())
        with pytest.raises(di.ScopeError):
            await di.nject(Service)
