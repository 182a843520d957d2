"""A layer keeps what is built in it, for itself, until it ends."""

from __future__ import annotations

import asyncio
import collections.abc
import contextvars
import threading
import typing as t

import pytest

from buvar import context
from buvar import di
from buvar import plugin
from buvar.components import Components
from buvar.components import spi
from buvar.context import buvar_context


class Session:
    closed = False


class Repo:
    def __init__(self, session: Session) -> None:
        self.session = session


async def open_session() -> collections.abc.AsyncIterator[Session]:
    session = Session()
    yield session
    session.closed = True


@pytest.mark.parametrize("first", ["outer", "inner"])
async def test_a_nested_child_builds_its_own(first: str) -> None:
    """Whoever asks first, no session is shared between two layers."""
    di.register(open_session, Repo, scope="layer")
    async with context.child():
        outer = await di.nject(Session) if first == "outer" else None
        async with context.child():
            repo = await di.nject(Repo)
            assert repo.session is not outer
            assert repo.session is await di.nject(Session)
            assert context.get(Session) is repo.session
        assert repo.session.closed
        assert (await di.nject(Repo)).session is not repo.session
        assert outer in {None, await di.nject(Session)}


async def test_what_is_added_is_shared() -> None:
    """An object added by hand is one for all layers above."""
    di.register(open_session, scope="layer")
    async with context.child():
        session = context.add(await di.nject(Session))
        async with context.child():
            assert await di.nject(Session) is session
        assert not session.closed


async def test_children_that_share_components_keep_apart() -> None:
    """What one block keeps does not show up in the next."""
    di.register(open_session, Repo, scope="layer")
    shared = Components()
    shared.add("shared")
    found: list[Session] = []
    for _ in range(2):
        async with context.child(shared):
            assert context.get(str) == "shared"
            found.append((await di.nject(Repo)).session)
    assert found[0] is not found[1]
    assert shared.get(Session, default=None) is None


async def test_the_layer_of_the_plugins_keeps_for_itself() -> None:
    """Requests do not get the session that a plugin asked for."""

    class Single:
        def __init__(self, session: Session | None = None) -> None:
            self.session = session

    found: list[Session] = []

    async def request() -> None:
        async with context.child():
            found.append(await di.nject(Session))

    async def prepare() -> t.AsyncIterator[t.Any]:
        di.register(open_session, scope="layer")
        di.register(Single, scope="stage")
        found.append(await di.nject(Session))
        assert (await di.nject(Single)).session is None
        yield request()

    async with plugin.Stage(prepare) as stage:
        await stage.wait()
    assert found[0] is not found[1]


@pytest.mark.parametrize("used", [True, False])
async def test_a_task_that_outlives_its_layer(used: bool) -> None:
    """It hears so, whether or not the layer had a session."""
    di.register(open_session, scope="layer")

    async def job() -> Session:
        await go_on.wait()
        return await di.nject(Session)

    go_on = asyncio.Event()
    async with context.child():
        if used:
            await di.nject(Session)
        task = asyncio.create_task(job())
        await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(context.LayerEndedError) as info:
        await task
    assert info.value.namespace is Session


async def test_what_is_built_too_late_is_not_handed_out() -> None:
    """The layer ended while it was being built."""

    async def slow() -> Session:
        await go_on.wait()
        return Session()

    go_on = asyncio.Event()
    di.register(slow, scope="layer")
    async with context.child():
        task = asyncio.create_task(di.nject(Session))
        await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(context.LayerEndedError):
        await task


async def test_a_cleanup_gets_nothing_closed() -> None:
    """What is closed, or may hold it, is built anew for it."""
    seen: list[bool] = []

    class Audit: ...

    async def audit() -> collections.abc.AsyncIterator[Audit]:
        yield Audit()
        repo = await di.nject(Repo)
        seen.append(repo.session.closed)

    di.register(audit, open_session, Repo, scope="layer")
    async with context.child():
        await di.nject(Audit)
        await di.nject(Repo)
    assert seen == [False]


async def test_jobs_have_a_layer_of_their_own() -> None:
    """They neither share a request's session nor get a closed one."""
    found: list[Session] = []

    async def job() -> None:
        found.append(await di.nject(Session))
        await asyncio.sleep(0)
        assert not found[-1].closed
        assert variable.get() == "request"
        assert context.get(str, default=None) is None

    async def request() -> None:
        variable.set("request")
        async with context.child():
            context.add("of the request")
            found.append(await di.nject(Session))
            task = context.get(plugin.Jobs).add(job())
        await task

    async def prepare(load: plugin.Loader) -> t.AsyncIterator[t.Any]:
        await load("buvar.plugin.jobs")
        di.register(open_session, scope="layer")
        yield request()

    variable = contextvars.ContextVar("variable", default="")
    async with plugin.Stage(prepare) as stage:
        await stage.wait()
    assert found[0] is not found[1]
    assert [one.closed for one in found] == [True, True]


@pytest.mark.parametrize("awaits", [True, False])
def test_threads_build_one_for_the_stage(awaits: bool) -> None:
    """Async or not, at the very same time."""
    for _ in range(60):
        contextvars.copy_context().run(ask_in_threads, awaits=awaits)


def ask_in_threads(*, awaits: bool) -> None:
    made: list[object] = []
    got: list[object] = []

    class Single:
        def __init__(self) -> None:
            made.append(self)

    async def make() -> Single:
        await asyncio.sleep(0.0005)
        return Single()

    async def main() -> None:
        barrier.wait(20)
        got.append(await di.nject(Single))

    di.register(make if awaits else Single, scope="stage")
    barrier = threading.Barrier(4)
    threads = [
        threading.Thread(
            target=contextvars.copy_context().run,
            args=(asyncio.run, main()),
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(made) == 1
    assert got == made * 4


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_both_halves_of_a_generator_see_one_context(
    asynchronous: bool,
) -> None:
    """A variable is reset where it was set, whoever ends the layer."""
    user = contextvars.ContextVar("user", default="nobody")
    ended: list[str] = []

    async def later() -> collections.abc.AsyncIterator[Session]:
        token = user.set("me")
        yield Session()
        ended.append(user.get())
        user.reset(token)

    def now() -> collections.abc.Iterator[Session]:
        token = user.set("me")
        yield Session()
        ended.append(user.get())
        user.reset(token)

    di.register(later if asynchronous else now, scope="layer")
    async with context.child():
        await asyncio.create_task(di.nject(Session))
        assert user.get() == "nobody"
    async with context.child():
        await di.nject(Session)
        assert user.get() == "me"
    assert user.get() == "nobody"
    assert ended == ["me", "me"]


@pytest.mark.parametrize("scope", ["call", "layer"])
async def test_a_layer_over_one_that_has_ended(scope: str) -> None:
    """It builds nothing, whether or not the type was ever added anywhere."""

    class Fresh: ...

    class Other: ...

    di.register(Fresh, Other, scope=scope)
    async with context.child() as outer:
        inner = spi.open_layer(outer)
    buvar_context.set(inner)
    with pytest.raises(context.LayerEndedError, match="Fresh"):
        await di.nject(Fresh)
    Components().add(Other())
    with pytest.raises(context.LayerEndedError, match="Other"):
        await di.nject(Other)
    await inner.end()
