"""What the last lines of an error suggest is what helps."""

from __future__ import annotations

import abc
import typing as t

import pytest

from buvar import context
from buvar import di


T = t.TypeVar("T")


class Item: ...


class Dear:
    def __init__(self, item: Item) -> None:
        self.item = item


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self) -> int: ...


class Speaker(t.Protocol):
    def speak(self) -> str: ...


async def check(*targets: t.Any) -> None:
    """Check as nject is called."""
    di.check(*targets)


async def fails(target: t.Any, **keywords: t.Any) -> di.ResolveError:
    with pytest.raises(di.ResolveError) as caught:
        await di.nject(target, **keywords)
    assert str(caught.value).splitlines()[-1].startswith("Hint: ")
    return caught.value


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        (Item, "register it with di.register(Item), or something that"),
        (Shape, "register what implements Shape;"),
        (Speaker, "register what implements Speaker;"),
        (int, "register something that returns int;"),
        (list[Item], "register or add something of type Item, or give"),
        (Item | Dear, "register something that returns Item or Dear;"),
        (t.Literal["a"], "register something that returns Literal['a'];"),
        ("Item", "ask for a type itself, not for its name"),
        (Item(), "not for its name or an object of it"),
        (t.Any, "a target has to be a type"),
        (None, "a target has to be a type"),
    ],
)
async def test_what_to_do_about_a_missing_type(
    target: t.Any, hint: str
) -> None:
    """A class is to be registered, others by what returns them."""
    assert hint in (await fails(target)).hints[-1]


async def test_a_keyword_of_another_type() -> None:
    """It has the right name, so it is what was meant."""
    di.register(Dear)
    error = await fails(Dear, item="text")
    assert error.hints[0] == "the keyword item is of str, not of Item"


async def test_each_way_that_ends_has_a_cure() -> None:
    """To mend one of them is enough, so each is named, up to three."""

    def unread(it: Nowhere) -> Dear:  # type: ignore[name-defined] # noqa: F821
        raise AssertionError

    def first(number: int) -> Dear:
        raise AssertionError

    def second(text: str, number: int) -> Dear:
        raise AssertionError

    def deep(item: Item) -> Dear:
        raise AssertionError

    def third(data: bytes) -> Item:
        raise AssertionError

    di.register(unread, first, second, third, deep)
    error = await fails(Dear)
    assert [one.partition(";")[0] for one in error.hints] == [
        "register something that returns bytes",
        "register something that returns str",
        "register something that returns int",
    ]

    def needs(other: Dear | None) -> Item:
        raise AssertionError

    di.register(unread, needs, replace=True)
    error = await fails(Item)
    assert "correct the annotation of unread" in str(error)


async def test_what_a_type_variable_stands_for_is_shown() -> None:
    """The type that was asked for, not the one that was written."""

    def wrap(item: T) -> list[T]:
        raise AssertionError

    di.register(wrap)
    error = await fails(list[Item], item="text")
    assert "- wrap needs item: Item  [" in str(error)
    assert error.hints[0] == "the keyword item is of str, not of Item"


async def test_a_component_of_another_name() -> None:
    """What is there instead is named."""
    context.add(Item(), name="spare")
    di.register(Dear)
    error = await fails(Dear)
    assert error.hints[0] == "there is one named 'spare'"
    error = await fails(t.Annotated[Item, di.Named("spore")])
    assert "no keyword and no component Item named 'spore'" in str(error)
    assert error.hints[-1] == "add it: context.add(item, name='spore')"
    assert "spare" in error.hints[0]


async def test_a_component_of_a_subclass() -> None:
    """Added under a discriminator it is not found by its base."""

    class Special(Item): ...

    context.add(Special(), Special)
    error = await fails(Item)
    assert "Special is a subclass of it" in error.hints[0]


async def test_an_adapter_whose_return_type_is_not_there() -> None:
    """It may be the one that was meant, so it is named."""

    def make() -> Nowhere:  # type: ignore[name-defined] # noqa: F821
        raise AssertionError

    di.register(make, Dear)
    error = await fails(Dear)
    assert error.hints[0].startswith("make (")
    assert "Nowhere is not defined" in error.hints[0]


async def test_parameters_without_a_type() -> None:
    """They are passed by name, or annotated."""

    def make(anything, *, default=3) -> Item:  # type: ignore[no-untyped-def]
        assert default == 3
        return Item()

    di.register(make)
    error = await fails(Item, other=1)
    assert "- make needs anything  [" in str(error)
    assert error.hints[-1].startswith("annotate the parameter")
    assert type(await di.nject(Item, anything=1)) is Item


async def test_who_needs_what_a_function_lacks() -> None:
    """An injected function and its parameter are named."""

    @di.inject
    async def handler(dear: Dear, anything=None) -> None: ...  # type: ignore[no-untyped-def]

    with pytest.raises(di.ResolveError) as caught:
        await handler()
    first, *_ = str(caught.value).splitlines()
    assert first == "handler needs dear: Dear, which cannot be resolved:"


@pytest.mark.parametrize("ask", [di.nject, check])
async def test_what_is_no_target(ask: t.Any) -> None:
    """A list of targets is not several of them, nothing else is hashed."""
    for wrong, hint in (
        ([Item, Dear], "several targets are arguments: di.nject(Item, Dear)"),
        ({"a": 1}, "ask for a type"),
    ):
        with pytest.raises(di.ResolveError) as caught:
            await ask(Item, wrong)
        assert caught.value.hints == (hint,)


async def test_a_keyword_whose_class_cannot_be_hashed() -> None:
    """That is no matter of targets: the error is Python's own."""

    class Meta(type):
        __hash__ = None  # type: ignore[assignment]

    class Odd(metaclass=Meta): ...

    with pytest.raises(TypeError, match="unhashable type: 'Meta'"):
        await di.nject(Item, odd=Odd())


async def test_where_an_adapter_was_written() -> None:
    """Each kind has a name and, if there is source, a file and a line."""
    import functools

    class Maker:
        def __call__(self, missing: int) -> Item:
            raise AssertionError

    def make(number: int, missing: str) -> Item:
        raise AssertionError

    class Box(t.Generic[t.TypeVar("T")]):  # type: ignore[misc]
        def __init__(self, missing: bytes) -> None: ...

    di.register(Maker(), functools.partial(make, 7))
    di.register(Box[int], provides=Item)
    di.register(int.from_bytes, provides=Item)
    lines = str(await fails(Item)).splitlines()
    found = [line for line in lines if line.startswith("- ")]
    assert [line.partition("  [")[0] for line in found] == [
        "- int.from_bytes needs bytes",
        "- Box[int] needs missing: bytes",
        "- partial(make) needs missing: str",
        "- Maker.__call__ needs missing: int",
    ]
    assert found[0].endswith("[source unknown]")
    assert all("test_hints.py:" in line for line in found[1:])


class Shelf(t.Generic[T]): ...


async def test_a_component_without_the_arguments_that_are_asked_for() -> None:
    """It is named, with the way to say what it is of."""
    with context.child() as layer:
        shelf = layer.add(Shelf())
        error = await fails(Shelf[int])
        assert error.hints[0] == (
            "there is a component Shelf, which does not say that it is a "
            "Shelf[int]: context.add(item, Shelf[int]) does"
        )
        layer.add(shelf, Shelf[int])
        assert await di.nject(Shelf[int]) is shelf


async def test_an_adapter_of_the_bare_generic_class() -> None:
    """It is named, with the way to say what it provides."""

    def make() -> Shelf:  # type: ignore[type-arg]
        return Shelf()

    di.register(make)
    error = await fails(Shelf[int])
    assert error.hints[0] == (
        "there is an adapter for Shelf: make; "
        "register it with provides=Shelf[int]"
    )
    di.register(make, provides=Shelf[int])
    assert type(await di.nject(Shelf[int])) is Shelf


class Animal:
    @classmethod
    def named(cls) -> Animal:
        return cls()

    @classmethod
    def proper(cls) -> t.Self:
        return cls()


class Dog(Animal): ...


async def test_a_classmethod_that_says_its_class_in_place_of_self() -> None:
    """The hint says what would have it build the subclass."""
    di.register(Animal.named)
    error = await fails(Dog)
    assert error.hints[0].endswith("'-> Self' to have it build Dog")
    assert not any("Self" in one for one in (await fails(Item)).hints)
    di.register(Animal.proper)
    assert type(await di.nject(Dog)) is Dog


class Ints(Shelf[int]): ...


async def test_a_component_with_other_arguments() -> None:
    """A component that says what it is of is not said to leave it open."""
    context.add(Ints())
    error = await fails(Shelf[str])
    assert error.hints[0] == "there is a component Ints, which is a Shelf[int]"
    assert not any("does not say" in one for one in error.hints)
