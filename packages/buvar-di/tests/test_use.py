"""inject, override, check, graph, and what users meet in tracebacks."""

from __future__ import annotations

import asyncio
import inspect
import traceback
import typing as t

import pytest

from buvar import context
from buvar import di


class Bar: ...


class Foo:
    def __init__(self, bar: Bar, text: str = "x") -> None:
        self.bar = bar
        self.text = text


async def test_override_wins_while_the_block_runs() -> None:
    """A fake wins over components and adapters, in running tasks too."""
    di.register(Bar, Foo)
    context.add(Bar())
    fake = Bar()
    go = asyncio.Event()

    async def later() -> Foo:
        await go.wait()
        return await di.nject(Foo)

    task = asyncio.ensure_future(later())
    with di.override({Bar: fake}):
        go.set()
        assert (await task).bar is fake
        assert (await di.nject(Foo)).bar is fake
    assert (await di.nject(Foo)).bar is context.get(Bar)


async def test_override_of_a_type_however_it_is_spelled() -> None:
    """What says nothing about the type is not part of the key."""
    fake = object()
    for key in (
        t.Annotated[Bar, "for the docs"],
        Bar | None,
        t.Annotated[t.Annotated[Bar, 1], 2],
    ):
        with di.override({key: fake}):
            assert await di.nject(Bar) is fake
    with di.override({t.Annotated[Bar, "docs", di.Named("a")]: fake}):
        assert await di.nject(t.Annotated[Bar, di.Named("a")]) is fake


async def test_override_of_what_is_not_a_type() -> None:
    """Nothing would ever ask for it."""
    for key in ("Bar", None, 3, t.Any):
        block = di.override({key: object()})
        with pytest.raises(di.ResolveError, match="is not a type"), block:
            pass


async def test_overrides_of_several_tasks_end_in_any_order() -> None:
    """Each block takes away what it put there, later ones win meanwhile."""
    di.register(Bar)
    one, other = di.override({Bar: "one"}), di.override({Bar: "other"})
    one.__enter__()
    other.__enter__()
    assert await di.nject(Bar) == "other"
    assert await in_a_copy(di.nject(Bar)) == "other"
    one.__exit__(None, None, None)
    assert await di.nject(Bar) == "other"
    other.__exit__(None, None, None)
    assert type(await di.nject(Bar)) is Bar


async def in_a_copy(call: t.Awaitable[t.Any]) -> t.Any:
    """Await a call in a registry of its own, as a test may want one."""
    adapters = di.buvar_adapters.get()
    token = di.buvar_adapters.set(adapters.copy())
    try:
        return await call
    finally:
        di.buvar_adapters.reset(token)


async def test_what_is_overridden_is_a_type_as_it_is_asked_for() -> None:
    """Spelled either way, and by its name where it is asked for by one."""

    def named(item: t.Annotated[Bar, di.Named("x")]) -> Foo:
        return Foo(item)

    def listed(bars: list[Bar]) -> set[t.Any]:
        return set(bars)

    di.register(named, listed)
    bar, other = context.add(Bar(), name="x"), Bar()
    with di.override({t.List[Bar]: [other], Bar: "fake"}):  # noqa: UP006
        assert await di.nject(set[t.Any]) == {other}
        assert (await di.nject(Foo)).bar is bar
    with di.override({t.Annotated[Bar, di.Named("x")]: other}):
        assert (await di.nject(Foo)).bar is other


async def test_an_override_wins_over_a_component_of_the_name() -> None:
    """Only a keyword of the parameter's name is nearer."""
    di.register(Foo)
    context.add(Bar(), name="bar")
    fake, own = Bar(), Bar()
    with di.override({Bar: fake}):
        assert (await di.nject(Foo)).bar is fake
        assert (await di.nject(Foo, other=own)).bar is fake
        assert (await di.nject(Foo, bar=own)).bar is own


async def test_check_finds_all_holes_at_once() -> None:
    """Each type that fails has an error of its own."""
    di.register(Foo)
    with pytest.raises(di.CheckError) as caught:
        di.check()
    assert [one.target for one in caught.value.errors] == [Foo]
    assert "1 of the registered types" in str(caught.value)
    di.check(given=[Bar])
    di.check(bar=Bar())
    with pytest.raises(di.CheckError):
        di.check(Bar)
    context.add(Bar())
    di.check()


async def test_check_builds_nothing() -> None:
    """Checking calls no implementation."""

    def bar() -> Bar:
        raise AssertionError

    di.register(bar, Foo)
    di.check()


async def test_graph_as_data_and_drawings() -> None:
    """Nodes, edges, Mermaid and DOT say the same."""
    di.register(Foo)
    di.register(Bar, scope="stage")
    graph = di.graph()
    assert [(one.type, one.scope) for one in graph.nodes] == [
        (Foo, "call"),
        (Bar, "stage"),
        (str, None),
    ]
    edges = [(one.target, one.parameter, one.optional) for one in graph.edges]
    assert edges == [(Bar, "bar", False), (str, "text", True)]
    assert graph.mermaid() == (
        "flowchart TD\n"
        '    n0["Foo"]\n'
        '    n1["Bar<br>stage"]\n'
        '    n2(["str"])\n'
        '    n0 -->|"bar"| n1\n'
        '    n0 -.->|"text"| n2\n'
    )
    assert '  n0 -> n2 [label="text", style=dashed];' in graph.dot()
    assert '  n1 [label="Bar\\nstage", shape=box];' in graph.dot()


async def test_tracebacks_show_the_adapter_and_the_generated_line() -> None:
    """An adapter's own error passes unchanged, with a note of the way."""

    def bar() -> Bar:
        raise OSError("no bar today")

    di.register(Foo, bar)
    for _ in range(2):
        with pytest.raises(OSError, match="no bar today") as caught:
            await di.nject(Foo)
        text = "".join(traceback.format_exception(caught.value))
        assert "bar_2 = bar()" in text or "bar = bar_2()" in text
        assert 'raise OSError("no bar today")' in text
        assert "while injecting" in text
        assert "Bar <- Foo" in text


@pytest.mark.parametrize("error", [KeyError, TypeError])
async def test_errors_of_adapters_are_not_mistaken(
    error: type[Exception],
) -> None:
    """A KeyError or TypeError of an adapter is its own."""

    def bar() -> Bar:
        raise error("mine")

    di.register(bar)
    for _ in range(2):
        with pytest.raises(error, match="mine"):
            await di.nject(Bar)


async def test_nject_may_be_gathered_and_made_a_task() -> None:
    """It is a coroutine function like any other."""
    di.register(Bar, Foo)
    task = asyncio.create_task(di.nject(Foo))
    foo, bar = await asyncio.gather(task, di.nject(Bar))
    t.assert_type(foo, Foo)
    t.assert_type(bar, Bar)


def test_all_is_what_is_public() -> None:
    """Everything public is listed, and nothing else."""
    import types

    public = {
        name
        for name, value in inspect.getmembers(di)
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and name != "annotations"
    }
    assert public == set(di.__all__)


async def test_the_note_names_only_what_is_built() -> None:
    """An adapter that was planned in vain is not in the way to the error."""

    class Broken: ...

    class Helper:
        def __init__(self, broken: Broken) -> None: ...

    class Part: ...

    class Whole:
        def __init__(self, broken: Broken, part: Part) -> None: ...

    def broken() -> Broken:
        raise ValueError

    def lacks_something(helper: Helper, nothing: int) -> Part:
        raise AssertionError

    di.register(broken, Helper, Part, Whole, lacks_something)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        await di.nject(Whole)
    (note,) = caught.value.__notes__
    assert note.endswith(" <- Broken <- Whole")
