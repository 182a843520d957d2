"""Why something cannot be resolved, as data."""

from __future__ import annotations

import typing as t

import pytest

from buvar import context
from buvar import di
from buvar.context import current_context
from buvar.di._annotations.parse import Asked
from buvar.di._annotations.parse import ask
from buvar.di._plan.failures import Attempt
from buvar.di._plan.failures import Failure
from buvar.di._plan.failures import cycle
from buvar.di._plan.failures import nothing
from buvar.di._plan.planner import DEEPEST
from buvar.di._plan.planner import Planner
from buvar.di._registry.candidate import Candidate


class Base: ...


class Item(Base): ...


class Other:
    def __init__(self, item: Item) -> None: ...


def planner() -> Planner:
    return Planner(di.buvar_adapters.get(), current_context(), {})


def failure_of(target: t.Any) -> Failure:
    failure = planner().target(target)
    assert isinstance(failure, Failure)
    return failure


def test_what_lacks_something_says_so_by_its_parameter() -> None:
    """An attempt has a reason of its own, or a parameter, never both."""
    di.register(Other)
    ((adapter, reason, param, failure, *_),) = failure_of(Other).attempts
    assert adapter.implementation is Other
    assert reason == ""
    assert param is not None
    assert param.name == "item"
    assert failure == Failure(Asked((Item,)))


async def test_the_name_that_is_not_defined_is_told() -> None:
    """An adapter whose annotation cannot be read is told with the name."""

    def make(it: Undefined) -> Item:  # type: ignore[name-defined] # noqa: F821
        raise AssertionError

    di.register(make)
    with pytest.raises(di.ResolveError, match="Undefined"):
        await di.nject(Item)


def test_the_layer_that_ends_before() -> None:
    """The reason names both layers, the path the type that is too short."""
    di.register(Item, scope="layer")
    di.register(Other, scope="stage")
    failure = failure_of(Other)
    ((*_, inner, _, _, _),) = failure.attempts
    assert inner is not None
    ((_, reason, _, cause, *_),) = inner.attempts
    assert reason == ("it ends with its layer, before the stage that needs it")
    assert cause == Failure(Asked((Item,)), kind="scope")


@pytest.mark.parametrize("name", [None, "a"])
async def test_a_component_that_ends_before(name: str | None) -> None:
    """One with a name is looked for by that."""

    class Unnamed:
        def __init__(self, it: Item) -> None: ...

    class Named:
        def __init__(self, it: t.Annotated[Item, di.Named("a")]) -> None: ...

    di.register(Unnamed, Named, scope="stage")
    asked, other = (Named, Unnamed) if name else (Unnamed, Named)
    with context.child():
        context.add(Item(), name=name)
        with pytest.raises(di.ScopeError, match="ends before the stage"):
            await di.nject(asked)
        with pytest.raises(di.ResolveError) as caught:
            await di.nject(other)
    assert type(caught.value) is di.ResolveError


def test_a_cycle_as_data() -> None:
    """It has the types of the circle, and the adapter that it ran into."""
    di.register(Item, Base, Other)
    registry = di.buvar_adapters.get()
    first, item, base = (registry.find(key)[0] for key in (Other, Item, Base))
    path = {first.identity: Other, item.identity: Item, base.identity: Base}
    adapter = item.adapter
    assert cycle(path, Item, Candidate(adapter, {})) == Attempt(
        adapter,
        "",
        None,
        Failure(
            Asked((Item, Base, Item)),
            kind="cycle",
            heads=frozenset({adapter}),
        ),
    )


def test_a_failure_goes_back_to_adapters_in_progress() -> None:
    """Those that it ran into, if they are not over yet."""
    di.register(Item, Base, Other)
    one, two, three = di.buvar_adapters.get().adapters
    asked = ask(Item)
    attempts = tuple(
        Attempt(adapter, "", None, Failure(asked, heads=frozenset({adapter})))
        for adapter in (one, two)
    )
    failure = nothing(asked, attempts, lambda: frozenset({two, three}), None)
    assert failure == Failure(asked, attempts, "", "", frozenset({two}))


def test_a_failure_is_not_looked_for_again() -> None:
    """Two adapters for each type of a chain are not 2 ** 12 attempts."""
    last: t.Any = int
    for number in range(12):
        cls = type(f"C{number}", (), {})
        for _ in range(2):

            def make(it: t.Any) -> t.Any:
                return it

            make.__annotations__ = {"it": last, "return": cls}
            di.register(make)
        last = cls
    registry, asked = di.buvar_adapters.get(), list[t.Any]()
    find = registry.find

    def counting(key: t.Any) -> t.Any:
        asked.append(key)
        return find(key)

    registry.find = counting  # type: ignore[method-assign]
    failure_of(last)
    assert len(asked) == 13


async def test_a_circle_is_looked_at_anew_from_another_head() -> None:
    """What failed within a circle may be built once that is broken."""

    class Left:
        def __init__(self, right: Right | None = None) -> None:
            self.right = right

    class Right:
        def __init__(self, left: Left) -> None:
            self.left = left

    di.register(Left, Right)
    left, right = await di.nject(Left, Right)
    assert left.right is None
    assert right.left is left


def test_a_member_that_ends_before() -> None:
    """The failure of a collection names the type of the member."""

    class Needs:
        def __init__(self, items: list[Base]) -> None: ...

    di.register(Item, scope="layer")
    di.register(Needs, scope="stage")
    ((*_, inner, _, _, _),) = failure_of(Needs).attempts
    assert inner is not None
    ((_, _, _, cause, *_),) = inner.attempts
    assert cause == Failure(Asked((Item,)), kind="scope")


def test_how_often_a_generic_adapter_may_need_itself() -> None:
    """Ten times, each for another type; then it says for which."""
    A = t.TypeVar("A")

    class Box(t.Generic[A]): ...

    def box(inner: Box[list[A]]) -> Box[A]:
        raise AssertionError

    di.register(box)
    failure: Failure | None = failure_of(Box[int])
    depth = 0
    while failure is not None:
        ((_, reason, _, failure, *_),) = failure.attempts
        depth += failure is not None
    assert depth == DEEPEST
    assert reason.startswith("it needs itself for a new type each time, now ")
    assert reason.endswith(f"Box[{'list[' * DEEPEST}int{']' * DEEPEST}]")
