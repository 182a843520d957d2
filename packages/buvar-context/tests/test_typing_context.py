"""What type checkers say of the public functions."""

from __future__ import annotations

import asyncio
import typing as t

from buvar import components
from buvar import context
from buvar import plugin


class Base: ...


class Foo(Base): ...


def test_components() -> None:
    """A look-up has the type that was asked for."""
    stack = components.Components()
    foo = Foo()

    assert t.assert_type(stack.add(foo), Foo) is foo
    assert t.assert_type(stack.get(Foo), Foo) is foo
    assert t.assert_type(stack.get(Base), Base) is foo
    assert t.assert_type(stack.get(Foo, default=None), Foo | None) is foo
    assert t.assert_type(stack.find(Foo), dict[t.Hashable, Foo]) == {None: foo}
    assert t.assert_type(stack.push(), components.Components) is not stack


def test_context() -> None:
    """The functions of the context are typed as those of components are."""
    with context.child():
        foo = context.add(Foo())

        assert t.assert_type(context.get(Foo), Foo) is foo
        assert t.assert_type(context.get(Foo, default=1), Foo | int) is foo
        assert t.assert_type(context.find(Foo), dict[t.Hashable, Foo])


def test_stage() -> None:
    """A stage returns a list of results."""

    async def prepare(load: plugin.Loader) -> None:
        await load("buvar.plugin.jobs")
        t.assert_type(context.get(plugin.Jobs), plugin.Jobs)

    assert t.assert_type(plugin.stage(prepare), list[t.Any]) == []


async def test_listeners() -> None:
    """A listener takes the events that it asks for, or all of them."""
    closed: list[plugin.LayerClosed] = []
    of_layers: list[plugin.LayerOpened | plugin.LayerClosed] = []
    told: list[plugin.Event] = []

    async def prepare() -> None:
        plugin.listen(closed.append, plugin.LayerClosed)
        plugin.listen(of_layers.append, plugin.LayerOpened, plugin.LayerClosed)
        plugin.listen(told.append)
        plugin.listen(told.append, plugin.LayerClosed, plugin.TaskEnded)

    if t.TYPE_CHECKING:
        # Refused is what could not take the event.
        plugin.listen(of_layers.append)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        plugin.listen(closed.append, plugin.TaskEnded)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]

    async with plugin.Stage(prepare):
        with context.child():
            pass
    assert len(of_layers) == 2
    assert len(closed) == 1


async def test_stage_in_a_loop() -> None:
    """The asynchronous stage is typed alike."""

    async def prepare() -> None:
        await asyncio.sleep(0)

    async with plugin.Stage(prepare) as stage:
        await stage.wait()
    assert t.assert_type(stage.results, list[t.Any]) == []
    assert t.assert_type(stage.report(), list[plugin.PluginReport])
