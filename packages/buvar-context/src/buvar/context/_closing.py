"""End a layer: run what was registered to end with it."""

from __future__ import annotations

import asyncio
import inspect
import typing as t

from buvar.components import Closer
from buvar.components import Components
from buvar.components import ComponentsError
from buvar.components._impl import MISSING
from buvar.components._types import Generator


class LayerEndedError(ComponentsError, RuntimeError):
    """Something was to end with a layer that has ended already."""

    def __str__(self) -> str:
        """Say what happened and the cure."""
        return (
            "The layer has ended, nothing can be closed with it any more. "
            "Build what outlives a request or a stage outside of its layer."
        )


class AsyncCloserError(ComponentsError, RuntimeError):
    """
    A layer ended in a plain ``with`` although it has to await something.

    Attributes:
        closer: What returned an awaitable.
    """

    def __init__(self, closer: object) -> None:
        super().__init__(closer)
        self.closer = closer

    def __str__(self) -> str:
        """Say what has to be awaited and the cure."""
        name = getattr(self.closer, "__qualname__", None) or repr(self.closer)
        return (
            f"{name} has to be awaited when the layer ends. "
            "Use 'async with context.child()' instead of 'with'."
        )


class _Ended(list[Closer | Generator]):
    """The closers of a layer that has ended: takes no more."""

    def append(self, _: Closer | Generator, /) -> None:
        raise LayerEndedError


#: Takes the place of the closers of a layer that has ended.
ENDED: t.Final = _Ended()

#: Ask the task or the process to end: raised as they are, never in a group.
ENDING: t.Final = (asyncio.CancelledError, KeyboardInterrupt, SystemExit)


def closers_of(layer: Components) -> list[t.Any]:
    """Return the list of what ends with a layer, to be added to."""
    closers = layer.closers
    if isinstance(closers, list):
        return closers
    several: list[t.Any] = [] if closers is None else [closers]
    layer.closers = several
    return several


def close_sync(
    layer: Components, error: BaseException | None
) -> list[BaseException]:
    """Run the closers of a layer that must not await, return failures."""
    failures: list[BaseException] = []
    closers = closers_of(layer)
    while closers:
        closer = closers.pop()
        try:
            if isinstance(closer, tuple):
                generator, _ = t.cast("Generator", closer)
                raise AsyncCloserError(generator)  # noqa: TRY301
            awaitable = closer(error)
            if awaitable is not None:
                _discard(awaitable)
                raise AsyncCloserError(closer)  # noqa: TRY301
        except BaseException as failure:  # noqa: BLE001 - all closers run
            _collect(failures, failure, error)
    layer.closers = ENDED
    return failures


async def close(
    layer: Components, error: BaseException | None
) -> list[BaseException]:
    """
    Run the closers of a layer, latest first, and return their failures.

    Args:
        layer: The layer that ends; closers added meanwhile run as well.
        error: What ended the layer, given to each closer. That a closer
            lets it through is no failure.
    """
    failures: list[BaseException] = []
    closers = closers_of(layer)
    while closers:
        closer = closers.pop()
        try:
            if isinstance(closer, tuple):
                await _go_on(*t.cast("Generator", closer), error)
                continue
            awaitable = closer(error)
            if awaitable is not None:
                await awaitable
        except BaseException as failure:  # noqa: BLE001 - all closers run
            _collect(failures, failure, error)
    layer.closers = ENDED
    return failures


async def _go_on(
    generator: t.AsyncGenerator[t.Any, None],
    twice: t.Callable[[], BaseException],
    error: BaseException | None,
) -> None:
    """Let a generator go on behind its ``yield``, or throw the error in."""
    if error is None:
        if await anext(generator, MISSING) is MISSING:
            return
    else:
        try:
            await generator.athrow(error)
        except StopAsyncIteration:
            return
        except RuntimeError as failure:
            if wraps(failure, error):
                return
            raise
    await generator.aclose()
    raise twice()


def wraps(failure: BaseException, error: BaseException | None) -> bool:
    """A generator turns a ``StopIteration`` it lets through into another."""
    return (
        isinstance(failure, RuntimeError)
        and isinstance(error, (StopIteration, StopAsyncIteration))
        and failure.__cause__ is error
    )


def _collect(
    failures: list[BaseException],
    failure: BaseException,
    error: BaseException | None,
) -> None:
    if failure is not error:
        failures.append(failure)


def _discard(awaitable: t.Awaitable[t.Any]) -> None:
    """Close a coroutine that will not run, it would warn otherwise."""
    if inspect.iscoroutine(awaitable):
        awaitable.close()


def raise_failures(message: str, failures: t.Sequence[BaseException]) -> None:
    """
    Raise failures as one group.

    What asks the task or the process to end is raised as it is, caused by
    the group of the others, so that it is still understood.
    """
    asked = [f for f in failures if isinstance(f, ENDING)]
    others = [f for f in failures if not isinstance(f, ENDING)]
    group = BaseExceptionGroup(message, others) if others else None
    if asked:
        raise max(asked, key=_rank) from group
    if group:
        raise group


def _rank(error: BaseException) -> bool:
    return not isinstance(error, asyncio.CancelledError)
