"""Types that are the same, however they are written."""

from __future__ import annotations

import asyncio
import collections.abc
import itertools
import re
import subprocess
import sys
import types
import typing as t

import pytest

from buvar import context
from buvar import di


T = t.TypeVar("T")


class Base: ...


class User: ...


class Box(t.Generic[T]):
    def __init__(self, item: T, number: int = 0) -> None:
        self.item = item
        self.number = number


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


#: Each row is one type.
SAME: t.Final[tuple[tuple[t.Any, ...], ...]] = (
    (t.List[User], list[User]),  # noqa: UP006 - that it is the same
    (t.Type[User], type[User]),  # noqa: UP006
    (t.Pattern[str], re.Pattern[str]),
    (t.Dict[str, None], dict[str, None]),  # noqa: UP006
    (t.Callable[[], None], collections.abc.Callable[[], None]),
    (t.Callable[..., User], collections.abc.Callable[..., User]),
    (
        t.Callable[[t.List[int]], t.Awaitable[None]],  # noqa: UP006
        t.Callable[[list[int]], t.Awaitable[None]],
        t.Callable[[list[int]], collections.abc.Awaitable[None]],
        collections.abc.Callable[[list[int]], collections.abc.Awaitable[None]],
    ),
    (asyncio.Queue[None],),
)


@pytest.mark.parametrize(
    ("added", "asked"),
    [pair for row in SAME for pair in itertools.product(row, row)],
)
async def test_components_however_spelled(added: t.Any, asked: t.Any) -> None:
    """What was added as a type is found as it, also in a collection."""
    with pytest.raises(di.ResolveError):
        await di.nject(asked)
    item = context.add(object(), added)
    assert await di.nject(asked) is item
    assert await di.nject(list[asked]) == [item]
    with context.child():
        other = context.add(object(), asked, name="other")
        named = t.Annotated[asked, di.Named("other")]
        assert await di.nject(t.cast("t.Any", named)) is other
        nearer = context.add(object(), asked)
        assert await di.nject(added) is nearer
    assert await di.nject(added) is item


@pytest.mark.parametrize(
    ("returns", "asked"),
    [
        (collections.abc.Callable[[], None], t.Callable[[], None]),
        (t.Callable[[], None], collections.abc.Callable[[], None]),
    ],
)
async def test_none_however_spelled(returns: t.Any, asked: t.Any) -> None:
    """None as an argument is its class, as typing has it."""

    def make() -> t.Any:
        return print

    make.__annotations__["return"] = returns
    di.register(make)
    assert await di.nject(asked) is print


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
        return types.GenericAlias(t.cast("t.Any", self), args)


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


LATE = """
import asyncio, re
from buvar import context, di
import typing
context.add(re.compile("a"), typing.Pattern[str])
print(asyncio.run(di.nject(re.Pattern[str])).pattern)
"""


def test_names_that_typing_makes_when_asked() -> None:
    """A type is known by both names although nobody asked for one before."""
    done = subprocess.run(
        [sys.executable, "-c", LATE],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.stdout, done.stderr) == ("a\n", "")
