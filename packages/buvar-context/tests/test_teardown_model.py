"""Whatever is to be done at the end is done, in whatever mixture."""

from __future__ import annotations

import asyncio
import contextlib

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import context
from buvar import plugin
from buvar.components import spi


class FailError(Exception): ...


KINDS = ["function", "coroutine function", "awaitable", "manager", "closer"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.booleans()), max_size=12))
def test_each_runs_once_latest_first(steps):  # noqa: C901 - one of a kind
    """Whatever fails: each ran once, in reverse, all failures are raised."""
    calls, failures = [], []

    def sync(number, fails):
        calls.append(number)
        if fails:
            failures.append(FailError(number))
            raise failures[-1]

    async def wait(number, fails):
        await asyncio.sleep(0)
        sync(number, fails)

    @contextlib.asynccontextmanager
    async def manager(number, fails):
        yield
        sync(number, fails)

    async def register(teardown, kind, number, fails):
        layer = context.current_context()
        if kind == "function":
            teardown.add(sync, number, fails=fails)
        elif kind == "coroutine function":
            teardown.add(wait, number, fails)
        elif kind == "awaitable":
            teardown.add(wait(number, fails))
        elif kind == "manager":
            await teardown.enter(manager(number, fails))
        else:
            spi.lifetime_of(layer).defer(lambda _: sync(number, fails))

    async def prepare(teardown: plugin.Teardown):
        for number, (kind, fails) in enumerate(steps):
            await register(teardown, kind, number, fails)

    caught = ()
    try:
        plugin.stage(prepare)
    except ExceptionGroup as group:
        caught = group.exceptions
    assert calls == list(reversed(range(len(steps))))
    assert list(caught) == failures
