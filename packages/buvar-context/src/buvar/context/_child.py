"""A layer that ends with a block."""

from __future__ import annotations

import types
import typing as t

from buvar.components import Components
from buvar.components import Namespaces
from buvar.components._impl import MISSING
from buvar.components._types import Generator

from ._closing import ENDED
from ._closing import close
from ._closing import close_sync
from ._closing import raise_failures
from ._impl import buvar_context


_MESSAGE = "closing a layer failed"

_current = buvar_context.get
_set = buvar_context.set
_reset = buvar_context.reset


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
    _token: t.Any

    def __init__(
        self,
        namespaces: Components | Namespaces | None = None,
        *stack: Components | Namespaces,
    ) -> None:
        self._layers: tuple[t.Any, ...] | None = None
        if namespaces is not None or stack:
            self._layers = (namespaces, *stack)
        self._token = None

    def __enter__(self) -> Components:
        """Open the layer and return it."""
        if self._token is not None:
            msg = "A layer opens once; call context.child() for each block."
            raise RuntimeError(msg)
        if self._layers is None:
            layer = _current().scoped()
        else:
            layer = _current().push(*self._layers)
            layer.scope = None
        self._layer = layer
        self._token = _set(layer)
        return layer

    async def __aenter__(self) -> Components:
        """Open the layer and return it."""
        if self._token is not None or self._layers is not None:
            return self.__enter__()
        self._layer = layer = _current().scoped()
        self._token = _set(layer)
        return layer

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
        try:
            _reset(self._token)
        except ValueError:
            _opened_elsewhere()
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
        failures: list[BaseException] | None = None
        if closers := layer.closers:
            if error is None and isinstance(closers[-1], tuple):
                # The latest is mostly the only one: spelled out.
                one, twice = t.cast("Generator", closers.pop())
                try:
                    if await anext(one, MISSING) is not MISSING:
                        await one.aclose()
                        raise twice()  # noqa: TRY301
                except BaseException as failure:  # noqa: BLE001 - collected
                    failures = [failure]
            if closers:
                failures = (failures or []) + await close(layer, error)
        layer.closers = ENDED
        try:
            _reset(self._token)
        except ValueError:
            _opened_elsewhere()
        if failures:
            raise_failures(_MESSAGE, failures)


def _opened_elsewhere() -> None:
    """
    Leave the context as it is.

    A block may end in another context than it was opened in, as generators do
    when they are collected: that one never had the layer.
    """
