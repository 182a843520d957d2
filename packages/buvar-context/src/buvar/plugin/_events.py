"""
What happens to a stage, as data, told to whoever listens.

An event is made only if there is a listener, so that a stage without any
pays for looking whether a list is empty.
"""

from __future__ import annotations

import inspect
import logging
import typing as t

from ._errors import StageOptionError
from ._state import State


_log = logging.getLogger("buvar.plugin")


class PluginPreparing(t.NamedTuple):
    """
    A plugin begins to be prepared.

    Attributes:
        plugin: Its name.
        loaded_by: The names of the plugins that led to it, nearest first.
    """

    plugin: str
    loaded_by: tuple[str, ...]


class PluginPrepared(t.NamedTuple):
    """
    A plugin is prepared.

    Attributes:
        plugin: Its name.
        seconds: How long that took, with the plugins it loaded.
    """

    plugin: str
    seconds: float


class PluginFailed(t.NamedTuple):
    """
    A plugin could not be prepared.

    Attributes:
        plugin: Its name.
        seconds: How long that took.
        error: Why not; what cancelled it, too.
    """

    plugin: str
    seconds: float
    error: BaseException


class TaskStarted(t.NamedTuple):
    """
    A task of a plugin was started.

    Attributes:
        plugin: The plugin that yielded it.
        task: Its name.
    """

    plugin: str
    task: str


class TaskEnded(t.NamedTuple):
    """
    A task of a plugin has ended, or was given up.

    Attributes:
        plugin: The plugin that yielded it.
        task: Its name.
        error: What it failed of, a ``CancelledError`` if it was cancelled,
            an ``AbandonedTaskError`` if it goes on, else ``None``.
    """

    plugin: str
    task: str
    error: BaseException | None


class StateChanged(t.NamedTuple):
    """
    The stage does something else from now on.

    Attributes:
        state: What it does.
    """

    state: State


Event: t.TypeAlias = (
    PluginPreparing
    | PluginPrepared
    | PluginFailed
    | TaskStarted
    | TaskEnded
    | StateChanged
)
Listener: t.TypeAlias = t.Callable[[Event], object]


class Listeners(list[Listener]):
    """The listeners of a stage, in the order in which they were added."""

    def add(self, listener: Listener) -> None:
        """
        Add one.

        Raises:
            StageOptionError: It is not a plain function.
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
        self.append(listener)

    def tell(self, event: Event) -> None:
        """Tell all; one that fails is logged, and told nothing any more."""
        for listener in tuple(self):
            try:
                listener(event)
            except Exception:  # noqa: BLE001 - it is logged
                self.remove(listener)
                _log.exception(
                    "The listener %r failed; it is told nothing more.",
                    listener,
                    extra={"event_type": type(event).__name__},
                )
