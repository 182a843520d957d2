"""All that can be registered, and how its types are found."""

from __future__ import annotations

import abc
import dataclasses
import functools
import typing as t

import pytest

from buvar import di


T = t.TypeVar("T")
U = t.TypeVar("U", bound="Base")


class Base:
    @classmethod
    def make(cls, text: str) -> t.Self:
        made = cls()
        made.text = text
        return made

    text = ""


class Derived(Base): ...


class Selfish:
    @classmethod
    async def make(cls) -> t.Self:
        return cls()


class Greedy(Selfish): ...


class Repo(t.Generic[T]):
    def __init__(self, item: T) -> None:
        self.item = item


class User: ...


class Order: ...


class UserRepo(Repo[User]): ...


class Speaker(t.Protocol):
    def speak(self) -> str: ...


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self) -> int: ...


class Dog:
    def speak(self) -> str:
        return "wuff"


UserId = t.NewType("UserId", int)


@dataclasses.dataclass(frozen=True)
class Data:
    user: User
    count: int = 3
    inner: list[int] = dataclasses.field(default_factory=list)


class Tuple(t.NamedTuple):
    user: User
    number: int = 4


async def test_generic_classmethods_build_the_class_asked_for() -> None:
    """type[T] -> T and Self stand for the class that is asked for."""
    di.register(Base.make, Selfish.make)
    assert type(await di.nject(Derived, text="x")) is Derived
    assert type(await di.nject(Base, text="x")) is Base
    assert type(await di.nject(Greedy)) is Greedy
    assert type(await di.nject(Selfish)) is Selfish


async def test_dataclasses_and_named_tuples() -> None:
    """Generated constructors are read as written ones are."""
    di.register(Data, Tuple, User)
    data = await di.nject(Data)
    assert (type(data.user), data.count, data.inner) == (User, 3, [])
    assert (await di.nject(Tuple)).number == 4


async def test_attrs_classes() -> None:
    """Classes made by attrs are read too."""
    attr = pytest.importorskip("attr")

    @attr.s(auto_attribs=True)
    class Attrs:
        user: User
        count: int = 5

    di.register(Attrs, User)
    assert type((await di.nject(Attrs)).user) is User


async def test_partials_static_methods_and_callables() -> None:
    """What is bound already is not asked for."""

    class Maker:
        @staticmethod
        def static(user: User) -> Order:
            return Order()

        def bound(self, user: User) -> Dog:
            return Dog()

        def __call__(self, user: User) -> Base:
            return Base()

    def make(user: User, number: int) -> Data:
        return Data(user, number)

    di.register(User, Maker.static, Maker().bound, Maker())
    di.register(functools.partial(make, number=7))
    assert type(await di.nject(Order)) is Order
    assert type(await di.nject(Dog)) is Dog
    assert type(await di.nject(Base)) is Base
    assert (await di.nject(Data)).count == 7
    di.register(functools.partial(Repo, 5))
    assert (await di.nject(Repo)).item == 5
    assert "partial" in repr(di.buvar_adapters.get())


async def test_positional_only_keyword_only_and_variadic() -> None:
    """Each kind of parameter is passed the way it has to be."""

    def make(
        user: User,
        /,
        order: Order | None = None,
        *args: int,
        dog: Dog,
        **kw: int,
    ) -> Tuple:
        assert isinstance(dog, Dog)
        assert (args, kw) == ((), {})
        return Tuple(user, 1 if order is None else 2)

    di.register(make, User, Dog)
    assert (await di.nject(Tuple)).number == 1
    di.register(Order)
    assert (await di.nject(Tuple)).number == 2


async def test_aliases_and_generics_are_told_apart() -> None:
    """list[User] is not list[Order], a subclass of Repo[User] is one."""

    def users() -> list[User]:
        return [User()]

    def orders() -> t.List[Order]:  # noqa: UP006
        return [Order()]

    di.register(users, orders, UserRepo, User)
    assert type((await di.nject(list[User]))[0]) is User
    assert type((await di.nject(list[Order]))[0]) is Order
    assert type(await di.nject(Repo[User])) is UserRepo
    with pytest.raises(di.ResolveError, match=r"adapter for list\[User\]"):
        await di.nject(list[Dog])


async def test_generic_classes_and_functions() -> None:
    """What is generic is made concrete by what is asked for."""

    def wrap(kind: type[T], item: T) -> list[T]:
        assert isinstance(item, kind)
        return [item]

    di.register(Repo, wrap, User, Order)
    assert type((await di.nject(Repo[User])).item) is User
    assert type((await di.nject(Repo[Order])).item) is Order
    assert type((await di.nject(list[Order]))[0]) is Order


async def test_new_types_protocols_and_abstract_classes() -> None:
    """They are found where an implementation says it returns them."""

    def user_id() -> UserId:
        return UserId(7)

    def speaker() -> Speaker:
        return Dog()

    class Square:
        def area(self) -> int:
            return 1

    di.register(user_id, speaker)
    assert await di.nject(UserId) == 7
    assert (await di.nject(Speaker)).speak() == "wuff"  # type: ignore[type-abstract]
    with pytest.raises(di.ResolveError):
        await di.nject(int)
    Shape.register(Square)
    di.register(Square)
    assert type(await di.nject(Shape)) is Square  # type: ignore[type-abstract]
    di.register(Dog, provides=Speaker)
    assert type(await di.nject(Speaker)) is Dog  # type: ignore[type-abstract]


async def test_union_members() -> None:
    """A union asks for its members in turn, a return type offers each."""

    def either() -> User | Order:
        return Order()

    def holds(it: Dog | Order) -> Tuple:
        assert isinstance(it, Order)
        return Tuple(User())

    di.register(either, holds)
    assert isinstance(await di.nject(Order), Order)
    assert isinstance(await di.nject(Tuple), Tuple)


async def test_awaitables_and_wrapped_functions() -> None:
    """A function that returns an awaitable is awaited."""

    async def later() -> User:
        return User()

    def now() -> t.Awaitable[User]:
        return later()

    @functools.wraps(later)
    def wrapped(*args: t.Any, **kw: t.Any) -> t.Any:
        return later(*args, **kw)

    di.register(now)
    assert type(await di.nject(User)) is User
    di.register(wrapped)
    assert type(await di.nject(User)) is User


async def test_keywords_of_special_types() -> None:
    """Literals, classes and protocols are matched by the value."""

    def make(
        mode: t.Literal["a", "b"], kind: type[Base], speaker: Speaker
    ) -> list[t.Any]:
        return [mode, kind, speaker]

    di.register(make)
    dog = Dog()
    got = await di.nject(list[t.Any], mode="a", kind=Derived, speaker=dog)
    assert got == ["a", Derived, dog]
    with pytest.raises(di.ResolveError):
        await di.nject(list[t.Any], mode="c", kind=Derived, speaker=dog)
    repo = UserRepo(User())

    def take(other: Repo[User], any_of: t.Any = 1) -> Tuple:
        assert other is repo
        assert any_of == 2
        return Tuple(User())

    di.register(take)
    await di.nject(Tuple, repo=repo, any_of=2)
