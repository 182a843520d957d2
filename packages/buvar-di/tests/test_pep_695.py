"""Classes, functions and aliases with type parameters of their own."""

from __future__ import annotations

import sys
import typing as t

import pytest

from buvar import context
from buvar import di


pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="the syntax is of Python 3.12"
)


class User: ...


class Order: ...


class Admin(User): ...


#: Older Pythons cannot parse it.
SOURCE = """
type People = list[User]
type Person = User
type Maybe = Person | None
type Pair[T] = tuple[T, T]
type Tree = dict[str, Tree]
type Chief = t.Annotated[User, di.Named("chief")]
type Missing = Nowhere

class Box[T]:
    def __init__(self, item: T):
        self.item = item

class Strings[T]:
    def __init__(self, item: "T", box: "Box[T]"):
        self.parts = (item, box)

    @classmethod
    def make[S](cls: "type[S]") -> "S":
        return cls(1, 2)

class Users[T: User](Box[T]): ...

class Chest(Box[list[Order]]): ...

def pack[T](box: Box[T]) -> list[T]:
    return [box.item]

class Maker:
    def pair[T](self, one: T) -> Pair[T]:
        return (one, one)

    async def build[T: User](self, kind: type[T]) -> T:
        return kind()

def takes(people: People, one: list[Person], maybe: Maybe) -> Order:
    return (people, one, maybe)

def chief(it: Chief) -> Order:
    return it

def tree() -> Tree:
    return {}

def missing(it: Missing) -> Order: ...
"""


@pytest.fixture
def made() -> t.Any:
    names: dict[str, t.Any] = {
        "User": User,
        "Order": Order,
        "di": di,
        "t": t,
        "__name__": __name__,
    }
    exec(compile(SOURCE, "pep_695.py", "exec", dont_inherit=True), names)  # noqa: S102
    return type("Made", (), names)


async def test_classes_and_functions(made: t.Any) -> None:
    """What their parameters stand for follows from what is asked for."""
    di.register(made.Box, made.pack, User)
    assert type((await di.nject(made.Box[User])).item) is User
    assert type((await di.nject(made.People))[0]) is User
    assert type((await di.nject(list[made.Person]))[0]) is User
    di.register(made.Box[Order], Order)
    assert type((await di.nject(made.Box[Order])).item) is Order


async def test_classes_that_inherit(made: t.Any) -> None:
    """Bounds and arguments of bases are those that were written."""
    di.register(made.Users, made.Chest, User, Admin, made.pack)
    assert type(await di.nject(made.Box[Admin])) is made.Users
    chest = await di.nject(made.Box[list[Order]], item=[])
    assert type(chest) is made.Chest
    with pytest.raises(di.ResolveError):
        await di.nject(made.Box[Order])


async def test_strings(made: t.Any) -> None:
    """Type parameters are known to annotations that are strings."""
    di.register(made.Strings, made.Box, User)
    item, box = (await di.nject(made.Strings[User])).parts
    assert type(item) is User
    assert box.item is item
    di.register(made.Strings.make)
    assert (await di.nject(made.Strings)).parts == (1, 2)


async def test_methods(made: t.Any) -> None:
    """A bound method may be generic, and a factory."""
    di.register(made.Maker().pair, made.Maker().build)
    assert type(await di.nject(Admin)) is Admin
    one, other = await di.nject(made.Pair[User])
    assert type(one) is User
    assert other is one
    assert len(await di.nject(tuple[User, User])) == 2


async def test_aliases(made: t.Any) -> None:
    """They are what they stand for, wherever they are written."""
    users = [User()]

    def people() -> list[User]:
        return users

    takes = t.cast("t.Any", made.takes)
    di.register(takes, provides=tuple)
    di.register(people, made.chief, made.tree)
    got = await di.nject(tuple, maybe=None)
    assert got == (users, users, None)
    assert await di.nject(made.Tree) == {}
    boss = context.add(Order(), User, name="chief")
    assert await di.nject(Order) is boss


async def test_an_alias_of_what_is_not_defined(made: t.Any) -> None:
    """It is evaluated late, and the error names it."""
    di.register(made.missing)
    with pytest.raises(di.ResolveError, match=r"'Missing': .*Nowhere"):
        await di.nject(Order)
