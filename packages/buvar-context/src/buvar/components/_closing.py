"""Layers with a lifetime of their own, and how they end."""

from __future__ import annotations

import asyncio
import inspect
import logging
import typing as t

from ._builder import Task
from ._builder import await_in
from ._builder import foreign_context
from ._errors import AsyncCloserError
from ._impl import Components
from ._layer import BLANK
from ._types import ENDED
from ._types import MISSING
from ._types import Closer
from ._types import Generator


_log = logging.getLogger("buvar.context")

#: Ask the task or the process to end: raised as they are, never in a group.
ENDING: t.Final = (asyncio.CancelledError, KeyboardInterrupt, SystemExit)

_MESSAGE = "closing a layer failed"


class Lifetime(Components):
    """
    A layer that what is built for its length ends with.

    Made by ``open_layer()``. Whoever opens it ends it, with the outcome of
    what it was opened for.
    """

    __slots__ = ()

    #: Filled by those who open it.
    __init__ = object.__init__  # pyright: ignore[reportAssignmentType]

    def defer(self, closer: Closer | Generator) -> None:
        """
        Have something end with the layer, before all that was there already.

        Args:
            closer: Called with the exception that ended the layer, or
                ``None``; what it returns is awaited unless that is ``None``.

        Raises:
            LayerEndedError: The layer has ended.
        """
        defer(self, closer)

    async def end(self, error: BaseException | None = None) -> None:
        """
        End the layer: what was deferred runs, latest first, each once.

        From then on it hands nothing out any more.

        Args:
            error: What ended it: given to each closer, thrown into each
                generator. That it is let through is no failure.

        Raises:
            ExceptionGroup: Something failed to close.
        """
        failures = await close(self, error) if self.closers else None
        self.forget()
        if failures:
            raise_failures(_MESSAGE, failures, error)

    def end_sync(self, error: BaseException | None = None) -> None:
        """
        End the layer where nothing can be awaited, see ``end``.

        Raises:
            ExceptionGroup: Something failed to close, or has to be awaited.
        """
        failures = close_sync(self, error) if self.closers else None
        self.forget()
        if failures:
            raise_failures(_MESSAGE, failures, error)


def open_layer(
    below: Components, items: dict[t.Hashable, t.Any] | None = None
) -> Lifetime:
    """
    Put a layer with a lifetime of its own on a stack.

    It is not made the current one: ``buvar_context.set(layer)`` does that.

    Args:
        below: The stack.
        items: What the layer holds, by type, each of them announced. The
            dict is not copied.

    Raises:
        LayerEndedError: The layer it would stand on has ended.
    """
    layer: Lifetime = Lifetime()
    layer.items = {} if items is None else items
    layer.kept = {}
    layer.view = BLANK
    layer.names = layer.dependents = layer.closers = layer.scope = None
    if below.closers is ENDED:
        below.refuse(None)
    layer.below = below
    layer.stage = below.stage or below
    return layer


def defer(layer: Components, closer: Closer | Generator) -> None:
    """
    Have something end with a layer, see ``Lifetime.defer``.

    One generator alone, as most requests have, needs no list.

    Raises:
        LayerEndedError: The layer has ended.
    """
    if layer.closers is None and type(closer) is tuple:
        layer.closers = closer
    else:
        # What is kept from now on may hold what the closer closes.
        mark = object()
        _closers_of(layer).append((mark, closer))
        t.cast("dict[object, t.Any]", layer.kept)[mark] = None


def _closers_of(layer: Components) -> list[tuple[object, t.Any]]:
    closers = layer.closers
    if isinstance(closers, list):
        return closers
    several: list[tuple[object, t.Any]] = []
    if closers is not None:
        several.append((None, closers))
    layer.closers = several
    return several


def close_sync(
    layer: Components, error: BaseException | None
) -> list[BaseException]:
    """Run the closers of a layer that must not await, return failures."""
    failures: list[BaseException] = []
    closers = _closers_of(layer)
    while closers:
        mark, closer = closers.pop()
        try:
            if isinstance(closer, tuple):
                generator = t.cast("Generator", closer)[0]
                raise AsyncCloserError(generator)  # noqa: TRY301
            awaitable = closer(error)
            if awaitable is not None:
                _discard(awaitable)
                raise AsyncCloserError(closer)  # noqa: TRY301
        except BaseException as failure:  # noqa: BLE001 - all closers run
            _collect(failures, failure, error)
        layer.forget_since(mark)
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
    closers = _closers_of(layer)
    while closers:
        mark, closer = closers.pop()
        try:
            if isinstance(closer, tuple):
                await go_on(layer, t.cast("Generator", closer), error)
            else:
                awaitable = closer(error)
                if awaitable is not None:
                    await awaitable
        except BaseException as failure:  # noqa: BLE001 - all closers run
            _collect(failures, failure, error)
        layer.forget_since(mark)
    return failures


async def go_on(
    layer: Components, closer: Generator, error: BaseException | None
) -> None:
    """
    Let a generator go on behind its ``yield``, or throw the error in.

    It goes on in the context that it began in.
    """
    generator, twice, task = closer
    context = foreign_context(task)
    going = _go_on(generator, twice, error)
    if context is None:
        await going
    else:
        await await_in(context, layer, going)


async def _go_on(
    generator: t.AsyncGenerator[t.Any, None],
    twice: t.Callable[[], BaseException],
    error: BaseException | None,
) -> None:
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


def raise_failures(
    message: str,
    failures: t.Sequence[BaseException],
    error: BaseException | None = None,
) -> None:
    """
    Raise failures as one group.

    What asks the task or the process to end wins: it is raised as it is,
    caused by the group of the others. Since it is often taken for no failure
    (a task that was cancelled, an exit code), that group is logged as well.

    Args:
        message: What failed.
        failures: All that failed.
        error: What ended the block that they belong to, if it was not for
            them.
    """
    asked = [one for one in failures if isinstance(one, ENDING)]
    others = [one for one in failures if not isinstance(one, ENDING)]
    if isinstance(error, ENDING):
        asked.insert(0, error)
    elif asked and error is not None:
        others.insert(0, error)
    group = BaseExceptionGroup(message, others) if others else None
    if group is not None and not asked and _was_cancelled(others):
        asked.append(asyncio.CancelledError())
    if asked:
        ending = max(asked, key=_rank)
        if group is not None:
            _log.error(
                "%s, while it was asked to end by %s.",
                message[:1].upper() + message[1:],
                type(ending).__name__,
                exc_info=group,
            )
        if group is None:
            raise ending
        raise ending from group
    if group:
        raise group


def _was_cancelled(failures: t.Sequence[BaseException]) -> bool:
    """Tell whether a failure took the place of a cancellation of this task."""
    task: Task | None
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    if task is None or not task.cancelling():
        return False
    for failure in failures:
        seen: set[int] = set()
        one: BaseException | None = failure
        while one is not None and id(one) not in seen:
            if isinstance(one, asyncio.CancelledError):
                return True
            seen.add(id(one))
            one = one.__cause__ or one.__context__
    return False


def _rank(error: BaseException) -> bool:
    return not isinstance(error, asyncio.CancelledError)
