"""Prepare plugins, each once, whoever asks and in whatever order."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import types
import typing as t

from buvar.components import Components
from buvar.context import buvar_context

from ._entry import Entry
from ._entry import preparing
from ._errors import StateError
from ._errors import TaskError
from ._failure import mark
from ._parameters import fill
from ._resolve import Plugin
from ._resolve import Prepare
from ._resolve import Resolved
from ._resolve import calling_frame
from ._resolve import resolve
from ._state import State
from ._tasks import Tasks


class Loader:
    """
    Loads plugins: ``await load("module", ".relative", prepare)``.

    Each plugin is prepared once; one that is being prepared elsewhere is
    waited for, unless it waits for the caller itself.
    """

    def __init__(
        self,
        layer: Components,
        tasks: Tasks,
        state: t.Callable[[], State],
    ) -> None:
        self._layer = layer
        self._tasks = tasks
        self._state = state
        #: What became of each plugin, in the order of loading.
        self.entries: dict[t.Hashable, Entry] = {}

    def __call__(self, *plugins: Plugin) -> t.Coroutine[t.Any, t.Any, None]:
        """
        Prepare plugins one after the other.

        Args:
            plugins: Names, modules or functions; relative names start at
                the package of the calling module.

        Raises:
            PluginError: One does not exist or cannot be prepared.
        """
        return self.load(plugins, calling_frame())

    async def load(
        self, plugins: t.Iterable[Plugin], origin: types.FrameType
    ) -> None:
        """Prepare plugins that are named at the given place."""
        for plugin in plugins:
            await self._load(plugin, origin)

    async def _load(self, plugin: Plugin, origin: types.FrameType) -> None:
        self._check(plugin)
        caller = preparing.get()
        if caller is not None and caller.done.is_set():
            # A task of that plugin, or one that it started.
            caller = None
        resolved = resolve(plugin, origin)
        key = _key(resolved.prepare)
        entry = self.entries.get(key)
        if entry is None:
            entry = Entry(resolved, caller)
            self.entries[key] = entry
            with _waiting(caller, entry):
                await self._prepare(entry, origin)
        elif caller is None or not entry.needs(caller):
            with _waiting(caller, entry):
                await entry.done.wait()
            self._raise(entry)

    def _check(self, plugin: object) -> None:
        if self._state() not in (State.PREPARING, State.RUNNING):
            what = f"The plugin {plugin!r} was to be loaded"
            raise StateError(
                what,
                self._state().value,
                "Load plugins while others are prepared or tasks run.",
            )

    def _raise(self, entry: Entry) -> None:
        error = entry.error
        if isinstance(error, asyncio.CancelledError):
            what = f"Preparing the {entry} was cancelled"
            raise StateError(
                what,
                self._state().value,
                "Load it before something that may be cancelled does.",
            ) from error
        if error is not None:
            raise error

    async def _prepare(self, entry: Entry, origin: types.FrameType) -> None:
        loop = asyncio.get_running_loop()
        entry.start = loop.time()
        plugin_token = preparing.set(entry)
        layer_token = buvar_context.set(self._layer)
        try:
            await self._run(entry, origin)
        except BaseException as error:
            entry.error = error
            _note(entry, error)
            self._tasks.drop(entry)
            raise
        finally:
            entry.seconds = loop.time() - entry.start
            entry.running = None
            entry.done.set()
            buvar_context.reset(layer_token)
            preparing.reset(plugin_token)
        if self._state() is State.RUNNING:
            self._tasks.start()

    async def _run(self, entry: Entry, origin: types.FrameType) -> None:
        args, kwargs = fill(entry.plugin, origin)
        running = entry.plugin.prepare(*args, **kwargs)
        entry.running = running
        if inspect.isasyncgen(running):
            async with contextlib.aclosing(running):
                async for awaitable in running:
                    self._tasks.give(entry, awaitable)
            return
        given = await running
        if inspect.isawaitable(given):
            self._tasks.give(entry, given)
        elif given is not None:
            for awaitable in _iterate(entry.plugin, given):
                self._tasks.give(entry, awaitable)


def _key(prepare: Prepare) -> t.Hashable:
    """Tell plugins apart; what compares by its fields has no hash."""
    return prepare if isinstance(prepare, t.Hashable) else id(prepare)


def _iterate(plugin: Resolved, given: t.Any) -> list[t.Any]:
    if isinstance(given, str | bytes) or not isinstance(given, t.Iterable):
        reason = "it is neither an awaitable nor an iterable of them"
        raise TaskError(plugin.name, given, reason)
    return [*given]


def _note(entry: Entry, error: BaseException) -> None:
    """Name the plugins that led to an error, once."""
    note = "While preparing the plugin "
    notes: list[str] = getattr(error, "__notes__", [])
    if not any(other.startswith(note) for other in notes):
        where = entry.where(
            "While preparing the {}",
            "the {} could not be prepared",
            phase="prepare",
        )
        mark(error, where)


@contextlib.contextmanager
def _waiting(
    caller: Entry | None, entry: Entry
) -> t.Generator[None, None, None]:
    """Note that a plugin waits for another one."""
    if caller is None:
        yield
        return
    caller.waits.append(entry)
    try:
        yield
    finally:
        caller.waits.remove(entry)
