"""All there is of a type, as a list, a tuple or a dict."""

from __future__ import annotations

import collections.abc
import typing as t

import pytest

from buvar import context
from buvar import di


pytestmark = pytest.mark.asyncio


class Check: ...


class Disk(Check): ...


class Net(Check):
    def __init__(self, disk: Disk) -> None:
        self.disk = disk


class Other(Check): ...


class Health:
    def __init__(
        self,
        several: list[Check],
        fixed: tuple[Check, ...],
        read: collections.abc.Sequence[Check],
        named: dict[str, Check],
    ) -> None:
        self.several = several
        self.fixed = fixed
        self.read = read
        self.named = named


async def test_all_adapters_in_order_of_registration() -> None:
    """A collection holds what all adapters build, first registered first."""
    di.register(Net, Disk)

    async def other() -> Check:
        return Other()

    di.register(other, Health)
    health = await di.nject(Health)
    assert [*map(type, health.several)] == [Net, Disk, Other]
    assert health.fixed == tuple(health.several)
    assert health.read == health.several
    assert [*health.named] == ["Net", "Disk", "other"]
    assert [*health.named.values()] == health.several


async def test_members_share_what_the_call_builds() -> None:
    """What one call builds is shared with the members of a collection."""
    di.register(Disk, Net)
    disk, net = await di.nject(list[Check])
    assert net.disk is disk


async def test_a_collection_decides_nothing_for_others() -> None:
    """Beside a collection a type still means its latest adapter."""
    di.register(Disk, Net)
    checks, check = await di.nject(list[Check], Check)
    assert check is checks[1]


async def test_components_follow_adapters() -> None:
    """Components come after what is built, in the order they were added."""
    di.register(Disk)
    other = context.add(Other())
    named = context.add(Other(), name="named")
    found = await di.nject(list[Check])
    assert type(found[0]) is Disk
    assert found[1:] == [other, named]
    by_name = await di.nject(dict[str, Check])
    assert [*by_name] == ["Disk", "Other", "named"]


async def test_each_component_counts_though_a_later_one_is_the_base() -> None:
    """The latest component is the one of a base, but all are in a list."""
    first, second = context.add(Other()), context.add(Disk())
    assert context.get(Check) is second
    assert await di.nject(list[Check]) == [first, second]


async def test_compiled_code_sees_new_components() -> None:
    """What is added after a collection was compiled is in the next one."""
    di.register(Disk)
    assert len(await di.nject(list[Check])) == 1
    other = context.add(Other())
    assert (await di.nject(list[Check]))[1:] == [other]
    with context.child():
        inner = context.add(Other())
        assert (await di.nject(list[Check]))[1:] == [inner]
    assert (await di.nject(list[Check]))[1:] == [other]


async def test_what_was_added_to_be_shared_is_not_built_again() -> None:
    """A component of exactly an adapter's class takes its place."""
    di.register(Disk, scope="layer")
    di.register(Other)
    async with context.child():
        disk = context.add(await di.nject(Disk))
        async with context.child():
            found = await di.nject(list[Check])
    assert found[0] is disk
    assert [*map(type, found)] == [Disk, Other]


async def test_what_a_layer_keeps_is_there_once() -> None:
    """Kept objects are members through their adapters, once."""
    di.register(Disk, scope="layer")
    async with context.child():
        disk = await di.nject(Disk)
        assert await di.nject(list[Check]) == [disk]
        assert await di.nject(tuple[Check, ...]) == (disk,)


async def test_generators_close_in_reverse_order() -> None:
    """Members that are generators end with the layer, latest first."""
    closed: list[str] = []

    def first() -> collections.abc.Iterator[Check]:
        yield Disk()
        closed.append("first")

    async def second() -> collections.abc.AsyncIterator[Check]:
        yield Disk()
        closed.append("second")

    di.register(first, second)
    async with context.child():
        assert len(await di.nject(list[Check])) == 2
    assert closed == ["second", "first"]


async def test_something_of_exactly_that_type_wins() -> None:
    """Nothing is collected where a component or an adapter is of the type."""
    di.register(Disk)
    mine: list[Check] = []

    def make() -> list[Check]:
        return mine

    di.register(make)
    assert await di.nject(list[Check]) is mine
    own = (Other(),)
    context.add(own, tuple[Check, ...])
    assert await di.nject(tuple[Check, ...]) is own
    given = {"x": Disk()}

    async def take(checks: dict[str, Check]) -> Health:
        return t.cast("Health", checks)

    di.register(take, provides=dict)
    assert await di.nject(dict, checks=given) is given


async def test_an_adapter_can_stay_out() -> None:
    """With collect=False an adapter is found, but never collected."""

    class All(Check):
        def __init__(self, checks: list[Check]) -> None:
            self.checks = checks

    di.register(Disk)
    di.register(All, collect=False)
    both = await di.nject(Check)
    assert isinstance(both, All)
    assert [*map(type, both.checks)] == [Disk]


async def test_a_member_that_needs_the_collection_is_a_cycle() -> None:
    """The error of a collection that needs itself says how to opt out."""

    class All(Check):
        def __init__(self, checks: list[Check]) -> None:
            self.checks = checks

    di.register(All)
    with pytest.raises(di.CycleError, match="collect=False"):
        await di.nject(All)


async def test_nothing_to_collect_is_missing() -> None:
    """An empty collection is an error, or the default."""

    class Empty:
        def __init__(self, checks: tuple[Check, ...] = ()) -> None:
            self.checks = checks

    di.register(Empty)
    assert (await di.nject(Empty)).checks == ()
    with pytest.raises(di.ResolveError, match="a collection without members"):
        await di.nject(list[Check])
    disk = context.add(Disk())
    assert (await di.nject(Empty)).checks == (disk,)
    assert await di.nject(list[Check]) == [disk]


async def test_a_member_that_lacks_something_is_an_error() -> None:
    """No member is left out in silence."""
    di.register(Net, Other)
    with pytest.raises(di.ResolveError, match="Net needs disk: Disk"):
        await di.nject(list[Check])
    with pytest.raises(di.CheckError):
        di.check(list[Check])


async def test_two_of_one_name_are_an_error() -> None:
    """A dict never drops one of two members of a name."""
    di.register(Disk)
    context.add(Other(), name="Disk")
    with pytest.raises(di.ResolveError, match="two of the name 'Disk'"):
        await di.nject(dict[str, Check])
    assert len(await di.nject(list[Check])) == 2


def _check_of(kind: type[Check]) -> t.Any:
    def check() -> Check:
        return kind()

    return check


async def test_adapters_of_one_name_are_members_of_a_list() -> None:
    """A list has what each of them builds, a dict of them is an error."""
    kinds = [Disk, Other, Disk]
    di.register(*map(_check_of, kinds))
    assert [type(each) for each in await di.nject(list[Check])] == kinds

    with pytest.raises(di.ResolveError) as info:
        await di.nject(dict[str, Check])
    assert str(info.value).startswith("dict[str, Check] would hold two of")
    assert "check'" in str(info.value).splitlines()[0]


class Loaded(Check):
    @classmethod
    def load(cls) -> t.Self:
        return cls()


class Cached(Loaded): ...


async def test_methods_have_the_name_of_their_class() -> None:
    """What a class inherits is told apart from what it is inherited from."""
    di.register(Loaded.load, Cached.load)
    found = await di.nject(dict[str, Check])
    assert [*found] == ["Loaded.load", "Cached.load"]


@pytest.mark.parametrize(
    "asked",
    [
        set[Check],
        tuple[Check],
        dict[int, Check],
        collections.abc.Iterable[Check],
        collections.abc.Mapping[str, Check],
    ],
)
async def test_other_collections(asked: t.Any) -> None:
    """The error about one that is not filled names those that are."""
    hint = "all there is of Check is asked for as list[Check], Sequence[Check]"
    with pytest.raises(di.ResolveError) as caught:
        await di.nject(asked)
    assert hint not in str(caught.value)
    di.register(Disk)
    with pytest.raises(di.ResolveError) as caught:
        await di.nject(asked)
    assert hint in str(caught.value)


async def test_members_follow_one_that_is_left_out() -> None:
    """A condition that is false leaves out one member, not those after it."""
    di.register(Disk)
    di.register(Other, when=lambda: False)
    di.register(_check_of(Check))

    found = await di.nject(list[Check])
    assert [type(each) for each in found] == [Disk, Check]


async def test_overrides_are_members() -> None:
    """An override stands for a member, or for all of them."""
    di.register(Disk, Other)
    context.add(Disk(), name="named")
    fake = Disk()
    with di.override({Disk: fake}):
        found = await di.nject(list[Check])
        assert found[0] is fake
        assert [*map(type, found)] == [Disk, Other]
    with di.override({Check: fake}):
        assert await di.nject(list[Check]) == [fake]
    with di.override({list[Check]: []}):
        assert await di.nject(list[Check]) == []


async def test_longer_lives_hold_no_shorter_ones() -> None:
    """What is kept for the stage cannot hold members that end before."""

    class Held:
        def __init__(self, checks: list[Check]) -> None:
            self.checks = checks

    di.register(Disk, scope="layer")
    di.register(Held, scope="stage")
    async with context.child():
        with pytest.raises(di.ScopeError):
            await di.nject(Held)


async def test_what_is_kept_sees_the_components_of_its_layer() -> None:
    """A collection of something kept holds what its layer sees."""

    class Held:
        def __init__(self, checks: list[Check]) -> None:
            self.checks = checks

    di.register(Held, scope="stage")
    below = context.add(Disk())
    async with context.child():
        context.add(Other())
        held = await di.nject(Held)
        assert held.checks == [below]


async def test_members_of_generic_types() -> None:
    """A list of ``Repo[int]`` holds those of that argument only."""
    T = t.TypeVar("T")

    class Repo(t.Generic[T]): ...

    class Ints(Repo[int]): ...

    class Texts(Repo[str]): ...

    di.register(Ints, Texts)
    found = await di.nject(list[Repo[int]])
    assert [*map(type, found)] == [Ints]
    ints = context.add(Ints(), name="more")
    context.add(Texts(), name="less")
    assert (await di.nject(list[Repo[int]]))[1:] == [ints]
    made = context.add(Repo[int](), name="made")
    context.add(Repo[str](), name="other")
    assert (await di.nject(list[Repo[int]]))[1:] == [ints, made]


async def test_check_and_graph_know_collections() -> None:
    """The graph has an edge to each member, ``check`` plans them all."""
    di.register(Disk, Other, Health)
    di.check()
    edges = {
        (edge.parameter, edge.target)
        for edge in di.graph().edges
        if edge.source is Health
    }
    assert ("several", Disk) in edges
    assert ("named", Other) in edges


async def test_keywords_reach_members() -> None:
    """A keyword is taken by the parameter of a member."""

    class Url(Check):
        def __init__(self, url: str) -> None:
            self.url = url

    di.register(Url)
    (found,) = await di.nject(list[Check], url="x")
    assert t.cast("Url", found).url == "x"
    with pytest.raises(di.KeywordError, match="did you mean url"):
        await di.nject(list[Check], url="x", uri=1)


async def test_what_a_function_builds_for_the_stage_is_asked_for_again() -> (
    None
):
    """What is kept already does not have the same plan made over and over."""

    def disk() -> Check:
        return Disk()

    di.register(disk, scope="stage")
    with context.child():
        first = await di.nject(list[Check])
        assert await di.nject(Check) is first[0]
        assert await di.nject(list[Check]) == first
        assert await di.nject(tuple[Check, ...]) == tuple(first)
