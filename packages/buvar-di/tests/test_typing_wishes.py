"""
What users of injection ask type checkers for, a line each.

Each is a wish from the tracker of a library such as dishka, injector, svcs,
wireup, lagom or python-inject; docs/explanation/typing.md lists them.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import abc
import collections.abc
import typing as t

import pytest

from buvar import context
from buvar import di
from buvar.components import Components


pytestmark = pytest.mark.asyncio

T = t.TypeVar("T")


class Sender(t.Protocol):
    def send(self) -> str: ...


class Mail:
    def send(self) -> str:
        return "mail"


class Store(abc.ABC):
    @abc.abstractmethod
    def get(self) -> int: ...


class Memory(Store):
    def get(self) -> int:
        return 1


class Box(t.Generic[T]):
    def __init__(self, item: T) -> None:
        self.item = item


UserId = t.NewType("UserId", int)
Main = t.Annotated[Memory, di.Named("main")]
MaybeStore: t.TypeAlias = t.Optional[Store]  # noqa: UP045 - as some do
Stores: t.TypeAlias = list[Store]
Show: t.TypeAlias = collections.abc.Callable[[int], str]


async def test_protocols() -> None:
    """The most frequent wish: a protocol is found as itself."""
    context.add(Mail(), Sender)
    t.assert_type(context.get(Sender), Sender)
    t.assert_type(context.get(Sender, default=None), Sender | None)
    t.assert_type(context.find(Sender), dict[t.Hashable, Sender])
    t.assert_type(await di.nject(Sender), Sender)
    stack = Components()
    stack.add(Mail(), Sender)
    t.assert_type(stack.get(Sender), Sender)
    t.assert_type(stack.get(Sender, default=1), Sender | int)
    t.assert_type(stack.find(Sender), dict[t.Hashable, Sender])


async def test_abstract_classes() -> None:
    """What is abstract is found as itself, with no method of its own."""
    context.add(Memory())
    t.assert_type(context.get(Store), Store)
    t.assert_type(context.get(Store, default=None), Store | None)
    t.assert_type(context.find(Store), dict[t.Hashable, Store])
    t.assert_type(await di.nject(Store), Store)


async def test_new_types() -> None:
    """A ``NewType`` is none of what it is made of."""
    context.add(UserId(7), UserId)
    t.assert_type(context.get(UserId), UserId)
    t.assert_type(context.find(UserId), dict[t.Hashable, UserId])
    t.assert_type(await di.nject(UserId), UserId)


async def test_annotated() -> None:
    """What is annotated is of the type in it."""
    context.add(Memory(), name="main")
    t.assert_type(await di.nject(Main), Memory)
    t.assert_type(await di.nject(t.Annotated[Store, di.Named("main")]), Store)
    context.add(1, Main)
    t.assert_type(context.get(Main), Memory)


async def test_optional_and_unions() -> None:
    """``X | None`` may be ``None``; a union is one of its members."""
    context.add(Memory())
    t.assert_type(await di.nject(Store | None), Store | None)
    t.assert_type(await di.nject(MaybeStore), Store | None)
    t.assert_type(await di.nject(Memory | Mail), Memory | Mail)


async def test_generic_aliases() -> None:
    """Arguments of a type are known."""
    context.add(Box(1), Box[int])

    def show(number: int) -> str:
        return str(number)

    context.add(show, Show)
    t.assert_type(context.get(Box[int]), Box[int])
    t.assert_type(context.get(Box[int]).item, int)
    t.assert_type((await di.nject(Box[int])).item, int)
    t.assert_type(context.get(Show)(1), str)


async def test_collections() -> None:
    """All there is of a protocol or an abstract class."""
    di.register(Memory)
    t.assert_type(await di.nject(list[Store]), list[Store])
    t.assert_type(await di.nject(Stores), list[Store])
    t.assert_type(await di.nject(tuple[Store, ...]), tuple[Store, ...])
    t.assert_type(await di.nject(dict[str, Store]), dict[str, Store])


async def test_literals() -> None:
    """A literal type is a target too."""
    context.add("b", t.Literal["a", "b"])
    found = t.assert_type(
        context.get(t.Literal["a", "b"]), t.Literal["a", "b"]
    )
    assert found == "b"


async def test_several_at_once() -> None:
    """Each has its own type, whatever kind it is of."""
    context.add(Mail(), Sender)
    context.add(UserId(7), UserId)
    di.register(Memory)
    sender, store, user, maybe, stores = await di.nject(
        Sender, Store, UserId, Memory | None, list[Store]
    )
    t.assert_type(sender, Sender)
    t.assert_type(store, Store)
    t.assert_type(user, UserId)
    t.assert_type(maybe, Memory | None)
    t.assert_type(stores, list[Store])


async def test_what_is_no_type() -> None:
    """Other namespaces hold anything; injection has none."""
    context.add(1, "number")
    t.assert_type(context.get("number"), t.Any)
    with pytest.raises(di.ResolveError):
        await di.nject(1)  # type: ignore[call-overload]


async def test_registering_keeps_the_type() -> None:
    """A decorator is typed: what it decorates stays callable as it was."""

    @di.register(provides=Store)
    def make(number: int = 1) -> Memory:
        return Memory()

    @di.register
    class Local(Memory):
        def __init__(self, *, size: int = 1) -> None:
            self.size = size

    @di.decorate
    async def around(inner: Store) -> Store:
        return inner

    t.assert_type(make(2), Memory)
    t.assert_type(Local(size=1).size, int)
    t.assert_type(await around(Memory()), Store)
    make("a")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Local(siez=1)  # type: ignore[call-arg]


async def test_a_condition_is_a_function() -> None:
    """What cannot be called is no condition."""
    with pytest.raises(di.RegisterError):
        di.register(Memory, when=True)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="scope"):
        di.register(Memory, scope="request")  # type: ignore[call-overload]


async def test_an_injected_function() -> None:
    """It returns what it did, and any argument may be left out."""

    @di.inject
    async def handler(number: int, store: Store) -> str:
        return f"{number} {store.get()}"

    di.register(Memory)
    t.assert_type(await handler(1), str)
    t.assert_type(await handler(number=1), str)
    t.assert_type(await handler(1, Memory()), str)
    with pytest.raises(AttributeError):
        (await handler(1)).nothing  # type: ignore[attr-defined]  # noqa: B018
