"""A layer that ends with a block."""

# A layer is made without calls into its class, which would cost more than all
# the rest: here, and in buvar.components.spi.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextvars
import inspect
import types
import typing as t

from buvar.components import Components
from buvar.components import LayerEndedError
from buvar.components import Namespaces
from buvar.components._builder import current_task
from buvar.components._closing import MESSAGE
from buvar.components._closing import Lifetime
from buvar.components._closing import raise_failures
from buvar.components._current import buvar_context
from buvar.components._types import ENDED
from buvar.components._types import MISSING
from buvar.components._views import BLANK

from ._deadline import Deadline
from ._deadline import DeadlineError
from ._deadline import check_timeout
from ._deadline import deadline_of
from ._deadline import says_over


_current = buvar_context.get
_set = buvar_context.set
_task = current_task
_reset: t.Callable[[t.Any], None] = buvar_context.reset


def child(
    namespaces: Components | Namespaces | None = None,
    *stack: Components | Namespaces,
    timeout: float | None = None,
) -> Child:
    """
    Open a layer that ends with a block: ``with`` or ``async with``.

    What is added in the block is gone after it. What was built for the
    length of the layer is closed, latest first, each even if another failed;
    the failures are raised as one group. What outlives the block, such as a
    task, gets ``LayerEndedError`` from then on.

    The layer keeps what is built in it: it does not share what the layers
    below keep, only what was added to them.

    Args:
        namespaces: What the layer starts with.
        stack: More layers between it and the current context, top first.
        timeout: Seconds that the block may take, with all layers within it
            and with closing what was built; never longer than what a block
            around it has left. It needs ``async with``. The block is
            cancelled then, what is closed sees that, and ``DeadlineError``
            is raised, a ``TimeoutError``. What is left is a component,
            ``Deadline``.

    Raises:
        ValueError: The timeout is not a number of seconds.

    Example:
        >>> with child() as layer:
        ...     _ = layer.add("only here")
        >>> buvar_context.get().get(str, default=None)
    """
    given = (namespaces, *stack) if namespaces or stack else None
    if timeout is not None:
        return _timed(given, timeout)
    # Each request opens one: the constructor of another layer, spelled out.
    layer: Child = _new()
    layer._items = layer._view = BLANK
    layer._kept = {}
    layer._names = layer._dependents = layer._closers = None
    layer._below = layer._scope = layer._stage = None
    layer._token = given
    return layer


class Child(Lifetime):
    """A layer that is opened and ended by a block."""

    __slots__ = ("_token",)

    #: Takes it off the context. Before it is opened: what it starts with and
    #: more layers below it, ``None`` for neither.
    _token: contextvars.Token[Components] | tuple[t.Any, ...] | None

    async def __aenter__(self) -> t.Self:
        """Open the layer and return it."""
        if self._token is not None:
            return self.__enter__()
        self._below = below = _current()
        if below._closers is ENDED:
            below._refuse(None)
        self._stage = below._stage or below
        self._token = _set(self)
        return self

    def __enter__(self) -> t.Self:
        """
        Open the layer and return it.

        Raises:
            RuntimeError: It has been opened before.
            LayerEndedError: The layer it would stand on has ended.
        """
        below, given = _current(), self._token
        if isinstance(given, tuple):
            first, *stack = given
            for layer in reversed(stack):
                below = below.push(layer)
            self._start(first)
        elif given is not None:
            msg = "A layer opens once; call context.child() for each block."
            raise RuntimeError(msg)
        if below._closers is ENDED:
            below._refuse(None)
        self._below = below
        self._stage = below._stage or below
        self._token = _set(self)
        return self

    async def __aexit__(  # noqa: C901 - the usual case is spelled out
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: types.TracebackType | None,
    ) -> None:
        """
        End the layer.

        Raises:
            ExceptionGroup: Something failed to close.
        """
        failures: list[BaseException] | None = None
        if (closers := self._closers) is not None:
            if error is None and type(closers) is tuple:
                # The usual case, spelled out.
                generator, twice, task = closers
                try:
                    here = task is _task()
                except RuntimeError:
                    here = task is None
                if here:
                    self._closers = None
                    try:
                        if await anext(generator, MISSING) is not MISSING:
                            await generator.aclose()
                            raise twice()  # noqa: TRY301
                    except BaseException as failure:  # noqa: BLE001
                        failures = [failure]
                    if self._closers is not None:
                        # What it was kept for is closed.
                        self._forget_since(None)
            if self._closers is not None:
                failures = (failures or []) + await self._close(error)
        self._closers = ENDED
        self._kept = None
        if self._dependents is not None:
            # It has a view of its own, or others look through it.
            self._forget()
        try:
            _reset(self._token)
        except ValueError:
            _opened_elsewhere()
        if failures:
            raise_failures(MESSAGE, failures, error)

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: types.TracebackType | None,
    ) -> None:
        """
        End the layer.

        Raises:
            ExceptionGroup: Something failed to close, or has to be awaited.
        """
        failures = self._close_sync(error) if self._closers else None
        self._closers = ENDED
        self._kept = None
        if self._dependents is not None:
            # It has a view of its own, or others look through it.
            self._forget()
        try:
            _reset(self._token)
        except ValueError:
            _opened_elsewhere()
        if failures:
            raise_failures(MESSAGE, failures, error)


class TimedChild(Child):
    """
    The same, for a bounded time.

    It rests on ``asyncio.timeout``, so a cancellation from outside and one
    for the sake of the time are told apart: the task counts them.
    """

    __slots__ = ("bound", "deadline", "outer", "place", "timeout")

    timeout: float
    #: The file and line of the block.
    place: str
    #: How long it may take, once it is entered.
    deadline: Deadline
    #: A deadline of another task that comes first.
    outer: Deadline | None
    #: What cancels it; ``None`` where a block around it ends first.
    bound: asyncio.Timeout | None

    def __enter__(self) -> t.Self:
        """
        Refuse a block that nothing can interrupt.

        Raises:
            RuntimeError: Always.
        """
        msg = (
            f"The block at {self.place} cannot be stopped after "
            f"{self.timeout:g} s: nothing else runs while it does. "
            "Use 'async with context.child(timeout=...)'."
        )
        raise RuntimeError(msg)

    async def __aenter__(self) -> t.Self:
        """
        Open the layer, start the time, and return the layer.

        Raises:
            RuntimeError: It has been opened before.
            LayerEndedError: A layer below it has ended.
        """
        super().__enter__()
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        self.deadline = Deadline(self.timeout, self.place, loop, task)
        try:
            around = deadline_of(self)
        except LayerEndedError as ended:
            # One further down has ended: the block is not entered.
            super().__exit__(type(ended), ended, None)
            raise
        self.bound = self.outer = None
        left = self.timeout
        if around is not None and around.remaining() <= left:
            left = around.remaining()
            if around.task is task and left:
                # That block is ended by its own bound, and this one with it.
                return self
            # What was cancelled then and goes on is not cancelled again.
            self.outer = around
        else:
            self.add(self.deadline)
        self.bound = asyncio.timeout_at(loop.time() + left)
        await self.bound.__aenter__()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: types.TracebackType | None,
    ) -> None:
        """
        End the layer.

        Raises:
            DeadlineError: The time was over.
            ExceptionGroup: Something failed to close.
        """
        raised = error
        try:
            await super().__aexit__(_type, error, _traceback)
        except BaseException as failure:  # noqa: BLE001 - raised below
            raised = failure
        if self.bound is not None:
            kind = None if raised is None else type(raised)
            try:
                await self.bound.__aexit__(kind, raised, None)
            except TimeoutError:
                late = DeadlineError(self.deadline, self.outer)
                raise late from raised
            if raised is not None and says_over(raised, self.deadline):
                # A task that was started in the block noticed first.
                raise DeadlineError(self.deadline) from raised
        if raised is not None and raised is not error:
            raise raised


#: What ``child`` makes: classes that tell of it while somebody observes
#: layers, see ``_observe``.
_new: type[Child] = Child
_new_timed: type[TimedChild] = TimedChild


def _timed(given: tuple[t.Any, ...] | None, timeout: float) -> TimedChild:
    layer: TimedChild = _new_timed()
    layer._put_on(None)
    layer._token = given
    layer.timeout = check_timeout(timeout)
    layer.place = _place(inspect.currentframe())
    return layer


def _place(frame: types.FrameType | None) -> str:
    """Return the file and line of what called ``child``."""
    for _ in range(2):
        frame = frame and frame.f_back
    if frame is None:  # pragma: no cover - not in CPython
        return "an unknown place"
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _opened_elsewhere() -> None:
    """
    Leave the context as it is.

    A block may end in another context than it was opened in, as generators do
    when they are collected: that one never had the layer.
    """
