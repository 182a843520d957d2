"""
The process of a service under test: ``python -m buvar.testing._program``.

It reads from its environment what it is to run, sees to it that it does not
outlive the tests, and becomes that: plugins in ``fork.stage``, or a program.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import json
import os
import pathlib
import signal
import sys
import time
import types
import typing as t


#: The variable that says what to run, as JSON.
TASK: t.Final = "BUVAR_TESTING_TASK"

_PR_SET_PDEATHSIG: t.Final = 1


class PluginRef(t.TypedDict):
    """
    A plugin, as it is found in another process.

    Attributes:
        module: The name of its module, or of the plugin.
        file: Where the module is, if it may not be importable by its name.
        name: Its name in the module, none for the module itself.
    """

    module: str
    file: str | None
    name: str | None


class Task(t.TypedDict):
    """
    What to run.

    Attributes:
        parent: The process that must not be outlived, 0 for none.
        closed: File descriptors that are closed.
        block_file: Says how long a worker blocks when it is told to.
        path: Where modules are looked for.
        argv: A program and its arguments, instead of plugins.
        plugins: The plugins of a stage.
        config: Dicts that make up the configuration.
        overrides: Strings ``key=value`` that win over them.
        env_prefix: What the names of variables begin with.
        options: What ``fork.stage`` is given.
    """

    parent: int
    closed: list[int]
    block_file: str
    path: list[str]
    argv: list[str]
    plugins: list[PluginRef]
    config: list[dict[str, t.Any]]
    overrides: list[str]
    env_prefix: str | None
    options: dict[str, t.Any]


def main() -> None:
    """Run what the environment says."""
    task = t.cast("Task", json.loads(os.environ.pop(TASK)))
    if task["parent"]:
        die_with(task["parent"])
    for number in task["closed"]:
        os.close(number)
    if task["argv"]:
        os.execv(sys.executable, [sys.executable, *task["argv"]])  # noqa: S606
    sys.path[:] = task["path"]
    serve(task)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the one of the tests ends."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # It has ended meanwhile.
        sys.exit(1)


def serve(task: Task) -> None:
    """Run plugins in ``fork.stage``, with their configuration."""
    # Where this runs, no test does.
    from buvar import config  # noqa: PLC0415
    from buvar import context  # noqa: PLC0415
    from buvar import fork  # noqa: PLC0415

    context.add(
        config.ConfigSource(
            *task["config"],
            env_prefix=task["env_prefix"],
            overrides=task["overrides"],
        )
    )
    plugins = map(find, task["plugins"])
    fork.stage(config, blocking_on_demand(task), *plugins, **task["options"])


def blocking_on_demand(task: Task) -> t.Callable[[], t.Awaitable[None]]:
    """Return a plugin that blocks the event loop when a signal says so."""

    async def prepare() -> None:
        def block(*_: object) -> None:
            time.sleep(float(pathlib.Path(task["block_file"]).read_text()))

        signal.signal(signal.SIGRTMIN, block)

    return prepare


def find(ref: PluginRef) -> t.Any:
    """Import a plugin; one of a test module, from its file."""
    if ref["file"] is None:
        return ref["module"]
    found: t.Any = _module(ref["module"], ref["file"])
    for name in (ref["name"] or "").split("."):
        found = getattr(found, name) if name else found
    return found


def _module(name: str, file: str) -> types.ModuleType:
    """
    Import a module by its name, or from its file.

    pytest gives test modules names under which nobody else finds them, or
    finds another one.
    """
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.origin == file:
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python module", name=name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
