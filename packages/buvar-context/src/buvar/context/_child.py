"""A layer that ends with a block."""

from __future__ import annotations

import contextvars
import types
import typing as t

from buvar.components import Components
from buvar.components import Namespaces

from ._closing import ENDED
from ._closing import close
from ._closing import close_sync
from ._closing import raise_failures
from ._impl import buvar_context


_MESSAGE = "closing a layer failed"


class child:  # noqa: N801 - used as a function
    """
    Open a layer that ends with the block, sync or async.

    What is added in the block is gone after it. What was built for the
    length of the layer is closed, latest first, each even if another failed;
    the failures are raised as one group.

    Args:
        namespaces: What the layer starts with.
        stack: The layers below it, by default the current context.

    Example:
        >>> with child():
        ...     _ = buvar_context.get().add("only here")
        >>> buvar_context.get().get(str, default=None)
    """

    # Each request opens one: no attribute and no call more than needed.
    __slots__ = ("_layer", "_layers", "_token")

    _layer: Components

    def __init__(
        self,
        namespaces: Components | Namespaces | None = None,
        *stack: Components | Namespaces,
    ) -> None:
        self._layers: tuple[t.Any, ...] | None = None
        if namespaces is not None or stack:
            self._layers = (namespaces, *stack)
        self._token: contextvars.Token[Components] | None = None

    def __enter__(self) -> Components:
        """Open the layer and return it."""
        if self._token is not None:
            msg = "A layer opens once; call context.child() for each block."
            raise RuntimeError(msg)
        below = buvar_context.get()
        layer = below.push(*self._layers) if self._layers else below.push()
        layer.scope = None
        self._layer = layer
        self._token = buvar_context.set(layer)
        return layer

    async def __aenter__(self) -> Components:
        """Open the layer and return it."""
        return self.__enter__()

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
        layer = self._layer
        failures = close_sync(layer, error) if layer.closers else None
        layer.closers = ENDED
        self._leave()
        if failures:
            raise_failures(_MESSAGE, failures)

    async def __aexit__(
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
        layer = self._layer
        failures = await close(layer, error) if layer.closers else None
        layer.closers = ENDED
        self._leave()
        if failures:
            raise_failures(_MESSAGE, failures)

    def _leave(self) -> None:
        if self._token is None:  # pragma: no cover - for the type checkers
            return
        try:
            buvar_context.reset(self._token)
        except ValueError:
            # Ended in another context than it was opened in, as generators
            # are when they are collected: that one never had the layer.
            return
