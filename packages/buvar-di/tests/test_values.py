"""Which keywords are of a type: by their name, and by any other."""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing as t

import pytest

from buvar import di


class Item: ...


class Special(Item): ...


class Speaker(t.Protocol):
    def speak(self) -> str: ...


@t.runtime_checkable
class Singer(t.Protocol):
    def sing(self) -> str: ...


class Bird:
    def sing(self) -> str:
        return "tweet"


class Parrot(Speaker):
    def speak(self) -> str:
        return "hello"


class Options(t.TypedDict):
    size: int


T = t.TypeVar("T")


class Repo(t.Generic[T]): ...


class Items(Repo[Item]): ...


Size = t.NewType("Size", int)
Large = t.NewType("Large", Size)
Sizes = t.NewType("Sizes", list[int])


@dataclasses.dataclass
class Got:
    value: t.Any


def make(annotation: t.Any) -> t.Callable[..., Got]:
    def taking(it: t.Any) -> Got:
        return Got(it)

    taking.__annotations__["it"] = annotation
    return taking


async def takes(annotation: t.Any, **keywords: t.Any) -> bool:
    """Tell whether a parameter gets its value from a keyword."""
    di.register(make(annotation), replace=True)
    try:
        got = await di.nject(Got, **keywords)
    except di.ResolveError:
        return False
    assert got.value in keywords.values()
    return True


@pytest.mark.parametrize(
    ("annotation", "right", "wrong"),
    [
        (Item, Special(), "text"),
        (float, 3, "3"),
        (Size, 3, "3"),
        (Large, 3, "3"),
        (Sizes, [3], 3),
        (t.Literal["a", "b"], "a", "c"),
        (list[Item], [], ()),
        (collections.abc.Callable[[int], str], str, 3),
        (type[Item], Special, int),
        (type[Item | int], int, str),
        (type[t.Any], int, 3),
        (Options, {"size": 3}, 3),
        (Singer, Bird(), "text"),
        (Speaker, Parrot(), "text"),
        (Repo[Item], Repo(), Item()),
        (Item | None, None, 3),
        (None, None, 3),
    ],
)
async def test_by_its_name(
    annotation: t.Any, right: object, wrong: object
) -> None:
    """The name says it is meant, so arguments of types are trusted."""
    assert await takes(annotation, it=right)
    assert not await takes(annotation, it=wrong)


@pytest.mark.parametrize("annotation", [t.Any, t.LiteralString])
async def test_by_its_name_where_nothing_can_be_asked(
    annotation: t.Any,
) -> None:
    """What cannot be told from the value is taken by its name."""
    assert await takes(annotation, it="anything")
    assert not await takes(annotation, other="anything")


@pytest.mark.parametrize(
    ("annotation", "right", "wrong"),
    [
        (Item, Special(), "text"),
        (Singer, Bird(), "text"),
        (Speaker, Parrot(), Bird()),
        (Repo[Item], Items(), Repo()),
        (Repo[Item], Repo[Item](), Repo[int]()),
        (Item | int, 3, "text"),
    ],
)
async def test_by_any_other_name(
    annotation: t.Any, right: object, wrong: object
) -> None:
    """A value has to say by itself that it is of the type."""
    assert await takes(annotation, other=right)
    assert not await takes(annotation, other=wrong)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (float, 3),
        (Size, 3),
        (Options, {"size": 3}),
        (list[Item], []),
        (t.Literal["a"], "a"),
        (Item | None, None),
    ],
)
async def test_not_by_any_other_name(annotation: t.Any, value: object) -> None:
    """What only its name makes one is none under another name."""
    assert await takes(annotation, it=value)
    assert not await takes(annotation, other=value)


async def test_none_for_a_parameter_whose_default_is_none() -> None:
    """Passed by name it is a value: nothing else is looked for."""

    def taking(item: Item = None) -> Got:  # type: ignore[assignment]
        return Got(item)

    di.register(taking, Item)
    assert (await di.nject(Got, item=None)).value is None
    assert type((await di.nject(Got)).value) is Item


async def test_values_only_for_the_constructor() -> None:
    """InitVar is what it holds."""

    @dataclasses.dataclass
    class Data:
        item: dataclasses.InitVar[Item]
        kept: t.Any = None

        def __post_init__(self, item: Item) -> None:
            self.kept = item

    Data.__init__.__annotations__["item"] = dataclasses.InitVar[Item]
    di.register(Data, Special)
    assert type((await di.nject(Data)).kept) is Special


async def test_what_returns_a_typed_dict() -> None:
    """Its values cannot be checked, so they are trusted."""

    def options() -> Options:
        return {"size": 3}

    di.register(options)
    assert await di.nject(Options) == {"size": 3}


async def test_a_protocol_by_the_name_of_the_parameter() -> None:
    """A keyword has the members of the protocol, or is refused."""

    class Named(t.Protocol):
        @property
        def name(self) -> str: ...

    class Lazy:
        @property
        def name(self) -> str:
            raise OSError

    @dataclasses.dataclass
    class Uses:
        value: Named

    di.register(Uses)
    good = types.SimpleNamespace(name="a")
    lazy = Lazy()

    assert (await di.nject(Uses, value=good)).value is good
    assert (await di.nject(Uses, value=lazy)).value is lazy
    with pytest.raises(di.ResolveError, match="value is of Item, not of Name"):
        await di.nject(Uses, value=Item())
    with pytest.raises(di.ResolveError, match="value is the class Item, not"):
        await di.nject(Uses, value=Item)


async def test_a_class_where_another_one_is_wanted() -> None:
    """The error names the class that was given."""

    @dataclasses.dataclass
    class Kind:
        of: type[Item]

    di.register(Kind)

    assert (await di.nject(Kind, of=Special)).of is Special
    with pytest.raises(di.ResolveError, match="of is the class Bird, not of"):
        await di.nject(Kind, of=Bird)
