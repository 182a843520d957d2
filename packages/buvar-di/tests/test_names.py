"""What the names in annotations may mean, and what is said of the others."""

from __future__ import annotations

import dataclasses
import sys
import textwrap
import types
import typing as t

import pytest

from buvar import di


T = t.TypeVar("T")


class Item: ...


class Holder:
    """Annotations here mean the classes written in the class."""

    class Part: ...

    class Item: ...

    def __init__(self, part: Part, item: Item) -> None:
        self.parts = (part, item)

    @classmethod
    def made(cls, part: Part, item: Item) -> Holder:
        return cls(part, item)

    @staticmethod
    def make(part: Part, item: Item) -> list[Holder]:
        return [Holder(part, item)]

    def again(self, part: Part, item: Item) -> set[Holder]:
        return {Holder(part, item)}


class Upper(Holder):
    class Item: ...


class Generic(t.Generic[T]):
    class Part: ...

    def __init__(self, part: Part, one: T) -> None:
        self.parts = (part, one)


@pytest.mark.parametrize("cls", [Holder, Upper])
async def test_classes_written_in_a_class(cls: type[Holder]) -> None:
    """As the compiler has it: the body of the class comes first."""
    di.register(cls, Holder.Part, Holder.Item, Upper.Item, Item)
    made = await di.nject(cls)
    assert [type(one) for one in made.parts] == [Holder.Part, Holder.Item]


async def test_classes_written_in_a_generic_class() -> None:
    """They are seen from a type with arguments as well."""
    di.register(Generic[Item], Item, Generic.Part)
    made = await di.nject(Generic[Item])
    assert [type(one) for one in made.parts] == [Generic.Part, Item]


async def test_methods_see_the_classes_of_their_class() -> None:
    """Class methods, static methods and bound ones do as well."""
    holder = Holder(Holder.Part(), Holder.Item())
    di.register(Holder.made, Holder.make, holder.again)
    di.register(Holder.Part, Holder.Item, Item)
    made = [
        await di.nject(Holder),
        *await di.nject(list[Holder]),
        *await di.nject(set[Holder]),
    ]
    for one in made:
        assert [type(part) for part in one.parts] == [
            Holder.Part,
            Holder.Item,
        ]


async def test_fields_of_a_base_in_another_module() -> None:
    """Generated constructors take names from where the fields were written."""
    made = module(
        """
        from __future__ import annotations
        import dataclasses
        class Part: ...
        @dataclasses.dataclass
        class Base:
            class Inner: ...
            part: Part
            inner: Inner
        """
    )

    @dataclasses.dataclass
    class Mine(made.Base):  # type: ignore[misc,name-defined]
        item: Item

    di.register(Mine, Item, made.Part, made.Base.Inner)
    mine = await di.nject(Mine)
    assert type(mine.part) is made.Part
    assert type(mine.inner) is made.Base.Inner


async def test_what_another_function_made() -> None:
    """A closure knows names that the registering frame does not."""

    def outer() -> tuple[t.Any, t.Any]:
        class Local: ...

        def make(local: Local) -> Item:
            assert type(local) is Local
            return Item()

        return Local, make

    di.register(*outer())
    assert type(await di.nject(Item)) is Item


async def test_names_of_the_frames_above() -> None:
    """A helper may register what is local to its caller."""

    class Local: ...

    def make(local: Local) -> Item:
        return Item()

    def nested() -> None:
        def helper(*what: t.Any) -> None:
            di.register(*what)

        helper(make, Local)

    nested()
    assert type(await di.nject(Item)) is Item


async def test_a_local_name_that_is_there_too_late() -> None:
    """The frame is not kept, so the hint says when it has to be there."""

    def make(late: Late) -> Item:
        raise AssertionError

    di.register(make)

    class Late: ...

    with pytest.raises(di.ResolveError, match="Late is not defined") as error:
        await di.nject(Item)
    (hint,) = error.value.hints
    assert hint.startswith("correct the annotation of make; what is local")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Item[", "expression"),
        ("1 / 0", "division by zero"),
        ("t.Nothing", "has no attribute"),
        ("3()", "not callable"),
    ],
)
@pytest.mark.filterwarnings("ignore:'int' object is not callable")
async def test_annotations_that_cannot_be_evaluated(
    text: str, reason: str
) -> None:
    """The reason is shown, whatever it is."""

    def make(it: t.Any) -> Item:
        raise AssertionError

    make.__annotations__["it"] = text
    di.register(make)
    with pytest.raises(di.ResolveError, match=reason) as caught:
        await di.nject(Item)
    assert f"annotation {text!r}" in str(caught.value)


async def test_a_string_within_an_annotation() -> None:
    """list["Item"] is evaluated too, and an error shows it all."""

    def make() -> t.Any:
        return [Item()]

    make.__annotations__["return"] = list["Item"]
    di.register(make)
    assert type((await di.nject(list[Item]))[0]) is Item
    make.__annotations__["return"] = t.List["Nowhere"]  # type: ignore[name-defined] # noqa: F821,UP006
    di.register(make, replace=True)
    with pytest.raises(di.CheckError, match=r"List\[ForwardRef\('Nowhere'"):
        di.check()


async def test_provides_may_be_a_forward_reference() -> None:
    """It means what an annotation means."""
    di.register(Item, provides="list[Item]")
    with pytest.raises(di.ResolveError):
        await di.nject(Item)
    assert di.buvar_adapters.get().find(list[Item])


def test_an_adapter_shows_what_it_returns() -> None:
    """As long as that is not defined there is a question mark."""

    def make() -> Nowhere:  # type: ignore[name-defined] # noqa: F821
        raise AssertionError

    def users() -> list[Item]:
        raise AssertionError

    di.register(users, scope="layer")
    di.register(make)
    adapters = di.buvar_adapters.get()
    assert repr(adapters.adapters[0]) == (
        "<Adapter users -> list[Item], scope='layer'>"
    )
    assert repr(adapters.pending[0]) == "<Adapter make -> ?, scope='call'>"


def test_what_turns_out_to_say_nothing() -> None:
    """A return type that is defined later may still be none."""
    made = module(
        """
        from __future__ import annotations
        def make() -> Later: ...
        """
    )
    di.register(made.make)
    made.Later = t.Any
    with pytest.raises(di.CheckError, match="does not say what it returns"):
        di.check()
    assert "make -> ?" in repr(di.buvar_adapters.get().pending[0])


# --- TYPE_CHECKING --------------------------------------------------------


def module(source: str, *, shown: bool = True) -> t.Any:
    """Make a module of source that tracebacks and inspect may show."""
    import linecache

    made = types.ModuleType(f"made_{len(sys.modules)}")
    path = f"{made.__name__}.py"
    source = textwrap.dedent(source)
    if shown:
        lines = source.splitlines(keepends=True)
        linecache.cache[path] = (len(source), None, lines, path)
        made.__file__ = path
    sys.modules[made.__name__] = made
    exec(compile(source, path, "exec"), vars(made))  # noqa: S102
    return made


@pytest.fixture(autouse=True)
def forget_modules() -> t.Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("made_"):
            del sys.modules[name]


HIDDEN = """
    from __future__ import annotations
    import typing
    if typing.TYPE_CHECKING:
        from decimal import Decimal
        import fractions as f
        Alias = int
    else:
        Other = int
    if 3 > 2:
        Third = int
    class Made: ...
    def make(number: {}) -> Made: ...
"""


@pytest.mark.parametrize("name", ["Decimal", "f.Fraction"])
async def test_names_imported_for_type_checkers_only(name: str) -> None:
    """They are named as such, with the cure."""
    made = module(HIDDEN.format(name))
    di.register(made.make)
    first = name.partition(".")[0]
    with pytest.raises(
        di.ResolveError, match=f"{first} is imported under TYPE_CHECKING only"
    ) as caught:
        await di.nject(made.Made)
    assert str(caught.value).endswith("Hint: correct the annotation of make")


@pytest.mark.parametrize("shown", [True, False])
async def test_other_names_are_looked_for_among_those_there_are(
    shown: bool,
) -> None:
    """Source is read where there is some."""
    made = module(HIDDEN.format("Mode"), shown=shown)
    di.register(made.make)
    with pytest.raises(di.ResolveError, match=r"did you mean Made\?"):
        await di.nject(made.Made)
