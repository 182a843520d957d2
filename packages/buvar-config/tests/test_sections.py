"""Sections belong to one class, as long as that lives."""

from __future__ import annotations

import abc
import dataclasses
import gc
import typing as t
import weakref

import attrs
import pytest

from buvar import config
from buvar import context
from buvar import di


def test_two_classes_for_one_section() -> None:
    """The second class of a section is refused, both are named."""

    class First(config.Config, section="taken"):
        pass

    with pytest.raises(config.ConfigError) as caught:

        class Second(config.Config, section="taken"):
            pass

    assert "First" in str(caught.value)
    assert "Second" in str(caught.value)
    assert caught.value.exit_code == 2


def test_same_class_again() -> None:
    """A class that is defined again takes the place of the older one."""
    for _ in range(2):

        @attrs.define
        class Again(config.Config, section="again"):
            a: int = 1

        assert config.sections()["again"] is Again
        assert not hasattr(Again(), "__dict__")


def test_sections_end_with_their_class() -> None:
    """Nothing keeps a class that was loaded: no list, no cache."""

    @attrs.define
    class Gone(config.Config, section="gone"):
        a: int = 1

    source = config.ConfigSource({"gone": {"a": 2}}, env_prefix="X")
    assert source.load(Gone).a == 2
    assert config.schema(Gone)
    reference = weakref.ref(Gone)

    del Gone
    gc.collect()

    assert reference() is None
    assert "gone" not in config.sections()


def test_subclass_without_section() -> None:
    """A subclass is loaded from the section of its base."""

    @attrs.define
    class Base(config.Config, section="base"):
        a: int

    @attrs.define
    class Derived(Base):
        b: int

    source = config.ConfigSource({"base": {"a": 1, "b": 2}})

    assert source.load(Derived) == Derived(1, 2)
    assert config.sections()["base"] is Base


def test_config_without_section() -> None:
    """A Config without a section is loaded from the whole."""

    @attrs.define
    class Whole(config.Config):
        a: int

    assert config.ConfigSource({"a": 1}).load(Whole) == Whole(1)


def test_nested_section() -> None:
    """A dotted section is a table in a table, unless there is such a key."""

    @attrs.define
    class Deep:
        a: int = 0

    source = config.ConfigSource({"x": {"y": {"a": 1}}, "p.q": {"a": 2}})

    assert source.load(Deep, "x.y") == Deep(1)
    assert source.load(Deep, "p.q") == Deep(2)
    assert source.load(Deep, "not.there") == Deep(0)


T = t.TypeVar("T")


@attrs.define
class Box(t.Generic[T]):
    item: T
    items: list[T] = []  # noqa: RUF008 - never changed


@attrs.define
class IntBox(Box[int]):
    more: int = 0


@attrs.define
class Tree:
    name: str
    children: list[Tree] = attrs.field(factory=list)
    parent: Tree | None = None


@attrs.define
class Private:
    _x: int
    y: int = attrs.field(alias="why", default=1)
    z: int = config.var(2, name="zed", help="The last one.")


def test_generic_classes() -> None:
    """The variables of a generic class are what they stand for."""
    source = config.ConfigSource({"b": {"item": "1", "items": ["2"]}})

    assert source.load(Box[int], "b") == Box(1, [2])
    assert source.load(IntBox, "b") == IntBox(1, [2])
    assert source.load(Box, "b") == Box("1", ["2"])


def test_recursive_classes(monkeypatch) -> None:
    """A class may contain itself; variables end before it does."""
    data = {"name": "a", "children": [{"name": "b", "parent": {"name": "c"}}]}
    monkeypatch.setenv("X_NAME", "env")

    tree = config.ConfigSource(data, env_prefix="X").load(Tree)

    assert tree == Tree("env", [Tree("b", parent=Tree("c"))])


def test_private_names_and_aliases(monkeypatch) -> None:
    """Keys and variables have the names that the constructor takes."""
    monkeypatch.setenv("APP_P_ZED", "5")
    source = config.ConfigSource({"p": {"x": 3, "why": 4}}, env_prefix="APP")

    assert source.load(Private, "p") == Private(3, why=4, z=5)


def test_local_names() -> None:
    """Annotations may name classes of the function that loads."""

    @attrs.define
    class Inner:
        a: int

    @attrs.define
    class Outer:
        inner: Inner
        maybe: Inner | None = None

    source = config.ConfigSource({"inner": {"a": 1}})

    assert source.load(Outer) == Outer(Inner(1))


def test_local_names_that_are_used_elsewhere() -> None:
    """What our own functions call their variables is not meant."""

    @attrs.define
    class names:  # noqa: N801 - as in what loads it
        a: int

    @attrs.define
    class tp:  # noqa: N801
        b: int

    @attrs.define
    class Outer:
        first: names
        second: tp

    source = config.ConfigSource({"first": {"a": 1}, "second": {"b": 2}})

    assert source.load(Outer) == Outer(names(1), tp(2))


def test_name_that_nobody_knows() -> None:
    """An annotation that cannot be resolved is an error with its name."""

    @attrs.define
    class Lost:
        a: Nowhere  # noqa: F821

    with pytest.raises(config.ConfigError, match="Nowhere"):
        config.ConfigSource({"a": 1}).load(Lost)


def test_unions_of_classes() -> None:
    """The class that fits is taken; errors are those of the closest."""

    @attrs.define
    class Tcp:
        host: str
        port: int

    @attrs.define
    class Unix:
        path: str

    @attrs.define
    class Both:
        at: Tcp | Unix | None = None

    source = config.ConfigSource({"at": {"path": "x"}})

    assert source.load(Both) == Both(Unix("x"))
    with pytest.raises(config.ConfigError) as caught:
        config.ConfigSource({"at": {"host": "x", "port": "y"}}).load(Both)
    assert [error.path for error in caught.value.errors] == ["at.port"]


def test_instances_pass() -> None:
    """A nested object that code made is taken as it is."""
    box = Box(1)

    @attrs.define
    class Has:
        box: Box[int]

    assert config.ConfigSource({"box": box}).load(Has).box is box


def test_section_within_a_section() -> None:
    """The table of another section is no unknown key."""

    @attrs.define
    class Outer(config.Config, section="nested"):
        a: int = 1

    @attrs.define
    class Inner(config.Config, section="nested.in.inner"):
        b: int = 2

    source = config.ConfigSource(
        {"nested": {"a": 5, "in": {"inner": {"b": 6}}}}
    )
    assert source.load(Outer) == Outer(5)
    assert source.load(Inner) == Inner(6)

    source = config.ConfigSource({"nested": {"in": {}, "inn": 1}})
    with pytest.raises(config.ConfigError) as caught:
        source.load(Outer)
    assert [error.path for error in caught.value.errors] == ["nested.inn"]


@pytest.mark.parametrize(
    ("key", "shown"), [("deep", "'hunter2'"), ("token", "***")]
)
def test_no_table_on_the_way(key, shown, tmp_path) -> None:
    """A value where a table leads to the section is what is wrong."""
    file = tmp_path / "a.toml"
    file.write_text(f'\n{key} = "hunter2"\n')
    source = config.ConfigSource.read(file)

    with pytest.raises(config.ConfigError) as caught:
        source.load(Tree, f"{key}.er.section")

    (problem,) = caught.value.errors
    assert problem.path == key
    assert problem.value == shown
    assert problem.source == f"{file}:2"
    assert problem.expected == "expected a table"


def test_abstract_section() -> None:
    """A section may have a metaclass; it is still the same class again."""
    for _ in range(2):

        class Abstract(config.Config, abc.ABC, section="abstract"):
            pass

    assert config.sections()["abstract"] is Abstract


def test_section_of_a_class_that_is_gone() -> None:
    """A class that only waits to be collected does not keep its section."""
    program = "class Gone(config.Config, section='waiting'): pass"
    names: dict[str, t.Any] = {"config": config, "__name__": "gone"}
    gc.disable()
    try:
        exec(program, names)  # noqa: S102 - a module that is deleted
        # A class is a cycle: it ends when it is collected, not before.
        del names["Gone"]

        class Other(config.Config, section="waiting"):
            pass

    finally:
        gc.enable()

    assert config.sections()["waiting"] is Other


V = t.TypeVar("V")


@attrs.define
class Limits(config.Config, t.Generic[V], section="limits"):
    most: V
    others: list[V] = attrs.field(factory=list)


@dataclasses.dataclass
class Quota(config.Config, t.Generic[V], section="quota"):
    most: V


LIMITS = {"limits": {"most": "3", "others": ["4"]}, "quota": {"most": "5"}}


def test_a_section_with_arguments(monkeypatch) -> None:
    """A generic class is loaded from its section, as what it is asked for."""
    monkeypatch.setenv("APP_LIMITS_MOST", "7")
    source = config.ConfigSource(LIMITS, env_prefix="APP")

    assert source.load(Limits[int]) == Limits(7, [4])
    assert source.load(Limits[str]) == Limits("7", ["4"])
    assert source.load(Quota[int]) == Quota(5)
    assert "limits.most = 7" in str(source.explain(Limits[int]))
    assert config.sample(Limits[int]).startswith("[limits]")
    assert config.schema(Quota[int])["properties"].keys() == {"quota"}
    source.check_unknown()


async def test_a_section_with_arguments_is_injected() -> None:
    """So it is where it is injected, each with its own arguments."""

    class Service:
        def __init__(self, numbers: Limits[int], quota: Quota[int]) -> None:
            self.parts = numbers, quota

    async with context.child():
        context.add(config.ConfigSource(LIMITS))
        await config.prepare()
        di.register(Service)
        service = await di.nject(Service)
        assert service.parts == (Limits(3, [4]), Quota(5))
        assert await di.nject(Limits[str]) == Limits("3", ["4"])
        with pytest.raises(config.ConfigError, match=r"limits\.most"):
            await di.nject(Limits[bool])
        di.check()
