"""A block that has so much time, and all that is within it."""

from __future__ import annotations

import asyncio
import collections.abc
import contextlib
import math
import time
import typing as t

import pytest

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import context
from buvar.components import spi


@pytest.mark.asyncio
async def test_a_block_ends_in_time() -> None:
    """What is awaited in the block is cancelled, the error says where."""
    closed: list[BaseException | None] = []
    start = time.monotonic()
    with pytest.raises(TimeoutError) as caught:  # noqa: PT012 - a block
        async with context.child(timeout=0.02) as layer:
            layer.defer(closed.append)
            await asyncio.Event().wait()
    assert time.monotonic() - start < 5
    assert isinstance(caught.value, context.DeadlineError)
    assert f"{__file__}:" in str(caught.value)
    assert "did not end within its 0.02 s" in str(caught.value)
    assert isinstance(closed[0], asyncio.CancelledError)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.asyncio
async def test_a_block_in_time_is_left_alone() -> None:
    """A block that ends in time raises nothing and is not cancelled later."""
    async with context.child(timeout=30) as layer:
        deadline = context.get(context.Deadline)
        assert 0 < deadline.remaining() <= 30
        assert deadline.timeout == 30
        assert layer.get(context.Deadline) is deadline
        assert "Deadline of 30 s" in repr(deadline)
    assert context.get(context.Deadline, default=None) is None


@pytest.mark.asyncio
async def test_exceptions_of_the_block_stay_what_they_are() -> None:
    """Errors of the block, and a TimeoutError of its own, pass unchanged."""
    mine = TimeoutError("mine")
    with pytest.raises(TimeoutError) as caught:
        async with context.child(timeout=30):
            raise mine
    assert caught.value is mine


@pytest.mark.asyncio
async def test_inner_blocks_have_no_more_than_outer_ones() -> None:
    """A longer inner timeout is the outer one, which raises at its place."""
    with pytest.raises(context.DeadlineError) as caught:  # noqa: PT012 - a block
        async with context.child(timeout=0.2):
            outer = context.get(context.Deadline)
            try:
                async with context.child(timeout=30):
                    assert context.get(context.Deadline) is outer
                    await asyncio.Event().wait()
            except TimeoutError:  # pragma: no cover - it is the outer one's
                pytest.fail("the inner block had time left")
    assert caught.value.deadline is outer


@pytest.mark.asyncio
async def test_a_shorter_inner_block_ends_alone() -> None:
    """The outer block goes on when an inner one was too late."""
    async with context.child(timeout=30):
        outer = context.get(context.Deadline)
        with pytest.raises(context.DeadlineError):  # noqa: PT012 - a block
            async with context.child(timeout=0.01):
                assert context.get(context.Deadline) is not outer
                await asyncio.Event().wait()
        assert context.get(context.Deadline) is outer
        await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_a_layer_without_a_timeout_inherits_it() -> None:
    """Any layer within the block sees how much time is left, and ends."""
    with pytest.raises(context.DeadlineError):  # noqa: PT012 - a block
        async with context.child(timeout=0.2), context.child():
            assert context.get(context.Deadline).timeout == 0.2
            await asyncio.Event().wait()


@pytest.mark.asyncio
async def test_a_task_is_bounded_by_the_block_it_was_started_in() -> None:
    """A block of another task has no more time than is left there."""
    started = asyncio.Event()

    async def work() -> None:
        async with context.child(timeout=30):
            started.set()
            await asyncio.Event().wait()

    async with context.child(timeout=0.5):
        task = asyncio.create_task(work())
        await started.wait()
    with pytest.raises(context.DeadlineError) as caught:
        await asyncio.wait_for(task, 5)
    assert caught.value.outer is not None
    assert "did not end within the 0.5 s of the block" in str(caught.value)


@pytest.mark.asyncio
async def test_a_block_ends_at_once_where_the_time_is_over() -> None:
    """What goes on although it was cancelled has no more time either."""
    inner: context.DeadlineError | None = None
    with pytest.raises(context.DeadlineError) as caught:  # noqa: PT012 - a block
        async with context.child(timeout=0.01):
            with pytest.raises(asyncio.CancelledError):
                await asyncio.Event().wait()
            try:
                async with context.child(timeout=60):
                    await asyncio.Event().wait()
            except context.DeadlineError as error:
                inner = error
                raise
    assert inner is not None
    assert inner.outer is caught.value.deadline
    assert str(inner).splitlines()[0].endswith(", which it was opened in.")
    assert caught.value.outer is None
    assert caught.value.__cause__ is inner


@pytest.mark.asyncio
async def test_tasks_that_notice_first() -> None:
    """The block raises its own error, not those of the tasks within it."""

    async def work() -> None:
        async with context.child(timeout=60):
            await asyncio.Event().wait()

    async def call() -> None:
        # As a client session does.
        deadline = context.get(context.Deadline)
        try:
            async with asyncio.timeout(deadline.remaining()):
                await asyncio.Event().wait()
        except TimeoutError as error:
            raise context.DeadlineError(deadline) from error

    with pytest.raises(context.DeadlineError) as caught:  # noqa: PT012 - a block
        async with context.child(timeout=0.01), asyncio.TaskGroup() as group:
            group.create_task(work())
            group.create_task(call())
    assert caught.value.outer is None
    assert caught.value.deadline.timeout == 0.01
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.asyncio
async def test_what_else_tasks_raise_is_not_lost() -> None:
    """Other errors of the tasks of a late block come out as they are."""

    async def work() -> None:
        async with context.child(timeout=60):
            await asyncio.Event().wait()

    async def fail() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError

    with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012 - a block
        async with context.child(timeout=0.01), asyncio.TaskGroup() as group:
            group.create_task(work())
            group.create_task(fail())
    assert caught.value.subgroup(ValueError) is not None


@pytest.mark.asyncio
async def test_no_block_opens_over_a_layer_that_has_ended() -> None:
    """It is refused, and the context is as it was."""
    async with context.child():
        pushed = context.push()
    token = context.buvar_context.set(pushed)
    with pytest.raises(context.LayerEndedError):
        async with context.child(timeout=60):
            pytest.fail("it opened")
    assert context.current_context() is pushed
    context.buvar_context.reset(token)


async def test_cancelling_from_outside_is_no_timeout() -> None:
    """Who cancels the task gets CancelledError, also at the last moment."""
    started = asyncio.Event()

    async def work() -> None:
        async with context.child(timeout=30):
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async def both() -> None:
        async with context.child(timeout=0):
            own = asyncio.current_task()
            assert own is not None
            asyncio.get_running_loop().call_soon(own.cancel)
            await asyncio.Event().wait()

    task = asyncio.create_task(both())
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.asyncio
async def test_closing_has_no_more_time_either() -> None:
    """What is closed at the end of the block is within its time."""

    async def slow(_: BaseException | None) -> None:
        await asyncio.Event().wait()

    with pytest.raises(context.DeadlineError):
        async with context.child(timeout=0.02) as layer:
            layer.defer(slow)
    with pytest.raises(context.LayerEndedError):
        layer.add("late")


@pytest.mark.asyncio
async def test_failures_of_closing_are_raised() -> None:
    """What fails while a late block is closed is not lost."""

    def fail(_: BaseException | None) -> None:
        raise ValueError

    with pytest.raises(context.DeadlineError) as caught:  # noqa: PT012 - a block
        async with context.child(timeout=0.01) as layer:
            layer.defer(fail)
            await asyncio.Event().wait()
    cancelled = caught.value.__cause__
    assert cancelled is not None
    group = cancelled.__cause__
    assert isinstance(group, ExceptionGroup)
    assert isinstance(group.exceptions[0], ValueError)


@pytest.mark.asyncio
@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, 10**400])
async def test_a_timeout_is_a_number_of_seconds(seconds: float) -> None:
    """A timeout that cannot be waited for is refused before it opens."""
    with pytest.raises(ValueError, match="number of seconds from 0 on"):
        context.child(timeout=seconds)


@pytest.mark.asyncio
@pytest.mark.parametrize("seconds", ["2", True])
async def test_a_timeout_is_a_number(seconds: t.Any) -> None:
    """Text and truth values are no seconds."""
    with pytest.raises(TypeError, match="is a number of seconds"):
        context.child(timeout=seconds)


@pytest.mark.asyncio
async def test_a_plain_block_cannot_be_stopped() -> None:
    """A plain with statement says that it needs async with."""
    with (
        pytest.raises(RuntimeError, match="Use 'async with"),
        context.child(timeout=1),
    ):
        raise AssertionError
    assert context.get(context.Deadline, default=None) is None


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer: no test waits for it."""

    now = 0.0

    def time(self) -> float:
        """Return the virtual time."""
        return self.now

    def _run_once(self) -> None:
        scheduled = t.cast("t.Any", self)._scheduled
        if not t.cast("t.Any", self)._ready and scheduled:
            self.now = max(self.now, scheduled[0].when())
        t.cast("t.Any", super())._run_once()


Tree: t.TypeAlias = tuple[float | None, bool, float, list[t.Any]]

#: Timeout, in a task of its own, seconds of work, inner blocks.
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.tuples(
        st.none() | st.integers(1, 20),
        st.booleans(),
        st.integers(0, 20),
        st.just([]),
    ),
    lambda inner: st.tuples(
        st.none() | st.integers(1, 20),
        st.booleans(),
        st.integers(0, 5),
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


async def run_block(tree: Tree, end: float) -> None:
    """Run a block and all within it, which must end by a time."""
    timeout, _, work, inner = tree
    loop = asyncio.get_running_loop()
    if timeout is not None:
        end = min(end, loop.time() + timeout)
    try:
        async with context.child(timeout=timeout):
            found = context.get(context.Deadline, default=None)
            left = end - loop.time()
            assert (found.remaining() if found else math.inf) == left
            await asyncio.sleep(work)
            for one in inner:
                with contextlib.suppress(context.DeadlineError):
                    if one[1] and one[0] is not None:
                        await asyncio.create_task(run_block(one, end))
                    else:
                        await run_block(one, end)
    finally:
        assert loop.time() <= end


@settings(max_examples=100, deadline=None)
@given(TREES)
def test_no_block_outlives_the_one_around_it(tree: Tree) -> None:
    """However blocks are nested, none ends later than one around it."""
    loop = VirtualLoop()
    try:
        with contextlib.suppress(context.DeadlineError):
            loop.run_until_complete(run_block(tree, math.inf))
    finally:
        loop.close()


@pytest.mark.asyncio
async def test_a_layer_of_a_framework_inherits_it() -> None:
    """What ``open_layer`` opens sees the time that is left."""
    async with context.child(timeout=30):
        layer = spi.open_layer(context.current_context())
        assert layer.get(context.Deadline).timeout == 30
        await layer.end()


async def generate() -> collections.abc.AsyncIterator[None]:
    async with context.child(timeout=30):
        yield


@pytest.mark.asyncio
async def test_a_block_in_a_generator() -> None:
    """A generator may hold a block, as a fixture does."""
    async for _ in generate():
        assert context.get(context.Deadline).timeout == 30
