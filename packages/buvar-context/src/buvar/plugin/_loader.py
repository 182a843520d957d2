"""Prepare plugins, each once, whoever asks and in whatever order."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import types
import typing as t

from buvar.context import buvar_context

from ._concurrent import arrange
from ._concurrent import together
from ._errors import PluginError
from ._errors import StateError
from ._errors import TaskError
from ._events import Event
from ._events import PluginFailed
from ._events import PluginPrepared
from ._events import PluginPreparing
from ._failure import Where
from ._failure import mark
from ._listeners import Listeners
from ._parameters import fill
from ._record import Group
from ._record import PluginLayer
from ._record import PluginRecord
from ._record import preparing
from ._resolve import Plugin
from ._resolve import Prepare
from ._resolve import Resolved
from ._resolve import calling_frame
from ._resolve import resolve
from ._state import State
from ._tasks import Tasks


class Loading:
    """
    The plugins of a stage: what became of each, and what loads more.

    Each plugin is prepared once; one that is being prepared elsewhere is
    waited for, unless it waits for the caller itself.

    Args:
        layer: The layer that the plugins share.
        tasks: The tasks of the stage.
        state: Says which state the stage is in.
        listeners: What is told.
        concurrent: Whether plugins are prepared at the same time, unless a
            call says.
    """

    def __init__(
        self,
        layer: PluginLayer,
        tasks: Tasks,
        state: t.Callable[[], State],
        listeners: Listeners,
        *,
        concurrent: bool,
    ) -> None:
        self._layer = layer
        self._concurrent = concurrent
        self._tasks = tasks
        self._state = state
        self._listeners = listeners
        #: What became of each plugin, in the order of loading.
        self.records: dict[t.Hashable, PluginRecord] = {}

    async def load(
        self,
        plugins: t.Sequence[Plugin],
        origin: types.FrameType,
        *,
        concurrent: bool | None = None,
    ) -> None:
        """Prepare plugins that are named at the given place."""
        if concurrent is None:
            concurrent = self._concurrent
        try:
            if concurrent and len(plugins) > 1:
                group = Group()
                caller = self._caller()
                if caller is not None:
                    caller.events.append(group)
                loads = [
                    functools.partial(self._load, plugin, origin, group)
                    for plugin in plugins
                ]
                try:
                    await together(loads)
                finally:
                    arrange(group, self._layer, self._tasks, self.records)
            else:
                for plugin in plugins:
                    await self._load(plugin, origin)
        finally:
            # As at the start of a stage: tasks run once all is prepared.
            if self._caller() is None and self._state() is State.RUNNING:
                self._tasks.start()

    async def _load(
        self,
        plugin: Plugin,
        origin: types.FrameType,
        group: Group | None = None,
    ) -> None:
        self._check(plugin)
        caller = self._caller()
        resolved = _resolve(plugin, origin)
        key = _key(resolved.prepare)
        record = self.records.get(key)
        is_new = record is None
        if record is None:
            record = self.records[key] = PluginRecord(resolved, caller)
        if group is not None:
            group.append(record)
            record.group = record.group or group
        elif caller is not None:
            caller.events.append(Group([record]))
        if is_new:
            with _waiting(caller, record):
                await self._prepare(record, origin)
        elif caller is None or not record.needs(caller):
            with _waiting(caller, record):
                await record.done.wait()
            self._raise(record)
            if record.parent is not None and record.parent.error is not None:
                # Nobody else prepares what its tasks wait for.
                record.parent = caller

    def _caller(self) -> PluginRecord | None:
        """Return the plugin that is prepared here, if one is."""
        caller = preparing.get()
        if caller is not None and caller.done.is_set():
            # A task of that plugin, or one that it started.
            return None
        return caller

    def _check(self, plugin: object) -> None:
        if self._state() not in (State.PREPARING, State.RUNNING):
            what = f"The plugin {plugin!r} was to be loaded"
            raise StateError(
                what,
                self._state().value,
                "Load plugins while others are prepared or tasks run.",
            )

    def _raise(self, record: PluginRecord) -> None:
        error = record.error
        if isinstance(error, asyncio.CancelledError):
            what = f"Preparing the {record} was cancelled"
            raise StateError(
                what,
                self._state().value,
                "Load it earlier, from something that is not cancelled.",
            ) from error
        if error is not None:
            raise error

    async def _prepare(
        self, record: PluginRecord, origin: types.FrameType
    ) -> None:
        loop = asyncio.get_running_loop()
        listeners, name = self._listeners, record.plugin.name
        record.start = loop.time()
        if listeners:
            listeners.tell(PluginPreparing(name, record.chain))
        plugin_token = preparing.set(record)
        layer_token = buvar_context.set(self._layer)
        try:
            await self._run(record, origin)
        except BaseException as error:
            record.error = error
            _note(record, error)
            self._tasks.drop(record)
            raise
        finally:
            record.seconds = loop.time() - record.start
            record.running = None
            record.done.set()
            buvar_context.reset(layer_token)
            preparing.reset(plugin_token)
            if listeners:
                listeners.tell(_outcome(name, record.seconds, record.error))

    async def _run(
        self, record: PluginRecord, origin: types.FrameType
    ) -> None:
        args, kwargs = fill(record.plugin, origin)
        running = record.plugin.prepare(*args, **kwargs)
        record.running = running
        if inspect.isasyncgen(running):
            async with contextlib.aclosing(running):
                async for awaitable in running:
                    self._tasks.add(record, awaitable)
            return
        given = await running
        if inspect.isawaitable(given):
            self._tasks.add(record, given)
        elif given is not None:
            for awaitable in _iterate(record.plugin, given):
                self._tasks.add(record, awaitable)


class Loader:
    """
    Loads plugins: ``await load("module", ".relative", prepare)``.

    Each plugin is prepared once; one that is being prepared elsewhere is
    waited for, unless it waits for the caller itself. A call is all there is
    to it: a parameter of ``prepare`` that is annotated with it is given the
    loader of the stage.
    """

    def __init__(self, loading: Loading) -> None:
        self._loading = loading

    def __call__(
        self, *plugins: Plugin, concurrent: bool | None = None
    ) -> t.Coroutine[t.Any, t.Any, None]:
        """
        Prepare plugins, those that wait at the same time.

        They start in the order given, each when the one before it waits or
        is prepared. Once all are prepared, components, tasks and reports are
        in the order that preparing one after the other would give. A plugin
        that needs another one loads it itself, before that.

        Args:
            plugins: Names, modules or functions; relative names start at
                the package of the calling module.
            concurrent: Whether the next plugin starts while one waits, or
                only when that is prepared; by default as the stage has it.

        Raises:
            PluginError: One does not exist or cannot be prepared; those that
                still wait are cancelled.
            ExceptionGroup: Several failed.
        """
        origin = calling_frame()
        return self._loading.load(plugins, origin, concurrent=concurrent)


def load_from(
    loader: Loader, plugins: t.Sequence[Plugin], origin: types.FrameType
) -> t.Coroutine[t.Any, t.Any, None]:
    """
    Load plugins that are named somewhere else than where this is called.

    Args:
        loader: The loader of a stage.
        plugins: Names, modules or functions.
        origin: The frame that names them: relative names start at the
            package of its module.

    Raises:
        PluginError: As when the loader is called there.
        ExceptionGroup: Several failed.
    """
    loading = loader._loading  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return loading.load(plugins, origin)


def _outcome(name: str, seconds: float, error: BaseException | None) -> Event:
    if error is None:
        return PluginPrepared(name, seconds)
    return PluginFailed(name, seconds, error)


def _key(prepare: Prepare) -> t.Hashable:
    """Tell plugins apart; what compares by its fields has no hash."""
    return prepare if isinstance(prepare, t.Hashable) else id(prepare)


def _iterate(plugin: Resolved, given: t.Any) -> list[t.Any]:
    if isinstance(given, str | bytes) or not isinstance(given, t.Iterable):
        reason = "it is neither an awaitable nor an iterable of them"
        raise TaskError(plugin.name, given, reason)
    return [*given]


def _resolve(plugin: Plugin, origin: types.FrameType) -> Resolved:
    """Find a plugin; what its module raises says whose it is."""
    try:
        return resolve(plugin, origin)
    except PluginError:
        raise
    except Exception as error:
        name = plugin if isinstance(plugin, str) else repr(plugin)
        where = Where(
            f"While importing the plugin {name!r}",
            f"the plugin {name!r} could not be imported",
            {"phase": "import", "plugin": name},
        )
        mark(error, where)
        raise


def _note(record: PluginRecord, error: BaseException) -> None:
    """Name the plugins that led to an error, once."""
    note = "While preparing the plugin "
    notes: list[str] = getattr(error, "__notes__", [])
    if not any(other.startswith(note) for other in notes):
        where = record.where(
            "While preparing the {}",
            "the {} could not be prepared",
            phase="prepare",
        )
        mark(error, where)
        waiting = ", ".join(repr(o.plugin.name) for o in record.unfinished())
        if waiting and isinstance(error, Exception):
            error.add_note(
                f"Plugins that were still being prepared: {waiting}. A plugin "
                "that needs another one loads it first, or they are loaded "
                "one after the other: load(..., concurrent=False)"
            )


@contextlib.contextmanager
def _waiting(
    caller: PluginRecord | None, record: PluginRecord
) -> t.Generator[None, None, None]:
    """Note that a plugin waits for another one."""
    if caller is None:
        yield
        return
    caller.waits.append(record)
    try:
        yield
    finally:
        caller.waits.remove(record)
