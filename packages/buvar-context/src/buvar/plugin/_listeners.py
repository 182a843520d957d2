"""
Who listens to a stage, and to what.

An event is made only if there is a listener, so that a stage without any
pays for looking whether a list is empty. Layers are observed only if there is
one that asks for them: see ``buvar.context._observe``.
"""

from __future__ import annotations

import inspect
import logging
import typing as t

from buvar.components import Components

from ._errors import StageOptionError
from ._events import Event
from ._events import LayerClosed
from ._events import LayerOpened
from ._events import Listening


if t.TYPE_CHECKING:
    from ._layer_observer import LayerObserver


_log = logging.getLogger("buvar.plugin")

_EVENTS: t.Final[tuple[type, ...]] = t.get_args(Event)
_OF_LAYERS: t.Final[frozenset[type]] = frozenset((LayerOpened, LayerClosed))


class Listeners(list[Listening]):
    """
    The listeners of a stage, in the order in which they were added.

    Args:
        layer: The layer of the stage.
    """

    def __init__(self, layer: Components) -> None:
        super().__init__()
        self._layer = layer
        self._observer: LayerObserver | None = None

    def add(
        self, listener: t.Callable[[t.Any], object], *events: type[Event]
    ) -> None:
        """
        Add one.

        Args:
            listener: The function.
            events: The classes it asks for: by default all but those of
                layers.

        Raises:
            StageOptionError: It is not a plain function, or asks for
                something else than events.
        """
        called = getattr(listener, "__call__", None)  # noqa: B004
        if not callable(listener) or any(
            inspect.iscoroutinefunction(function)
            for function in (listener, called)
        ):
            raise StageOptionError(
                "listeners",
                f"{listener!r} is not a plain function",
                "Give a function that takes an event; what awaits is a task.",
            )
        for event in events:
            if event not in _EVENTS:
                raise StageOptionError(
                    "events",
                    f"{event!r} is not the class of an event",
                    "Give those that plugin.Event names, such as "
                    "plugin.LayerClosed.",
                )
        asked = frozenset(events or _EVENTS)
        if not events:
            asked -= _OF_LAYERS
        self.append(Listening(listener, asked))
        if asked & _OF_LAYERS and self._observer is None:
            from ._layer_observer import LayerObserver  # noqa: PLC0415 - few do

            self._observer = LayerObserver(
                self._layer, self.of_layers, self.tell
            )
            self._observer.start()

    def of_layers(self) -> list[Listening]:
        """Return those that ask for events of layers."""
        return [each for each in self if each.events & _OF_LAYERS]

    def tell(
        self, event: Event, told: t.Iterable[Listening] | None = None
    ) -> None:
        """
        Tell those that ask for it; one that fails is not called again.

        Args:
            event: What happened.
            told: Some of the listeners, by default all.
        """
        raised: BaseException | None = None
        for each in tuple(self) if told is None else told:
            if type(event) not in each.events or each not in self:
                continue
            try:
                each.listener(event)
            except Exception:  # noqa: BLE001 - it is logged
                self._drop(each)
                _log.exception(
                    "The listener %r failed; it is not called again.",
                    each.listener,
                    extra={"event_type": type(event).__name__},
                )
            except BaseException as error:  # noqa: BLE001 - raised below
                # All hear of it nevertheless.
                raised = raised or error
        if raised is not None:
            raise raised

    def _drop(self, failed: Listening) -> None:
        self[:] = [each for each in self if each.listener != failed.listener]
        if not self.of_layers():
            self.end()

    def end(self) -> None:
        """Hear of no more layers that are opened."""
        if self._observer is not None:
            self._observer.stop()
            self._observer = None
