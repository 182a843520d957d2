"""The graph of adapters as data, and drawn so that it can be read."""

from __future__ import annotations

import typing as t

import pytest

from buvar import di


T = t.TypeVar("T")


class Item: ...


class Dear:
    def __init__(self, item: Item) -> None: ...


class Repo(t.Generic[T]):
    def __init__(self, item: T, other: Repo[int] | None = None) -> None: ...


def edges(graph: di.Graph) -> list[tuple[t.Any, t.Any, str]]:
    return [(one.source, one.target, one.parameter) for one in graph.edges]


def test_generic_adapters_are_shown_for_what_they_build() -> None:
    """Repo[Item] is built by the adapter of Repo, and needs an Item."""

    def make(repo: Repo[Item], again: Repo[Item]) -> Dear:
        raise AssertionError

    di.register(Repo, scope="layer")
    di.register(Item, make)
    graph = di.graph()
    nodes = {one.type: one for one in graph.nodes}
    assert nodes[Repo[Item]].scope == "layer"
    assert "test_graph.py:" in str(nodes[Repo[Item]].where)
    assert (Repo[Item], Item, "item") in edges(graph)
    assert (Repo[Item], Repo[int], "other") in edges(graph)
    assert nodes[int] == di.GraphNode(int)
    assert edges(graph).count((Dear, Repo[Item], "repo")) == 1


def test_what_has_a_name_is_no_adapters_work() -> None:
    """It is a component of that name, a node of its own."""

    def make(item: t.Annotated[Item, di.Named("one")]) -> Dear:
        raise AssertionError

    di.register(Item, make)
    named = t.Annotated[Item, di.Named("one")]
    graph = di.graph()
    assert edges(graph) == [(Dear, named, "item")]
    assert di.GraphNode(named) in graph.nodes


def test_a_base_points_to_what_builds_it() -> None:
    """Of several adapters the one that is used is drawn."""

    class Special(Item): ...

    def untyped(anything) -> Repo[Dear]:  # type: ignore[no-untyped-def]
        raise AssertionError

    di.register(Special, Dear, untyped)
    assert edges(di.graph()) == [(Dear, Special, "item")]


def test_what_cannot_be_read_has_no_edges() -> None:
    """A graph is drawn of what is known."""

    def make(it: Nowhere) -> Dear:  # type: ignore[name-defined] # noqa: F821
        raise AssertionError

    di.register(make)
    graph = di.graph()
    assert [one.type for one in graph.nodes] == [Dear]
    assert graph.edges == ()


def test_text_with_a_meaning_is_written_as_text() -> None:
    """Quotes, backslashes and HTML are shown, not obeyed."""

    def make(
        mode: t.Literal['a"b', "c\\d"], html: t.Literal["<b>&#1;"]
    ) -> Item:
        raise AssertionError

    di.register(make, scope="stage")
    dot, mermaid = di.graph().dot(), di.graph().mermaid()
    assert '[label="Item\\nstage", shape=box]' in dot
    assert """[label="Literal['a\\"b', 'c\\\\\\\\d']", shape=ellipse]""" in dot
    assert '["Item<br>stage"]' in mermaid
    assert """(["Literal['a#quot;b', 'c\\\\d']"])""" in mermaid
    assert """(["Literal['#lt;b#gt;#amp;#35;1;']"])""" in mermaid


class Ring:
    def __init__(self, link: Link | None = None) -> None:
        self.link = link


class Link:
    def __init__(self, ring: Ring) -> None:
        self.ring = ring


class Both:
    def __init__(self, ring: Ring, link: Link) -> None:
        self.ring, self.link = ring, link


async def test_what_fails_within_a_cycle_may_do_outside_of_it() -> None:
    """A link cannot be built for its own ring, but for others it can."""
    di.register(Ring, Link, Both)
    both = await di.nject(Both)
    assert both.ring.link is None
    assert both.link.ring is both.ring


class Hen:
    def __init__(self, egg: Egg) -> None: ...


class Egg:
    def __init__(self, hen: Hen) -> None: ...


def test_a_cycle_is_reported_once() -> None:
    """Not once more for each type that is part of it."""
    di.register(Hen, Egg)
    with pytest.raises(di.CheckError) as caught:
        di.check()
    (error,) = caught.value.errors
    assert isinstance(error, di.CycleError)
