"""Layers opened, asked and ended in any order, beside a naive model."""

from __future__ import annotations

import asyncio
import collections.abc
import contextvars
import typing as t

import pytest

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from buvar import context
from buvar import di
from buvar.components import Components
from buvar.components import spi
from buvar.context import buvar_context


class Opened:
    closed = False


def fresh() -> type[Opened]:
    """
    Make and register a class that nothing in this process knows yet.

    What was ever added is known in the whole process: an example must not
    depend on those before it.
    """

    class Session(Opened):
        pass

    async def open_session() -> collections.abc.AsyncIterator[Session]:
        session = Session()
        yield session
        session.closed = True

    di.register(open_session, scope="layer")
    return Session


steps = st.lists(
    st.tuples(
        st.sampled_from(["open", "task", "ask", "get", "add", "end"]),
        st.integers(0, 5),
    ),
    max_size=30,
)


class Model:
    """What a layer is to do, written down naively."""

    def __init__(self, below: Model | None, layer: Components, *, own: bool):
        self.below, self.layer, self.own = below, layer, own
        self.ended = False
        self.kept: Opened | None = None
        self.added: Opened | None = None

    def owner(self) -> Model:
        return self if self.own or not self.below else self.below.owner()

    def any_ended(self) -> bool:
        return self.ended or bool(self.below and self.below.any_ended())

    def seen(self, asks: Model) -> Opened | None:
        """Return what a layer sees here, raise if it must not ask."""
        if self.ended:
            raise context.LayerEndedError
        if self.added:
            return self.added
        if asks.owner() is self and self.kept:
            return self.kept
        return self.below.seen(asks) if self.below else None


@settings(max_examples=150, deadline=None)
@given(steps)
def test_as_a_naive_model_says(taken: list[tuple[str, int]]) -> None:
    """Layers opened, asked and ended in any order behave as the model."""
    contextvars.copy_context().run(asyncio.run, agree(taken))


async def agree(taken: list[tuple[str, int]]) -> None:
    di.buvar_adapters.set(di.Adapters())
    session = fresh()
    root = spi.open_layer(Components())
    root._stage = None
    models = [Model(None, root, own=True)]
    for what, number in taken:
        model = models[number % len(models)]
        buvar_context.set(model.layer)
        dead = model.ended or model.owner().ended
        if what == "open" and not model.ended:
            layer: Components = spi.open_layer(model.layer)
            models.append(Model(model, layer, own=True))
        elif what == "task":
            models.append(Model(model, model.layer.push(), own=False))
        elif what == "add" and not model.ended:
            model.added = context.add(session())
        elif what == "end" and model.own:
            await t.cast("t.Any", model.layer).end()
            if model.kept:
                assert model.kept.closed
            model.ended, model.kept = True, None
        elif what in {"ask", "get"}:
            await ask(model, session, what, dead=dead)


async def get(session: type[Opened]) -> Opened | None:
    return context.get(session, default=None)


async def ask(
    model: Model, session: type[Opened], what: str, *, dead: bool
) -> None:
    try:
        want = model.seen(model)
    except context.LayerEndedError:
        with pytest.raises(context.LayerEndedError):
            await (di.nject(session) if what == "ask" else get(session))
        return
    if what == "get":
        assert context.get(session, default=None) is want
        # It merges all layers, so it asks each of them.
        if not model.any_ended():
            assert context.find(session) == ({None: want} if want else {})
    elif dead:
        # A task that has one of its own: it may not build more.
        with pytest.raises(context.LayerEndedError):
            await di.nject(session)
    else:
        got = await di.nject(session)
        assert not got.closed
        if want is None:
            model.owner().kept = got
        else:
            assert got is want
