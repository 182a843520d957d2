"""Layers with a lifetime of their own, and how they end."""

from __future__ import annotations

import asyncio
import inspect
import logging
import typing as t

from ._builder import Task
from ._builder import await_in
from ._builder import current_task
from ._builder import foreign_context
from ._builder import run_in
from ._errors import AsyncCloserError
from ._impl import Components
from ._types import ENDED
from ._types import MISSING
from ._types import Closer
from ._types import Generator
from ._views import BLANK


_log = logging.getLogger("buvar.context")

#: Ask the task or the process to end: raised as they are, never in a group.
ENDING: t.Final = (asyncio.CancelledError, KeyboardInterrupt, SystemExit)

MESSAGE: t.Final = "closing a layer failed"


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
        if self._closers is None and type(closer) is tuple:
            # One generator alone, as most requests have, needs no list.
            alone: t.Any = closer
            self._closers = alone
        else:
            # What is kept from now on may hold what the closer closes.
            mark = object()
            self._own_closers().append((mark, closer))
            t.cast("dict[object, t.Any]", self._kept)[mark] = None

    async def close(
        self, error: BaseException | None = None
    ) -> list[BaseException]:
        """
        End the layer as ``end`` does, but return what failed to close.

        Args:
            error: What ended it: given to each closer, thrown into each
                generator. Letting it through is not a failure.
        """
        failures: list[BaseException] = []
        closers = self._closers
        if error is None and type(closers) is tuple:
            # A generator that goes on where it began: the usual case of a
            # request, spelled out.
            generator, twice, task = closers
            try:
                here = task is current_task()
            except RuntimeError:
                here = task is None
            if here:
                self._closers = None
                try:
                    if await anext(generator, MISSING) is not MISSING:
                        await generator.aclose()
                        raise twice()  # noqa: TRY301
                except BaseException as failure:  # noqa: BLE001 - returned
                    failures.append(failure)
                if self._closers is not None:
                    # What it was kept for is closed.
                    self._forget_since(None)
        if self._closers:
            failures += await self._close(error)
        self._closers, self._kept = ENDED, None
        self._view = BLANK
        if self._dependents:
            self._forget()
        return failures

    async def end(self, error: BaseException | None = None) -> None:
        """
        End the layer: what was deferred runs, latest first, each once.

        From then on it hands nothing out any more.

        Args:
            error: What ended it, see ``close``.

        Raises:
            ExceptionGroup: Something failed to close.
        """
        failures = await self.close(error)
        if failures:
            raise_failures(MESSAGE, failures, error)

    def end_sync(self, error: BaseException | None = None) -> None:
        """
        End the layer where nothing can be awaited, see ``end``.

        Raises:
            ExceptionGroup: Something failed to close, or has to be awaited.
        """
        failures = self._close_sync(error) if self._closers else None
        self._forget()
        if failures:
            raise_failures(MESSAGE, failures, error)

    def end_at_once(self) -> bool:
        """
        End the layer if nothing was deferred, so that nothing can fail.

        Returns:
            Whether it has ended.
        """
        if self._closers:
            return False
        self._closers, self._kept = ENDED, None
        self._view = BLANK
        if self._dependents:
            self._forget()
        return True

    def _own_closers(self) -> list[tuple[object, t.Any]]:
        """Return the list of what ends with the layer."""
        closers = self._closers
        if isinstance(closers, list):
            return closers
        several: list[tuple[object, t.Any]] = []
        if closers is not None:
            several.append((None, closers))
        self._closers = several
        return several

    async def _close(self, error: BaseException | None) -> list[BaseException]:
        """Run the closers, those added meanwhile as well: return failures."""
        failures: list[BaseException] = []
        closers = self._own_closers()
        while closers:
            mark, closer = closers.pop()
            try:
                if isinstance(closer, tuple):
                    await go_on(self, t.cast("Generator", closer), error)
                else:
                    awaitable = closer(error)
                    if awaitable is not None:
                        await awaitable
            except BaseException as failure:  # noqa: BLE001 - all closers run
                _collect(failures, failure, error)
            self._forget_since(mark)
        return failures

    def _close_sync(self, error: BaseException | None) -> list[BaseException]:
        """Run the closers, which must not await: return failures."""
        failures: list[BaseException] = []
        closers = self._own_closers()
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
            self._forget_since(mark)
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
            if _wraps(failure, error):
                return
            raise
    await generator.aclose()
    raise twice()


def close_generator(
    generator: t.Generator[t.Any, None, None],
    twice: t.Callable[[], BaseException],
    layer: Components,
    task: Task | None,
    error: BaseException | None,
) -> None:
    """
    Let a synchronous generator go on behind its ``yield``, when a layer ends.

    Deferred as ``functools.partial(close_generator, generator, twice, layer,
    running_task())``, it goes on in the context that it began in.

    Args:
        generator: It has yielded once.
        twice: Makes the error if it yields again.
        layer: The layer that ends.
        task: The task that began it, ``None`` where no event loop runs.
        error: What ended the layer, to be thrown in.
    """
    context = foreign_context(task)
    step: t.Any = generator.send
    if error is not None:
        step = generator.throw
    try:
        if context is None:
            step(error)
        else:
            run_in(context, layer, step, error)
    except StopIteration:
        return
    except BaseException as failure:
        if failure is error or _wraps(failure, error):
            return
        raise
    generator.close()
    raise twice()


def _wraps(failure: BaseException, error: BaseException | None) -> bool:
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
    *,
    logged: bool = False,
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
        logged: The caller has logged what is not raised.
    """
    asked = [failure for failure in failures if isinstance(failure, ENDING)]
    others = [
        failure for failure in failures if not isinstance(failure, ENDING)
    ]
    if isinstance(error, ENDING):
        asked.insert(0, error)
    elif asked and error is not None:
        others.insert(0, error)
    group = BaseExceptionGroup(message, others) if others else None
    if group is not None and not asked and _was_cancelled(others):
        asked.append(asyncio.CancelledError())
    if asked:
        ending = max(asked, key=_rank)
        if group is not None and not logged:
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
        cause: BaseException | None = failure
        while cause is not None and id(cause) not in seen:
            if isinstance(cause, asyncio.CancelledError):
                return True
            seen.add(id(cause))
            cause = cause.__cause__ or cause.__context__
    return False


def _rank(error: BaseException) -> bool:
    return not isinstance(error, asyncio.CancelledError)
