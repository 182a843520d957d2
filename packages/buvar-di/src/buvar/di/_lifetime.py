"""What compiled code calls: build once, end with a layer, wrong results."""

from __future__ import annotations

import asyncio
import inspect
import typing as t

from buvar.components import Closer
from buvar.components import Components
from buvar.components._impl import MISSING

from ._adapter import Adapter
from ._errors import CycleError
from ._errors import GeneratorError
from ._errors import ResolveError
from ._errors import ScopeError
from ._types import show


if t.TYPE_CHECKING:
    from ._register import Adapters


async def claim(
    adapters: Adapters, layer: Components, ticket: t.Any, key: t.Any
) -> t.Any:
    """
    Return what an adapter built for a layer, or ``MISSING`` to the one who is to build it.

    Whoever builds must call ``release``, whatever happens: the others then
    look again, and the next of them tries if there is still nothing.
    """
    while True:
        item = layer.items.get(ticket, MISSING)
        if item is not MISSING:
            return item
        task = asyncio.current_task()
        building = adapters.claims.get((layer, ticket))
        if building is None:
            adapters.claims[layer, ticket] = (task, asyncio.Event())
            return MISSING
        owner, event = building
        if owner is task:
            line = f"{show(key)} is asked for while it is being built."
            hint = "break the cycle: let one of them ask later, when it is used"
            raise CycleError(key, (line,), (key, key), (hint,))
        await event.wait()


def release(adapters: Adapters, layer: Components, ticket: t.Any) -> None:
    """End a claim, whether something was built or not."""
    adapters.claims.pop((layer, ticket))[1].set()


def wrong(adapter: Adapter, value: t.Any) -> t.NoReturn:
    """Complain about what an adapter returned."""
    if value is MISSING:
        msg = (
            f"{adapter.name} ({adapter.where}) ended without yielding.\n"
            "Hint: yield the object once."
        )
        raise GeneratorError(msg)
    if inspect.iscoroutine(value):
        value.close()
    returns = show(adapter.returns)
    line = (
        f"{adapter.name} ({adapter.where}) returned a "
        f"{show(type(value))}, it says {returns}."
    )
    hint = f"return a {returns}, or change the annotation"
    raise ResolveError(adapter.returns, (line,), (adapter.returns,), (hint,))


def closers(layer: Components, adapter: Adapter) -> list[Closer]:
    """Return the list of what ends with a layer."""
    if layer.closers is None:
        if layer.below is None:
            line = (
                f"{adapter.name} ({adapter.where}) yields, but there is no "
                "layer whose end would close it."
            )
            hint = "open one: async with context.child(): ..., or run a stage"
            raise ScopeError(adapter.returns, (line,), (), (hint,))
        layer.closers = []
    return layer.closers


class close:  # noqa: N801 - stands for the function of its call
    """End a generator when its layer ends."""

    __slots__ = ("adapter", "generator")

    def __init__(
        self, generator: t.Generator[t.Any, None, None], adapter: Adapter
    ) -> None:
        self.generator = generator
        self.adapter = adapter

    def __call__(self, error: BaseException | None) -> None:
        """Let it go on behind its ``yield``, or throw the error in."""
        try:
            if error is None:
                next(self.generator)
            else:
                self.generator.throw(error)
        except StopIteration:
            return
        except BaseException as failure:
            if failure is error or _wraps(failure, error):
                return
            raise
        self.generator.close()
        raise twice(self.adapter)


class aclose:  # noqa: N801 - stands for the function of its call
    """End an asynchronous generator when its layer ends."""

    __slots__ = ("adapter", "generator")

    def __init__(
        self, generator: t.AsyncGenerator[t.Any, None], adapter: Adapter
    ) -> None:
        self.generator = generator
        self.adapter = adapter

    async def __call__(self, error: BaseException | None) -> None:
        """Let it go on behind its ``yield``, or throw the error in."""
        try:
            if error is None:
                await self.generator.__anext__()
            else:
                await self.generator.athrow(error)
        except StopAsyncIteration:
            return
        except BaseException as failure:
            if failure is error or _wraps(failure, error):
                return
            raise
        await self.generator.aclose()
        raise twice(self.adapter)


def _wraps(failure: BaseException, error: BaseException | None) -> bool:
    """A generator turns a ``StopIteration`` it lets through into another."""
    return (
        isinstance(failure, RuntimeError)
        and isinstance(error, (StopIteration, StopAsyncIteration))
        and failure.__cause__ is error
    )


def twice(adapter: Adapter) -> GeneratorError:
    """Make the error for a generator that goes on yielding."""
    msg = (
        f"{adapter.name} ({adapter.where}) yielded twice.\n"
        "Hint: yield the object once; what follows the yield cleans up."
    )
    return GeneratorError(msg)
