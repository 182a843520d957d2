"""The records that a stage keeps, one for each plugin it prepares."""

from __future__ import annotations

import asyncio
import contextvars
import typing as t

from buvar.components import Components
from buvar.components._lock import LOCK
from buvar.components.spi import Lifetime

from ._failure import Where
from ._report import PluginReport
from ._resolve import Resolved
from ._work import Counts


class Added:
    """
    A component that a plugin added.

    Attributes:
        keys: What it is found by.
        name: The name it was added with.
        item: The component.
    """

    __slots__ = ("item", "keys", "name")

    def __init__(
        self, keys: tuple[t.Hashable, ...], name: t.Hashable, item: t.Any
    ) -> None:
        self.keys = keys
        self.name = name
        self.item = item


class PluginRecord:
    """
    A plugin that is being prepared, or was.

    Attributes:
        plugin: The plugin.
        parent: The one that loaded it first, if any.
        waits: The plugins it is loading or waiting for right now.
        running: Its coroutine or generator while it is being prepared.
        done: Set when it is prepared or failed.
        error: Why it failed.
        components: What it added, by namespace and name.
        tasks: The names of the tasks it gave.
        events: What it did, in that order: plugins it loaded together,
            components it added, tasks it gave.
        group: The plugins that are prepared at the same time, itself among
            them, in the order they were asked for.
        work: The counts of those that are run again and again.
        start: When it began, in the loop's time.
        seconds: How long it took.
    """

    __slots__ = (
        "components",
        "done",
        "error",
        "events",
        "group",
        "parent",
        "plugin",
        "running",
        "seconds",
        "start",
        "tasks",
        "waits",
        "work",
    )

    def __init__(self, plugin: Resolved, parent: PluginRecord | None) -> None:
        self.plugin = plugin
        self.parent = parent
        self.waits: list[PluginRecord] = []
        self.running: t.Any = None
        self.done = asyncio.Event()
        self.error: BaseException | None = None
        self.components: list[tuple[t.Hashable, t.Hashable]] = []
        self.tasks: list[str] = []
        self.events: list[Group | Added | object] = []
        self.group: list[PluginRecord] = []
        self.work: dict[str, Counts] = {}
        self.start = 0.0
        self.seconds: float | None = None

    @property
    def chain(self) -> tuple[str, ...]:
        """The names of the plugins that led to it, nearest first."""
        names: list[str] = []
        record = self.parent
        while record is not None:
            names.append(record.plugin.name)
            record = record.parent
        return tuple(names)

    def where(self, note: str, sentence: str, **facts: t.Any) -> Where:
        """Say where in this plugin something failed, {} being its name."""
        facts["plugin"] = self.plugin.name
        named = f"{self}," if self.parent else str(self)
        return Where(note.format(self), sentence.format(named), facts)

    def __str__(self) -> str:
        """Name the plugin and who loaded it."""
        loaded = "".join(f", loaded by {name!r}" for name in self.chain)
        return f"plugin {self.plugin.name!r}{loaded}"

    def is_prepared(self) -> bool:
        """Tell whether it is prepared, and so are those that loaded it."""
        record: PluginRecord | None = self
        while record is not None:
            if not record.done.is_set() or record.error is not None:
                return False
            record = record.parent
        return True

    def needs(self, other: PluginRecord) -> bool:
        """Tell whether it cannot be done before the other one is."""
        todo: list[PluginRecord] = [self]
        seen = {id(self)}
        while todo:
            record = todo.pop()
            if record is other:
                return True
            for waited in record.waits:
                if id(waited) not in seen:
                    seen.add(id(waited))
                    todo.append(waited)
        return False

    def unfinished(self) -> list[PluginRecord]:
        """List what came before it, but is not prepared yet."""
        found: list[PluginRecord] = []
        record: PluginRecord | None = self
        while record is not None:
            for other in record.group:
                if other is record:
                    break
                if not other.done.is_set():
                    found.append(other)
            record = record.parent
        return found

    def report(self) -> PluginReport:
        """Return what became of it, as data."""
        return PluginReport(
            self.plugin.name,
            self.chain,
            self.seconds,
            tuple(self.components),
            tuple(self.tasks),
            self.error,
            {name: counts.copy() for name, counts in self.work.items()},
        )


class Group(list[PluginRecord]):
    """Plugins that were loaded together, in the order they were named."""


#: The plugin that the running code prepares.
preparing: contextvars.ContextVar[PluginRecord | None] = (
    contextvars.ContextVar("buvar_plugin", default=None)
)


class PluginLayer(Lifetime):
    """The layer shared by all plugins: remembers who added what."""

    __slots__ = ()

    def __init__(self, below: Components) -> None:
        self._put_on(below)
        self._scope = self._stage = None
        self._kept = {}

    def add(
        self,
        item: t.Any,
        namespace: t.Hashable | None = None,
        *,
        name: t.Hashable = None,
    ) -> t.Any:
        """Store a component and note which plugin did."""
        super().add(item, namespace, name=name)
        record = preparing.get()
        if record is not None:
            key: t.Hashable = namespace
            if namespace is None:
                key = t.cast("t.Hashable", type(item))
            record.components.append((key, name))
            keys: tuple[t.Hashable, ...] = (key,)
            if namespace is None:
                keys = t.cast("t.Any", type(item)).__mro__
            record.events.append(Added(keys, name, item))
        return item

    def arrange(self, added: t.Iterable[Added]) -> None:
        """
        Put components in the order in which they should have been added.

        What was stored under their keys by anything else stays as it is.
        """
        with LOCK:
            last: dict[t.Any, t.Any] = {}
            ours: dict[t.Any, set[int]] = {}
            for addition in added:
                for key in addition.keys:
                    found_by = (key, addition.name)
                    # It moves to the end, as in the dict itself.
                    last.pop(found_by, None)
                    last[found_by] = addition.item
                    ours.setdefault(found_by, set()).add(id(addition.item))
            for (key, name), item in last.items():
                place: dict[t.Any, t.Any] = self._own_items()
                if name is not None:
                    place = self._own_names().get(key, {})
                at = key if name is None else name
                if id(place.get(at)) in ours[key, name]:
                    del place[at]
                    place[at] = item
            self._changed()
