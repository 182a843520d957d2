"""Listen to the stage that runs."""

from __future__ import annotations

import typing as t

from buvar import context

from ._errors import StateError
from ._events import Event
from ._events import Listener
from ._stage import Stage


A = t.TypeVar("A", bound=Event)
B = t.TypeVar("B", bound=Event)


@t.overload
def listen(listener: Listener) -> None: ...
@t.overload
def listen(listener: t.Callable[[A], object], event: type[A], /) -> None: ...
@t.overload
def listen(
    listener: t.Callable[[A | B], object], event: type[A], other: type[B], /
) -> None: ...
@t.overload
def listen(
    listener: t.Callable[[A], object], event: type[A], /, *events: type[A]
) -> None: ...
def listen(
    listener: t.Callable[[t.Any], object], *events: type[t.Any]
) -> None:
    """
    Call a function with the events of the stage that runs, from now on.

    Give ``Stage(listeners=[...])``, or ``plugin.stage``, those that are to
    hear of the first plugin as well. A listener has to return soon: it is
    called in the thread of the event loop, or in the one that opens or closes
    a layer. One that raises an exception is logged and not called again; the
    stage goes on.

    Events of layers have to be asked for, since each request opens one or
    more. They are about the layers that are opened from now on above the
    plugins' layer, save those that a listener itself opens. A listener that
    hears that a layer was opened hears once that it has ended.

    Args:
        listener: Takes an event.
        events: The classes it is called with, of those named in ``Event``:
            by default all but ``LayerOpened`` and ``LayerClosed``.

    Raises:
        StageOptionError: It is not a plain function, or something else is
            asked for than events.
        StateError: There is no stage.

    Example:
        >>> from buvar.plugin import PluginPrepared
        >>> def slow(event):
        ...     if event.seconds > 1:
        ...         print(f"{event.plugin} took {event.seconds:.1f} s")
        >>> async def prepare():
        ...     listen(slow, PluginPrepared)
    """
    stage = context.get(Stage, default=None)
    if stage is None:
        raise StateError(
            "A listener was to be added",
            "not running",
            "Call listen() in prepare, or give Stage(listeners=[...]).",
        )
    stage.listeners.add(listener, *events)
