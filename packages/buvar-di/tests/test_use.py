"""inject, override, check, graph, and what users meet in tracebacks."""

from __future__ import annotations

import asyncio
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
        for name, value in vars(di).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and name != "annotations"
    }
    assert public == set(di.__all__)
