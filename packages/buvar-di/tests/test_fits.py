"""What a type variable may stand for: what a type checker allows."""

from __future__ import annotations

import abc
import dataclasses
import enum
import sys
import typing as t

import pytest

from buvar import di


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Base: ...


class Derived(Base): ...


class Other: ...


UserId = t.NewType("UserId", int)
AdminId = t.NewType("AdminId", UserId)
T = t.TypeVar("T")
T_co = t.TypeVar("T_co", covariant=True)
T_contra = t.TypeVar("T_contra", contravariant=True)


class Repo(t.Generic[T]): ...


class Source(t.Generic[T_co]): ...


class Sink(t.Generic[T_contra]): ...


class Bases(Repo[Base]): ...


class WithId(t.Protocol):
    id: int

    def save(self) -> None: ...


class Declared:
    id: int

    def save(self) -> None: ...


class Assigned:
    def __init__(self) -> None:
        self.id = 3

    def save(self) -> None: ...


class Prevented(Declared):
    save = None  # type: ignore[assignment]


@dataclasses.dataclass
class Data:
    id: int

    def save(self) -> None: ...


class Unhashable:  # noqa: PLW1641 - as it says
    def __eq__(self, other: object) -> bool:
        return self is other


class Size(t.TypedDict):
    width: int


class Area(Size):
    height: int


class Shape(abc.ABC):  # noqa: B024 - what it needs is a register()
    ...


class Round: ...


Shape.register(Round)


@pytest.mark.parametrize(
    ("bound", "fitting", "others"),
    [
        (int, [int, bool, UserId, AdminId], [str, float, None, Other]),
        (int, [t.Literal[1], t.Literal[1, True]], [t.Literal["a"]]),
        (int, [t.Annotated[int, "x"], t.Any], [t.Annotated[str, "x"]]),
        (UserId, [UserId, AdminId], [int, t.Literal[1]]),
        (float, [float, int, bool], [str, complex]),
        (complex, [float, int, complex], [str]),
        (object, [int, None, Repo[int], t.Literal[1]], []),
        (t.Any, [int, None, Repo[int]], []),
        (str, [t.LiteralString, str], [bytes]),
        (Colour, [Colour, t.Literal[Colour.RED]], [t.Literal["red"], str]),
        (
            t.Literal["a", "b"],
            [t.Literal["a"], t.Literal["b", "a"]],
            [t.Literal["c"], str, t.Literal["a", "c"]],
        ),
        (t.Literal[1], [t.Literal[1]], [t.Literal[True], int]),
        (int | str, [int, str, int | str, str | bool], [float, int | None]),
        (Base | None, [Base, Derived, None, Derived | None], [Other]),
        (Base, [Base, Derived], [Other, Base | None, Base | Other]),
        (Base, [Derived], [type[Base]]),
        (type[Base], [type[Base], type[Derived]], [type[Other], Base]),
        (Repo[Base], [Repo[Base], Bases, Repo], [Repo[Derived], Repo[int]]),
        (Repo[t.Any], [Repo[int], Repo[Base]], [Other]),
        (Repo[T], [Repo[int], Bases], [Other]),
        (Source[Base], [Source[Base], Source[Derived]], [Source[Other]]),
        (Sink[Derived], [Sink[Derived], Sink[Base]], [Sink[Other]]),
        (
            t.Sequence[Base],
            [list[Base], t.Sequence[Derived], tuple[Derived, ...]],
            [set[Base], t.Sequence[Other], list[Other]],
        ),
        (tuple[Base, ...], [tuple[Base, Derived]], [tuple[Base, Other]]),
        (tuple[Base, int], [tuple[Derived, int]], [tuple[Base]]),
        (list[Base], [list[Base], t.List[Base]], [list[Derived]]),  # noqa: UP006
        (WithId, [Declared, Assigned, Data], [Base, Prevented, int]),
        (t.SupportsInt, [int, float], [str, Other]),
        (t.Hashable, [int, Other], [Unhashable, list[int]]),
        (t.Callable[[], int], [t.Callable[[], int]], [int]),
        (Size, [Size, Area], [Base, dict]),
        (Area, [Area], [Size]),
        (Shape, [Round], [Base]),
    ],
)
async def test_bounds(
    bound: t.Any, fitting: list[t.Any], others: list[t.Any]
) -> None:
    """A type fits if an object of it is one of what it is bound to."""
    variable: t.Any = t.TypeVar("variable", bound=bound)  # type: ignore[misc]

    class Box(t.Generic[variable]): ...

    di.register(Box)
    box: t.Any = Box
    for target in fitting:
        assert type(await di.nject(box[target])) is Box, target
    for target in others:
        with pytest.raises(di.ResolveError):
            await di.nject(box[target])


async def test_constraints() -> None:
    """It is one of them exactly, not what is derived from one."""
    variable: t.Any = t.TypeVar("variable", int, t.List[str])  # noqa: UP006

    class Box(t.Generic[variable]): ...

    di.register(Box)
    box: t.Any = Box
    for target in (int, list[str]):
        assert type(await di.nject(box[target])) is Box
    for target in (bool, UserId, t.Literal[1], int | list[str], list[int]):
        with pytest.raises(di.ResolveError):
            await di.nject(box[target])


def test_what_refused_a_bound_is_said() -> None:
    """The hint names the variable, its bound and what does not fit."""
    number = t.TypeVar("number", bound=int)
    either = t.TypeVar("either", int, str)

    def numbers(item: number) -> list[number]:
        raise AssertionError

    def both(item: either) -> set[either]:
        raise AssertionError

    di.register(numbers, both)
    with pytest.raises(di.CheckError) as caught:
        di.check(list[Other], set[float])
    text = str(caught.value)
    assert "numbers does not build list[Other]: number is bound to int" in text
    assert "both does not build set[float]: either is int or str" in text


async def test_a_factory_is_given_what_can_be_called() -> None:
    """A class or a NewType of one, but not the type of literal values."""
    number = t.TypeVar("number", bound=int)

    def make(kind: type[number]) -> number:
        return kind(42)

    class Port(int): ...

    di.register(make)
    assert type(await di.nject(Port)) is Port
    assert await di.nject(UserId) == 42
    for target in (t.Literal[42], str, Other):
        with pytest.raises(di.ResolveError):
            await di.nject(target)


P = t.ParamSpec("P")
Ts = t.TypeVarTuple("Ts")
R = t.TypeVar("R")


class Handler(t.Generic[P, R]): ...


class Task(t.Generic[P]): ...


class Row(t.Generic[T, *Ts]): ...


class Calls:
    def __init__(self, handler: t.Any) -> None:
        self.handler = handler


async def test_parameters_of_functions() -> None:
    """A ParamSpec stands for a list of types."""

    def make(handler: Handler[P, R]) -> Repo[t.Callable[P, list[R]]]:
        return Repo()

    class Ints(Handler[[int, str], R]): ...

    di.register(Ints, Task)
    di.register(make)
    assert type(await di.nject(Task[[int, bytes]])) is Task
    assert type(await di.nject(Task[...])) is Task
    assert type(await di.nject(Handler[[int, str], bool])) is Ints
    assert type(await di.nject(Ints[bool])) is Ints
    with pytest.raises(di.ResolveError):
        await di.nject(Handler[[int], bool])
    wanted = Repo[t.Callable[[int, str], list[bool]]]
    assert type(await di.nject(wanted)) is Repo
    with pytest.raises(di.ResolveError):
        await di.nject(Repo[t.Callable[[int, bytes], list[bool]]])


async def test_what_stands_before_the_rest_of_the_parameters() -> None:
    """Concatenate takes the first ones off."""

    def make(task: Task[P]) -> Repo[t.Callable[t.Concatenate[int, P], None]]:
        return Repo()

    di.register(Task, make)
    for fitting in ([int], [int, str]):
        wanted: t.Any = Repo[t.Callable[fitting, None]]  # type: ignore[misc]
        assert type(await di.nject(wanted)) is Repo
    for other in ([], [str, int]):
        wanted = Repo[t.Callable[other, None]]  # type: ignore[misc]
        with pytest.raises(di.ResolveError):
            await di.nject(wanted)


async def test_any_number_of_types() -> None:
    """A TypeVarTuple stands for those that are left."""

    def make(row: Row[T, *Ts]) -> Repo[tuple[*Ts, T]]:
        return Repo()

    class Ints(Row[int, *Ts]): ...

    di.register(Row, make)
    di.register(Ints)
    assert type(await di.nject(Row[str, int, bytes])) is Row
    assert type(await di.nject(Row[str])) is Row
    assert type(await di.nject(Row[int, bytes])) is Ints
    assert type(await di.nject(Repo[tuple[int, str, bytes]])) is Repo
    with pytest.raises(di.ResolveError):
        await di.nject(Repo[tuple[()]])


async def test_unions_as_arguments() -> None:
    """The order of their members means nothing."""

    def make(one: list[T]) -> Repo[T | None]:
        return Repo()

    def lists(one: Source[T]) -> list[T]:
        return []

    di.register(make, lists, Source)
    for wanted in (Repo[int | None], Repo[None | int], Repo[int | str | None]):
        assert type(await di.nject(wanted)) is Repo
    with pytest.raises(di.ResolveError):
        await di.nject(Repo[int])


@pytest.mark.skipif(
    sys.version_info < (3, 13), reason="defaults came with Python 3.13"
)
async def test_defaults() -> None:
    """A bare generic class means the one of its defaults."""
    names: dict[str, t.Any] = {**globals()}
    exec(  # noqa: S102 - older Pythons cannot parse it
        "class Box[T = Base, U = list[T]]:\n"
        "    def __init__(self, one: T, many: U): self.parts = (one, many)\n"
        "class Sub(Box): ...\n"
        "class Row[*Ts = *tuple[int, str]]:\n"
        "    def __init__(self, row: tuple[*Ts]): self.row = row\n"
        "class Call[**P = [int]]:\n"
        "    def __init__(self, call: t.Callable[P, None]): self.call = call\n"
        "def many() -> list[Base]: return [Base()]\n"
        "def few() -> list[Derived]: return [Derived()]\n"
        "def row() -> tuple[int, str]: return (1, 'a')\n"
        "def call() -> t.Callable[[int], None]: return print\n",
        names,
    )
    box = names["Box"]
    di.register(box, Derived, Base, names["many"], names["few"])
    di.register(names["Row"], names["row"], names["Call"], names["call"])
    bare = await di.nject(box)
    assert type(bare.parts[0]) is Base
    assert type(bare.parts[1][0]) is Base
    derived = await di.nject(box[Derived])
    assert type(derived.parts[0]) is Derived
    assert type(derived.parts[1][0]) is Derived
    assert (await di.nject(names["Row"])).row == (1, "a")
    assert (await di.nject(names["Call"])).call is print
    di.register(names["Sub"], replace=True)
    assert type(await di.nject(box[Base, list[Base]])) is names["Sub"]


class Emitter(abc.ABC, t.Generic[T]):
    @abc.abstractmethod
    def emit(self, event: T) -> None: ...


class Memory(Emitter[T]):
    def emit(self, event: T) -> None: ...


async def test_provides_names_a_bare_generic_class() -> None:
    """What the class inherits from says what its arguments are."""

    class Loud(Emitter[int]):
        def emit(self, event: int) -> None: ...

    def count(emitter: Emitter[Base]) -> int:
        assert type(emitter) is Memory
        return 1

    di.register(Memory, provides=Emitter)
    di.register(count)
    di.check()
    assert await di.nject(int) == 1
    assert type(await di.nject(Emitter)) is Memory
    di.register(Loud, provides=Emitter)
    assert type(await di.nject(Emitter[int])) is Loud
    assert type(await di.nject(Emitter[str])) is Memory


async def test_comparing_is_not_a_member_of_every_object() -> None:
    """What a class inherits from object only refuses to compare."""

    class Ordered(t.Protocol):
        def __lt__(self, other: t.Any, /) -> bool: ...

    O = t.TypeVar("O", bound=Ordered)  # noqa: E741

    class Plain: ...

    class Version:
        def __lt__(self, other: object) -> bool:
            return False

    def make(kind: type[O]) -> O:
        return kind()

    di.register(make)

    assert isinstance(await di.nject(Version), Version)
    assert await di.nject(int) == 0
    with pytest.raises(di.ResolveError):
        await di.nject(Plain)
