"""
Tell observers of the layers that are opened and closed above a stage.

As long as nobody observes any, nothing is different: ``child`` and
``open_layer`` make their layers through a variable each, which holds another
class for the time that somebody does. A layer of that class looks for the
observer of its own stage, so that two stages do not see each other's.
"""

# The layers are those of _child.py and of buvar.components.spi.
# pyright: reportPrivateUsage=false
# ruff: noqa: SLF001

from __future__ import annotations

import sys
import types
import typing as t

from buvar.components import Components
from buvar.components import spi
from buvar.components._closing import ENDING
from buvar.components._closing import MESSAGE
from buvar.components._closing import Lifetime
from buvar.components._layer import Layer
from buvar.components._lock import LOCK

from . import _child
from ._child import Child
from ._child import TimedChild


#: Called once when the layer has ended, with what came out of it.
OnClosed: t.TypeAlias = t.Callable[[BaseException | None], object]


class Observer(t.Protocol):
    """Is told of each layer of a stage."""

    def __call__(
        self, layer: Components, place: str, holds: tuple[t.Hashable, ...]
    ) -> OnClosed | None:
        """
        Hear of a layer that was opened.

        Args:
            layer: The layer.
            place: The file and line of what opened it.
            holds: The types of what it was opened with.

        Returns:
            What is called when it has ended, ``None`` if nothing is.
        """
        ...


#: By the layer of the stage.
_observers: dict[Layer, Observer] = {}


def observe(stage: Layer, observer: Observer) -> None:
    """Tell an observer of the layers opened from now on above a stage."""
    with LOCK:
        _observers[stage] = observer
        _make(ObservedLifetime, ObservedChild, ObservedTimedChild)


def unobserve(stage: Layer) -> None:
    """Tell nobody any more of layers that are opened above a stage."""
    with LOCK:
        _observers.pop(stage, None)
        if not _observers:
            _make(Lifetime, Child, TimedChild)


def _make(
    lifetime: type[Lifetime], child: type[Child], timed: type[TimedChild]
) -> None:
    spi._new = lifetime
    _child._new, _child._new_timed = child, timed


class Observed(Lifetime):
    """A layer whose observer hears that it was opened, and that it ended."""

    # Without slots: three classes with slots of their own share it.
    _place: str
    _on_closed: OnClosed | None = None

    def __init__(self) -> None:
        # The caller of what makes the layer.
        self._place = _place(sys._getframe(2))

    def _opened(self, holds: tuple[t.Hashable, ...]) -> None:
        observer = _observers.get(t.cast("Layer", self._stage))
        # Opening a block with components passes here twice.
        if observer is not None and self._on_closed is None:
            self._on_closed = observer(self, self._place, holds)

    def _closed(self, error: BaseException | None) -> None:
        with LOCK:
            on_closed, self._on_closed = self._on_closed, None
        if on_closed is not None:
            on_closed(error)

    async def close(
        self, error: BaseException | None = None
    ) -> list[BaseException]:
        """End the layer, see ``Lifetime.close``."""
        try:
            failures = await super().close(error)
        except BaseException as failure:
            self._closed(failure)
            raise
        self._closed(_outcome(failures, error))
        return failures

    def end_sync(self, error: BaseException | None = None) -> None:
        """End the layer, see ``Lifetime.end_sync``."""
        try:
            super().end_sync(error)
        except BaseException as failure:
            self._closed(failure)
            raise
        self._closed(error)

    def end_at_once(self) -> bool:
        """End the layer if it can be, see ``Lifetime.end_at_once``."""
        ended = super().end_at_once()
        if ended:
            self._closed(None)
        return ended


class ObservedLifetime(Observed):
    """What ``open_layer`` makes while somebody observes layers."""

    @property
    def _stage(self) -> Layer | None:
        return t.cast("Layer | None", _STAGE.__get__(self))

    @_stage.setter
    def _stage(self, stage: Layer | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        # With it the layer is complete.
        _STAGE.__set__(self, stage)
        self._opened(tuple(self._items))


#: Where each layer keeps its stage.
_STAGE: t.Final[t.Any] = vars(Layer)["_stage"]


class ObservedChild(Observed, Child):
    """What ``child`` makes while somebody observes layers."""

    async def __aenter__(self) -> t.Self:
        """Open the layer, tell of it, and return it."""
        holds = _types(self._token)
        await super().__aenter__()
        try:
            self._opened(holds)
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    def __enter__(self) -> t.Self:
        """Open the layer, tell of it, and return it."""
        holds = _types(self._token)
        super().__enter__()
        try:
            self._opened(holds)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        """End the layer, and tell of it."""
        try:
            await super().__aexit__(kind, error, traceback)
        except BaseException as failure:
            self._closed(failure)
            raise
        self._closed(error)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        """End the layer, and tell of it."""
        try:
            super().__exit__(kind, error, traceback)
        except BaseException as failure:
            self._closed(failure)
            raise
        self._closed(error)


class ObservedTimedChild(ObservedChild, TimedChild):
    """What ``child(timeout=...)`` makes while somebody observes layers."""

    def __init__(self) -> None:
        # One call more lies in between.
        self._place = _place(sys._getframe(3))


def _place(frame: types.FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _types(given: object) -> tuple[t.Hashable, ...]:
    """Return the types of what a block is opened with."""
    first: t.Any = t.cast("t.Any", given)[0] if type(given) is tuple else None
    if isinstance(first, Components):
        first = first._items
    return tuple(first or ())


def _outcome(
    failures: list[BaseException], error: BaseException | None
) -> BaseException | None:
    """Return what would come out of a block, see ``raise_failures``."""
    if not failures or isinstance(error, ENDING):
        return error
    for failure in failures:
        if isinstance(failure, ENDING):
            return failure
    return BaseExceptionGroup(MESSAGE, failures)
