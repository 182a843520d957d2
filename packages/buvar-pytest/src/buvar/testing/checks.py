"""
Checks that nothing is left behind: tasks, layers, sockets and files.

``@pytest.mark.buvar_plugins("app", leaks="error")`` looks at all of it once
the stage of the test has ended. The checks here look at a block.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import linecache
import os
import socket
import sys
import time
import tracemalloc
import types
import typing as t
import warnings

from pathlib import Path

from buvar.components import spi
from buvar.context import LayerEndedError


#: Seconds that tasks have to end once the block is left.
PATIENCE: t.Final = 1.0
#: How many callers of what opened something are looked at.
_DEPTH: t.Final = 25
_HERE: t.Final = __file__
#: A tuple, as all objects there are get compared with it.
_RESOURCES: t.Final = (socket.socket, io.FileIO, asyncio.BaseTransport)

T = t.TypeVar("T")
#: A layer, and where the classes of what it holds are from.
_Layer: t.TypeAlias = tuple[t.Any, list[tuple[str, int]]]


class LeakError(AssertionError):
    """
    Something was left behind.

    Attributes:
        leaks: What, a line or more for each, with the plugin it is of if
            that is known.
    """

    def __init__(self, leaks: t.Sequence[str]) -> None:
        super().__init__(leaks)
        self.leaks = tuple(leaks)

    def __str__(self) -> str:
        """Say what was left behind, and the cure."""
        lines = "".join(f"\n- {leak}" for leak in self.leaks)
        return (
            f"Something was left behind:{lines}\nHave the plugin yield its "
            "tasks, open layers by 'with', and close the rest: 'yield' in an "
            "adapter, or await context.get(plugin.Teardown).enter(...)."
        )


@contextlib.asynccontextmanager
async def assert_no_tasks_left(
    patience: float = PATIENCE,
) -> t.AsyncGenerator[None, None]:
    """
    Check that all tasks that a block has started have ended.

    Args:
        patience: Seconds they have for that once the block is left.

    Raises:
        LeakError: Some still run.
    """
    before = asyncio.all_tasks()
    yield
    if leaks := await _tasks_left(before, patience, {}):
        raise LeakError(leaks)


@contextlib.contextmanager
def assert_layers_closed() -> t.Generator[None, None, None]:
    """
    Check that all layers that a block has opened have ended.

    Raises:
        LeakError: Some have not.
    """
    before = _objects(spi.Lifetime)
    yield
    gc.collect()
    if leaks := _layers_left(_opened_layers(before), {}):
        raise LeakError(leaks)


class Watch:
    """
    Looks at what a stage leaves behind, from the beginning to its end.

    It traces where memory comes from, to name who opened a socket: a test
    that is watched is slower.
    """

    def __init__(self) -> None:
        self._tracing = not tracemalloc.is_tracing()
        if self._tracing:
            tracemalloc.start(_DEPTH)
        self._tasks = asyncio.all_tasks()
        self._layers = _objects(spi.Lifetime)
        self._open = _open_resources()
        self._opened: list[_Layer] = []

    def look(self) -> None:
        """Note which layers are open, as long as they can be asked."""
        self._opened = _opened_layers(self._layers)

    async def end(self, plugins: t.Iterable[str]) -> None:
        """
        Look at what is left now.

        Args:
            plugins: The names of the plugins that may have left it.

        Raises:
            LeakError: It is something.
        """
        files = _files_of(plugins)
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ResourceWarning)
                leaks = await _tasks_left(self._tasks, PATIENCE, files)
                leaks += _layers_left(self._opened, files)
                left = _without(_open_resources(), self._open)
                leaks += [
                    _opened(resource, repr(resource), files)
                    for resource in left
                ]
                known = {*map(repr, left)}
                del left
                self._open.clear()
                gc.collect()
            leaks += [
                _opened(warning.source, str(warning.message), files)
                for warning in caught
                if issubclass(warning.category, ResourceWarning)
                and not any(text in str(warning.message) for text in known)
            ]
        finally:
            if self._tracing:
                tracemalloc.stop()
        if leaks:
            raise LeakError(leaks)


async def _tasks_left(
    before: t.Collection[asyncio.Task[t.Any]],
    patience: float,
    files: t.Mapping[str, str],
) -> list[str]:
    end = time.monotonic() + patience
    this = asyncio.current_task()
    while left := [
        task
        for task in asyncio.all_tasks()
        if task is not this and task not in before and not task.done()
    ]:
        if time.monotonic() >= end:
            break
        await asyncio.wait(left, timeout=end - time.monotonic())
    found: list[str] = []
    for task in left:
        name = f"the task {task.get_name()!r}"
        found.append(_told(name, "waits", _frames_of(task), files))
    return found


def _frames_of(task: asyncio.Task[t.Any]) -> list[tuple[str, int]]:
    """Return where the coroutine of a task is, and what it awaits."""
    found: list[tuple[str, int]] = []
    coroutine: t.Any = task.get_coro()
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        found.append((frame.f_code.co_filename, frame.f_lineno))
        coroutine = coroutine.cr_await
    return found


def _opened_layers(before: t.Collection[object]) -> list[_Layer]:
    """Return the new layers, with the files of what they hold."""
    found: list[_Layer] = []
    for layer in _without(_objects(spi.Lifetime), before):
        with contextlib.suppress(LayerEndedError):
            kinds = [
                (str(getattr(sys.modules.get(name), "__file__", "")), 0)
                for _, _, item in spi.added(layer)
                for name in (type(item).__module__,)
            ]
            found.append((layer, kinds))
    return found


def _layers_left(
    layers: t.Iterable[_Layer], files: t.Mapping[str, str]
) -> list[str]:
    found: list[str] = []
    for layer, kinds in layers:
        with contextlib.suppress(LayerEndedError):
            spi.refuse_ended(layer, None)
            found.append(_told(f"the layer {layer!r}", "", kinds, files))
    return found


def _objects(kind: type[T]) -> list[T]:
    """Return all objects of a class."""
    return [found for found in gc.get_objects() if isinstance(found, kind)]


def _open_resources() -> list[t.Any]:
    """Return what is open: sockets, files, transports."""
    return [
        found
        for found in gc.get_objects()
        if isinstance(found, _RESOURCES) and not _closed(found)
    ]


def _closed(
    resource: socket.socket | io.FileIO | asyncio.BaseTransport,
) -> bool:
    if isinstance(resource, socket.socket):
        return resource.fileno() < 0
    return (
        resource.closed
        if isinstance(resource, io.FileIO)
        else resource.is_closing()
    )


def _without(all_: t.Iterable[T], some: t.Iterable[object]) -> list[T]:
    known = {*map(id, some)}
    return [resource for resource in all_ if id(resource) not in known]


def _opened(resource: object, text: str, files: t.Mapping[str, str]) -> str:
    """Say what is open, and who opened it."""
    trace = tracemalloc.get_object_traceback(resource) or ()
    frames = [(frame.filename, frame.lineno) for frame in trace]
    return _told(text, "was opened", frames, files)


def _told(
    name: str,
    does: str,
    frames: t.Sequence[tuple[str, int]],
    files: t.Mapping[str, str],
) -> str:
    """Say what it is, of which plugin, and where."""
    place = next((f for f in reversed(frames) if f[0] in files), None)
    text = name
    if place is not None:
        text += f" of the plugin {files[place[0]]!r}"
    else:
        place = next((f for f in reversed(frames) if _of_user(f[0])), None)
    if not does or place is None:
        return text
    line = linecache.getline(*place).strip()
    return f"{text}, which {does} at {place[0]}:{place[1]}:\n    {line}"


def _of_user(file: str) -> bool:
    library = str(Path(os.__file__).parent)
    return file != _HERE and not file.startswith((library, "<"))


def _files_of(plugins: t.Iterable[str]) -> dict[str, str]:
    """Map the files of plugins to their names."""
    found: dict[str, str] = {}
    for plugin in plugins:
        module = _module_of(plugin.partition(":")[0])
        file = getattr(module, "__file__", None)
        if file is not None:
            found.setdefault(file, plugin)
    return found


def _module_of(name: str) -> types.ModuleType | None:
    """Return the module of a name, or of what the name is in."""
    while name and name not in sys.modules:
        name = name.rpartition(".")[0]
    return sys.modules.get(name)


__all__ = [
    "PATIENCE",
    "LeakError",
    "assert_layers_closed",
    "assert_no_tasks_left",
]
