"""Tell the listeners of a stage of its layers."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
import typing as t

from buvar.components import Components
from buvar.components.spi import lifetime_of
from buvar.context import Deadline
from buvar.context import LayerEndedError
from buvar.context._observe import OnClosed
from buvar.context._observe import observe
from buvar.context._observe import unobserve

from ._events import Event
from ._events import LayerClosed
from ._events import LayerOpened


T = t.TypeVar("T")


class LayerObserver(t.Generic[T]):
    """
    Makes events of what happens to the layers of a stage.

    Args:
        stage: The layer of the stage.
        listeners: Returns the listeners that ask for such events.
        tell: Tells some listeners of an event.
    """

    def __init__(
        self,
        stage: Components,
        listeners: t.Callable[[], list[T]],
        tell: t.Callable[[Event, list[T]], None],
    ) -> None:
        self._stage = stage
        self._listeners = listeners
        self._tell_each = tell
        #: The threads that tell of a layer right now: what a listener opens
        #: itself would have no end.
        self._telling: set[int] = set()

    def start(self) -> None:
        """Hear of layers that are opened from now on."""
        observe(self._stage, self)

    def stop(self) -> None:
        """Hear of those only that are open."""
        unobserve(self._stage)

    def __call__(
        self, layer: Components, place: str, holds: tuple[t.Hashable, ...]
    ) -> OnClosed | None:
        """Tell that a layer was opened, see ``Observer``."""
        told = self._listeners()
        if not told or threading.get_ident() in self._telling:
            return None
        event = LayerOpened(
            layer,
            lifetime_of(layer.pop()),
            place,
            holds,
            _task(),
            _deadline(layer),
        )
        closed = functools.partial(self._closed, event, time.monotonic(), told)
        try:
            self._tell(event, told)
        except BaseException as error:
            closed(error)
            raise
        return closed

    def _closed(
        self,
        opened: LayerOpened,
        start: float,
        told: list[T],
        error: BaseException | None,
    ) -> None:
        seconds = time.monotonic() - start
        self._tell(LayerClosed(opened, seconds, error), told)

    def _tell(self, event: Event, told: list[T]) -> None:
        thread = threading.get_ident()
        if thread in self._telling:
            # A listener has ended a layer.
            self._tell_each(event, told)
            return
        self._telling.add(thread)
        try:
            self._tell_each(event, told)
        finally:
            self._telling.discard(thread)


def _task() -> str | None:
    """Return the name of the task that runs, if one does."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return None
    return None if task is None else task.get_name()


def _deadline(layer: Components) -> Deadline | None:
    """Return what bounds a layer, if there is something."""
    try:
        return layer.get(Deadline, default=None)
    except LayerEndedError:
        # One further down, that it does not stand on directly.
        return None
