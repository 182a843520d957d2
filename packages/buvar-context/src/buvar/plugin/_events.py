"""What happens to a stage, as data, and those that listen to it."""

# Annotations are not text here: fields of named tuples are looked up at once.

import typing as t

from buvar.components import Components
from buvar.context import Deadline

from ._state import State


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


class LayerOpened(t.NamedTuple):
    """
    A layer with a lifetime was opened: of a block, of a request.

    Attributes:
        layer: The layer; it may be asked, ``event.layer.get(Request)``. Keep
            it weakly, if at all: it holds all that was added to it.
        parent: The layer that it lies on, the nearest with a lifetime.
        place: The file and line of what opened it.
        holds: The types of what it was opened with.
        task: The name of the task that opened it, ``None`` if there is none.
        deadline: What bounds it, see ``context.child(timeout=...)``.
    """

    layer: Components
    parent: Components
    place: str
    holds: tuple[t.Hashable, ...]
    task: str | None
    deadline: Deadline | None


class LayerClosed(t.NamedTuple):
    """
    A layer has ended, and all that was built for its length.

    Attributes:
        opened: How it was opened; its layer hands nothing out any more.
        seconds: How long it was open, with what was closed.
        error: What came out of it: what it ended with, or what failed to
            close; ``None`` if all went well.
    """

    opened: LayerOpened
    seconds: float
    error: BaseException | None


Event: t.TypeAlias = (
    PluginPreparing
    | PluginPrepared
    | PluginFailed
    | TaskStarted
    | TaskEnded
    | StateChanged
    | LayerOpened
    | LayerClosed
)
Listener: t.TypeAlias = t.Callable[[Event], object]


class Listening:
    """
    One who listens.

    Attributes:
        listener: The function.
        events: The classes of the events it is called with.
    """

    __slots__ = ("events", "listener")

    def __init__(self, listener: Listener, events: frozenset[type]) -> None:
        self.listener = listener
        self.events = events
