"""A layer that ends with a block."""

# A layer is made without calls into its class, which would cost more than all
# the rest: here, and in buvar.components.spi.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import contextvars
import types
import typing as t

from buvar.components import Components
from buvar.components import Namespaces
from buvar.components._builder import current_task
from buvar.components._closing import MESSAGE
from buvar.components._closing import Lifetime
from buvar.components._closing import raise_failures
from buvar.components._current import buvar_context
from buvar.components._layer import BLANK
from buvar.components._types import ENDED
from buvar.components._types import MISSING


_current = buvar_context.get
_set = buvar_context.set
_task = current_task
_reset: t.Callable[[t.Any], None] = buvar_context.reset


def child(
    namespaces: Components | Namespaces | None = None,
    *stack: Components | Namespaces,
) -> Child:
    """
    Open a layer that ends with a block: ``with`` or ``async with``.

    What is added in the block is gone after it. What was built for the
    length of the layer is closed, latest first, each even if another failed;
    the failures are raised as one group. What outlives the block, as a task
    may, gets ``LayerEndedError`` from then on.

    The layer keeps what is built in it: it does not share what the layers
    below keep, only what was added to them.

    Args:
        namespaces: What the layer starts with.
        stack: More layers between it and the current context, top first.

    Example:
        >>> with child() as layer:
        ...     _ = layer.add("only here")
        >>> buvar_context.get().get(str, default=None)
    """
    # Each request opens one: the constructor of another layer, spelled out.
    layer: Child = Child()
    layer._items = layer._view = BLANK
    layer._kept = {}
    layer._names = layer._dependents = layer._closers = None
    layer._below = layer._scope = layer._stage = None
    layer._token = (namespaces, *stack) if namespaces or stack else None
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
        self._closers, self._kept = ENDED, None
        self._view = BLANK
        if self._dependents:
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
        self._closers, self._kept = ENDED, None
        self._view = BLANK
        if self._dependents:
            self._forget()
        try:
            _reset(self._token)
        except ValueError:
            _opened_elsewhere()
        if failures:
            raise_failures(MESSAGE, failures, error)


def _opened_elsewhere() -> None:
    """
    Leave the context as it is.

    A block may end in another context than it was opened in, as generators do
    when they are collected: that one never had the layer.
    """
