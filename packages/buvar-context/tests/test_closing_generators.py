"""Generators of both kinds end with a layer: what they hear and see."""

from __future__ import annotations

import asyncio
import contextvars
import functools

import pytest

from buvar import context
from buvar.components import Components
from buvar.components import spi


class TwiceError(Exception): ...


@pytest.fixture
def layer() -> spi.Lifetime:
    return spi.open_layer(Components().push())


async def began(layer, body, kind):
    """Have a generator end with a layer, whose second half is a function."""
    task = spi.running_task()
    if kind == "async":

        async def generate():
            try:
                yield
            except BaseException as error:
                body(error)
                raise
            if body(None):
                yield

        generator = generate()
        await anext(generator)
        # Not alone, so that it is not the usual case.
        layer.defer(lambda _: None)
        layer.defer((generator, TwiceError, task))
    else:

        def generate_sync():
            try:
                yield
            except BaseException as error:
                body(error)
                raise
            if body(None):
                yield

        generator = generate_sync()
        next(generator)
        layer.defer(
            functools.partial(
                spi.close_generator, generator, TwiceError, layer, task
            )
        )
    return generator


both = pytest.mark.parametrize("kind", ["async", "sync"])


@both
@pytest.mark.parametrize(
    "error", [None, KeyError(), StopIteration(), StopAsyncIteration()]
)
async def test_generators_that_let_the_error_through(layer, kind, error):
    """They hear of it, and have not failed."""
    heard = []
    await began(layer, heard.append, kind)
    assert await layer.close(error) == []
    assert heard == [error]


@both
@pytest.mark.parametrize("error", [KeyError(), StopIteration()])
async def test_generators_that_raise_another_error(layer, kind, error):
    """What they raise instead has failed, whatever has caused it."""
    failure = KeyError() if isinstance(error, KeyError) else RuntimeError()

    def replace(given):
        raise failure from (given if type(failure) is KeyError else None)

    await began(layer, replace, kind)
    assert await layer.close(error) == [failure]


@both
@pytest.mark.parametrize("error", [None, KeyError()])
async def test_generators_that_swallow_or_go_on(layer, kind, error):
    """To swallow the error is fine, to yield again is not."""
    task = spi.running_task()

    def generate():
        try:
            yield
        except KeyError:
            return
        yield

    async def generate_async():
        try:
            yield
        except KeyError:
            return
        yield

    layer.defer(lambda _: None)
    if kind == "async":
        generator = generate_async()
        await anext(generator)
        layer.defer((generator, TwiceError, task))
    else:
        generator = generate()
        next(generator)
        layer.defer(
            functools.partial(
                spi.close_generator, generator, TwiceError, layer, task
            )
        )
    failures = await layer.close(error)
    expected = [] if error else [TwiceError]
    assert [type(failure) for failure in failures] == expected
    frame = "ag_frame" if kind == "async" else "gi_frame"
    assert getattr(generator, frame) is None


@both
@pytest.mark.parametrize("error", [None, KeyError()])
async def test_generators_see_the_context_they_began_in(layer, kind, error):
    """Also if another task ends the layer, which they see meanwhile."""
    variable = contextvars.ContextVar("variable", default=0)
    seen = []

    def look(given):
        seen.append((given, variable.get(), context.current_context()))

    async def begin():
        variable.set(1)
        await began(layer, look, kind)

    task = asyncio.create_task(begin())
    await task
    assert await layer.close(error) == []
    assert seen == [(error, 1, layer)]
