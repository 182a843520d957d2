"""Plugins that are prepared at the same time."""

from __future__ import annotations

import asyncio
import collections.abc
import contextlib
import contextvars
import functools
import typing as t

import pytest

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import context
from buvar import plugin


class First: ...


class Second(First): ...


variable = contextvars.ContextVar("variable", default="unset")


def test_plugins_that_wait_are_prepared_at_the_same_time() -> None:
    """All of thirty plugins wait before the first one goes on."""
    waiting = 0
    all_wait = asyncio.Event()

    async def wait() -> None:
        nonlocal waiting
        waiting += 1
        if waiting == 30:
            all_wait.set()
        await asyncio.wait_for(all_wait.wait(), 30)

    async def prepare(load: plugin.Loader) -> None:
        await load(*(functools.partial(wait) for _ in range(30)))

    plugin.stage(prepare)
    assert waiting == 30


def test_one_after_the_other_is_an_option() -> None:
    """With concurrent=False the next plugin starts when one is prepared."""
    steps: list[str] = []

    async def first() -> None:
        steps.append("first")
        await asyncio.sleep(0)
        steps.append("prepared")

    async def second() -> None:
        steps.append("second")

    async def prepare(load: plugin.Loader) -> None:
        await load(first, second, concurrent=False)

    plugin.stage(prepare)
    assert steps == ["first", "prepared", "second"]
    steps.clear()
    plugin.stage(first, second)
    assert steps == ["first", "prepared", "second"]
    steps.clear()
    plugin.stage(first, second, concurrent=True)
    assert steps == ["first", "second", "prepared"]


def test_the_order_of_components_is_that_of_plugins() -> None:
    """The last plugin wins, however long an earlier one waited."""
    found: list[t.Any] = []
    one, two = First(), First()

    async def slow() -> None:
        await asyncio.sleep(0.01)
        context.add(one)
        context.add("slow", name="x")

    async def quick() -> None:
        context.add(two)
        context.add("quick", name="x")

    async def prepare(load: plugin.Loader) -> None:
        await load(slow, quick)
        found.append(context.get(First))
        found.append(context.get(str, name="x"))

    plugin.stage(prepare)
    assert found == [two, "quick"]


def test_what_was_added_by_others_meanwhile_stays() -> None:
    """Components that tasks add meanwhile are not undone."""
    late = First()
    found: list[First] = []
    started = asyncio.Event()

    async def slow() -> None:
        context.add(First())
        started.set()
        await asyncio.sleep(0.01)

    async def prepare(load: plugin.Loader, stage: plugin.Stage) -> None:
        async def add() -> None:
            await started.wait()
            stage.layer.add(late)

        task = asyncio.get_running_loop().create_task(
            add(), context=contextvars.Context()
        )
        await load(slow, slow_too)
        await task
        found.append(context.get(First))

    async def slow_too() -> None:
        await asyncio.sleep(0.02)

    plugin.stage(prepare)
    assert found == [late]


def test_tasks_and_reports_are_in_the_order_of_plugins() -> None:
    """Results and reports come as one after the other would give them."""

    async def result(number: int) -> int:
        return number

    async def slow() -> collections.abc.AsyncIterator[t.Any]:
        yield result(1)
        await asyncio.sleep(0.01)
        yield result(2)

    async def quick() -> t.Any:
        return result(3)

    async def main() -> list[str]:
        async with plugin.Stage(slow, quick) as stage:
            await stage.wait()
        assert stage.results == [1, 2, 3]
        return [one.plugin.rpartition(".")[2] for one in stage.report()]

    assert asyncio.run(main()) == ["slow", "quick"]


def test_a_plugin_that_two_load_is_prepared_once() -> None:
    """Whoever is second waits for it, and circles do not wait."""
    prepared: list[str] = []

    async def shared() -> None:
        await asyncio.sleep(0.01)
        prepared.append("shared")

    async def one(load: plugin.Loader) -> None:
        await load(shared, two)
        prepared.append("one")

    async def two(load: plugin.Loader) -> None:
        await load(shared, one)
        prepared.append("two")

    plugin.stage(one, two, concurrent=True)
    assert sorted(prepared) == ["one", "shared", "two"]
    assert prepared[0] == "shared"


def test_a_failure_cancels_the_others() -> None:
    """It comes out alone, and what waits is cancelled."""
    ended: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("slow")

    async def fails() -> None:
        await asyncio.sleep(0)
        msg = "no database"
        raise LookupError(msg)

    with pytest.raises(ExceptionGroup) as caught:
        plugin.stage(slow, fails, concurrent=True)
    (error,) = caught.value.exceptions
    assert isinstance(error, LookupError)
    notes = "\n".join(error.__notes__)
    assert "fails" in notes
    assert "A plugin that needs another one loads it first" in notes
    assert ended == ["slow"]


def test_several_failures_are_a_group() -> None:
    """What fails while it is cancelled is raised beside the first."""

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise KeyError from None

    async def fails() -> None:
        raise ValueError

    with pytest.raises(ExceptionGroup) as caught:
        plugin.stage(slow, fails, concurrent=True)
    (group,) = caught.value.exceptions
    assert isinstance(group, ExceptionGroup)
    assert [*map(type, group.exceptions)] == [KeyError, ValueError]


def test_asking_to_exit_comes_out() -> None:
    """SystemExit of one plugin ends the stage, teardown runs."""
    torn: list[str] = []

    async def slow(teardown: plugin.Teardown) -> None:
        teardown.add(torn.append, "slow")
        await asyncio.Event().wait()

    async def exits() -> None:
        raise SystemExit(4)

    with pytest.raises(SystemExit) as caught:
        plugin.stage(slow, exits, concurrent=True)
    assert caught.value.code == 4
    assert torn == ["slow"]


def test_cancelling_reaches_all_that_are_prepared() -> None:
    """A stage that is cancelled while it prepares cancels each plugin."""
    ended: list[str] = []

    async def wait(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async def main() -> None:
        stage = plugin.Stage(
            functools.partial(wait, "a"),
            functools.partial(wait, "b"),
            concurrent=True,
        )
        task = asyncio.create_task(stage.run())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert sorted(ended) == ["a", "b"]


def test_teardown_is_latest_first_in_its_own_context() -> None:
    """Both halves of a context manager see one context."""
    steps: list[str] = []

    @contextlib.asynccontextmanager
    async def bound(name: str) -> collections.abc.AsyncIterator[None]:
        token = variable.set(name)
        yield
        await asyncio.sleep(0)
        steps.append(f"{variable.get()} {name}")
        variable.reset(token)

    async def enters(
        seconds: float, name: str, teardown: plugin.Teardown
    ) -> None:
        await asyncio.sleep(seconds)
        await teardown.enter(bound(name))

    async def a(teardown: plugin.Teardown) -> None:
        await enters(0.02, "a", teardown)

    async def b(teardown: plugin.Teardown) -> None:
        await enters(0, "b", teardown)

    plugin.stage(a, b, concurrent=True)
    assert steps == ["a a", "b b"]


def test_variables_of_plugins_are_seen_by_tasks() -> None:
    """What a plugin sets in a context variable is seen by all tasks."""
    seen: list[str] = []

    async def sets() -> None:
        variable.set("set")
        await asyncio.sleep(0)

    async def task() -> None:
        seen.append(variable.get())

    async def gives() -> t.Any:
        return task()

    contextvars.copy_context().run(plugin.stage, sets, gives)
    assert seen == ["set"]


Tree: t.TypeAlias = tuple[int, list[t.Any]]

#: How often it waits, and what it does: components it adds, plugins it loads.
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.tuples(st.integers(0, 3), st.lists(st.integers(0, 3), max_size=3)),
    lambda inner: st.tuples(
        st.integers(0, 3),
        st.lists(
            st.integers(0, 3) | st.lists(inner, min_size=1, max_size=3),
            max_size=3,
        ),
    ),
    max_leaves=10,
)


def outcome(tree: Tree, *, concurrent: bool) -> t.Any:
    """Run plugins, return components, results and reports."""
    names = iter(range(1000))

    def build(node: Tree) -> t.Any:
        pauses, steps = node
        number = next(names)
        built = [
            [build(one) for one in step] if isinstance(step, list) else step
            for step in steps
        ]

        async def give(step: int) -> int:
            return number * 10 + step

        async def prepare(
            load: plugin.Loader,
        ) -> collections.abc.AsyncIterator[t.Any]:
            for n, step in enumerate(built):
                for _ in range(pauses):
                    await asyncio.sleep(0)
                if isinstance(step, list):
                    await load(*step, concurrent=concurrent)
                    continue
                context.add((number, n))
                context.add((number, n), name=f"n{step}")
                yield give(step)

        return functools.partial(prepare)

    async def main() -> t.Any:
        top = build(tree)
        async with plugin.Stage(top) as stage:
            await stage.wait()
            found = stage.layer.find(tuple)
        added = [one.components for one in stage.report()]
        return found, stage.results, added

    return asyncio.run(main())


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_the_outcome_is_that_of_one_after_the_other(tree: Tree) -> None:
    """However plugins wait, what is there afterwards is the same."""
    expected = outcome(tree, concurrent=False)
    assert outcome(tree, concurrent=True) == expected
