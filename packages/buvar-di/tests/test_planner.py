"""Plans and failures as data, before any code is written."""

from __future__ import annotations

import abc
import typing as t

import pytest

from buvar import context
from buvar import di
from buvar.context import current_context
from buvar.di._plan.failures import Failure
from buvar.di._plan.nodes import Build
from buvar.di._plan.nodes import Const
from buvar.di._plan.plan import Plan
from buvar.di._plan.planner import Planner
from buvar.di._plan.storage import Storage


class Base: ...


class Item(Base): ...


class Other:
    def __init__(self, item: Item) -> None:
        self.item = item


def make_item() -> Item:
    return Item()


def planner() -> Planner:
    return Planner(di.buvar_adapters.get(), current_context(), {})


def plan_of(*targets: t.Any) -> Plan:
    """Plan some targets, all of which can be resolved."""
    planning = planner()
    nodes = [planning.target(target) for target in targets]
    assert not any(isinstance(node, Failure) for node in nodes)
    return planning.finish(t.cast("t.Any", nodes))


def storage_of(target: t.Any) -> Storage:
    (storage,) = plan_of(target).storage.values()
    return storage


# --- what is built, and how it is kept --------------------------------------


def test_each_object_is_built_once_after_what_it_needs() -> None:
    """What is kept for a layer shares what the call has built."""

    class Whole:
        def __init__(self, item: Item, other: Other) -> None: ...

    di.register(Item, Whole)
    di.register(Other, scope="layer")
    order = plan_of(Whole).order
    assert [build.type for build in order] == [Item, Other, Whole]


def test_members_and_decorators_are_built_as_what_they_are() -> None:
    """Each object of a plan says as what it is built."""

    class Wrapped(Item):
        def __init__(self, inner: Item) -> None: ...

    di.register(Item)
    di.decorate(Wrapped, provides=Item)
    order = plan_of(list[Base]).order
    assert [build.type for build in order] == [Item, Base]


def test_it_is_looked_for_by_its_type() -> None:
    """One adapter keeps objects of a type: the type is their key."""
    di.register(Item, scope="layer")
    storage = storage_of(Item)
    assert storage.keys == (Item, Base)
    assert storage.place is Item
    assert storage.by_type is True
    assert storage.by_own_type is True
    assert storage.more_types is False


def test_what_is_not_kept_does_not_count() -> None:
    """Another adapter of the type, which keeps nothing, is no other key."""
    di.register(make_item)
    di.register(Item, scope="layer")
    assert storage_of(Item).place is Item


def test_two_that_are_kept_have_a_key_each() -> None:
    """They may wrap each other's: a type would not tell them apart."""
    di.register(make_item, scope="layer")
    di.register(Item, scope="layer")
    storage = storage_of(Item)
    assert storage.by_type is False
    assert storage.place is not Item


def test_decorators_of_others_change_nothing() -> None:
    """What nothing is wrapped around is looked for by its type."""

    @di.decorate
    def around(inner: Other) -> Other:
        return inner

    di.register(Item, scope="layer")
    assert around.__name__
    assert storage_of(Item).place is Item


def test_what_is_asked_for_by_a_registered_abc() -> None:
    """It is found by the ABC as well, first, but is not known as one."""

    class Abstract(abc.ABC):  # noqa: B024 - others are registered with it
        ...

    class Virtual: ...

    Abstract.register(Virtual)
    di.register(Virtual, scope="layer")
    storage = storage_of(Abstract)
    assert storage.keys == (Abstract, Virtual)
    assert storage.by_own_type is False


def test_who_may_return_a_subclass() -> None:
    """Functions may, of classes: not of what is no class, nor if wrapped."""
    New = t.NewType("New", Item)

    def new() -> New:
        return New(Item())

    di.register(make_item, new, scope="layer")
    assert storage_of(Item).more_types is True
    assert storage_of(New).more_types is False

    @di.decorate
    def around(inner: Item) -> Item:
        return inner

    assert around.__name__
    storages = plan_of(Item).storage.values()
    assert [storage.more_types for storage in storages] == [False, False]


# --- where values come from ------------------------------------------------


async def test_a_default_before_what_is_given() -> None:
    """A default is passed where a parameter after it is given."""

    class Has:
        def __init__(self, number: int = 7, item: Item | None = None) -> None:
            self.number, self.item = number, item

    di.register(Item, Has)
    made = await di.nject(Has)
    assert made.number == 7
    assert made.item is not None


def test_a_default_is_told_from_a_fake() -> None:
    """A default may be left to the callee, an override never."""

    class Has:
        def __init__(self, number: int = 7, text: str = "") -> None: ...

    di.register(Has)
    with di.override({str: "fake"}):
        (build,) = plan_of(Has).targets
    assert isinstance(build, Build)
    nodes = [node for _, node in build.args]
    assert all(isinstance(node, Const) for node in nodes)
    assert [t.cast("Const", node).default for node in nodes] == [True, False]


async def test_what_an_older_adapter_builds_is_shared() -> None:
    """It is found by its type, although another one is tried first."""

    class Whole:
        def __init__(self, item: Item, other: Other) -> None:
            self.item, self.other = item, other

    def lacks_something(number: int) -> Item:
        raise AssertionError

    di.register(Item, Other, Whole, lacks_something)
    whole = await di.nject(Whole)
    assert whole.item is whole.other.item


async def test_what_ends_before_is_not_shared_with_what_is_kept() -> None:
    """A decorated object that holds the call's own is not for the layer."""

    class Dear: ...

    class Part:
        def __init__(self, dear: Dear | None = None) -> None:
            self.dear = dear

    class Kept:
        def __init__(self, part: Part) -> None:
            self.part = part

    class Whole:
        def __init__(self, part: Part, kept: Kept) -> None:
            self.part, self.kept = part, kept

    @di.decorate
    def around(inner: Part) -> Part:
        return inner

    di.register(Part, Whole)
    di.register(Kept, scope="layer")
    with context.child():
        context.push()
        context.add(Dear())
        whole = await di.nject(Whole)
    assert around.__name__
    assert whole.part.dear is not None
    assert whole.kept.part.dear is None


async def test_a_decorator_that_is_shared_does_not_end_the_chain() -> None:
    """What wraps it for others is around the same object."""

    class Wrapped(Base):
        def __init__(self, inner: Base) -> None:
            self.inner = inner

    class Special(Item):
        def __init__(self, inner: Item) -> None: ...

    di.register(Item)
    di.decorate(Special, provides=Item)
    di.decorate(Wrapped, provides=Base)
    item, base = t.cast("t.Any", await di.nject(Item, Base))
    assert type(item) is Special
    assert type(base) is Wrapped
    assert base.inner is item


# --- collections -----------------------------------------------------------


async def test_an_adapter_for_the_list_itself_comes_first() -> None:
    """If it lacks something, the list is not collected in its place."""

    def items(number: int) -> list[Item]:
        return []

    di.register(Item, items)
    with pytest.raises(di.ResolveError):
        await di.nject(list[Item])
    assert await di.nject(list[Item], number=1) == []


async def test_fakes_are_named_by_their_types() -> None:
    """That is what a dict holds them by, if their names differ."""
    fake = Item()
    with di.override({Item: fake}):
        assert await di.nject(dict[str, Base]) == {"Item": fake}


async def test_fakes_of_one_name() -> None:
    """A dict cannot hold two, a list can."""
    twin: type[Base] = type("Item", (Base,), {})
    fakes = [Item(), twin()]
    with di.override({Item: fakes[0], twin: fakes[1]}):
        assert await di.nject(list[Base]) == fakes
        with pytest.raises(di.ResolveError, match="two of the name 'Item'"):
            await di.nject(dict[str, Base])


async def test_a_component_that_is_added_to_be_shared() -> None:
    """It is the member, and not built and wrapped again."""

    @di.decorate
    def around(inner: Item) -> Item:
        raise AssertionError

    di.register(Item)
    item = context.add(Item())
    assert around.__name__
    assert await di.nject(list[Item]) == [item]


@pytest.mark.parametrize("lacking", ["member", "decorator"])
async def test_a_member_that_cannot_be_built(lacking: str) -> None:
    """The collection cannot be, whether a member or what wraps it lacks."""

    def member(number: int) -> Item:
        raise AssertionError

    def around(inner: Item, number: int) -> Item:
        raise AssertionError

    def useless(inner: Item) -> Item:
        raise AssertionError

    di.register(Item if lacking == "decorator" else member)
    di.decorate(around if lacking == "decorator" else useless)
    with pytest.raises(di.ResolveError, match="needs number: int"):
        await di.nject(list[Item])


def test_a_condition_that_needs_a_collection() -> None:
    """The error says which."""

    def some(items: list[Item]) -> bool:
        return True

    di.register(Item)
    di.register(Other, when=some)
    with pytest.raises(di.CheckError) as caught:
        di.check()
    (error,) = caught.value.errors
    assert "as list[Item] is a collection" in str(error)
