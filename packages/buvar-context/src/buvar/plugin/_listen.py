"""Listen to the stage that runs."""

from __future__ import annotations

from buvar import context

from ._errors import StateError
from ._events import Listener
from ._stage import Stage


def listen(listener: Listener) -> None:
    """
    Call a function with each event of the stage that runs, from now on.

    Give ``Stage(listeners=[...])``, or ``plugin.stage``, those that are to
    hear of the first plugin as well. A listener is called in the thread of
    the event loop and has to return soon. One that raises an exception is
    logged and told nothing more; the stage goes on.

    Args:
        listener: Takes an event, one of the classes named in ``Event``.

    Raises:
        StageOptionError: It is not a plain function.
        StateError: There is no stage.

    Example:
        >>> from buvar.plugin import PluginPrepared
        >>> def slow(event):
        ...     if isinstance(event, PluginPrepared) and event.seconds > 1:
        ...         print(f"{event.plugin} took {event.seconds:.1f} s")
        >>> async def prepare():
        ...     listen(slow)
    """
    stage = context.get(Stage, default=None)
    if stage is None:
        raise StateError(
            "A listener was to be added",
            "not there",
            "Call listen() in prepare, or give Stage(listeners=[...]).",
        )
    stage.listeners.add(listener)
