"""
Which code workers run: all of it as it was at the start, or none of it.

With ``preload=True`` the modules of plugins are imported before the fork, so
that workers share them. What these plugins load or import later, a worker
reports, and the supervisor imports it as well: a successor, after ``HUP`` or
a crash, finds all modules of the application as they were at the start, not
some old and some new. With ``preload=False`` each worker imports everything.
"""

from __future__ import annotations

import importlib
import logging
import os
import pathlib
import sys
import types
import typing as t

from buvar.plugin import PluginNotFoundError
from buvar.plugin.spi import import_module

from ._errors import BootError
from ._failure import Failure


_log = logging.getLogger("buvar.fork")

#: Folders of what is installed beside an application.
_INSTALLED: t.Final = frozenset({"site-packages", "dist-packages"})
#: The one of the standard library; ``sysconfig`` would read much more for it.
_STANDARD: t.Final = pathlib.Path(os.__file__).parent


def preload(plugins: t.Iterable[t.Any]) -> None:
    """
    Import the modules of the plugins that are given by name.

    Nothing in them is called. A name that is not a module, such as that of an
    entry point, is left to the workers, which say what is wrong with it.

    Raises:
        BootError: The import of a module fails; it is logged by then.
    """
    for name in plugins:
        if not isinstance(name, str):
            continue
        module, colon, _ = name.partition(":")
        try:
            if not _import(module) and not colon:
                _import(module.rpartition(".")[0])
        except Exception as error:
            failure = Failure.of(error, ready=False)
            failure.log(
                _log,
                "The plugin %r could not be imported.",
                (name,),
                {"phase": "import", "plugin": name},
            )
            raise BootError(
                f"The plugin {name!r} cannot boot", code=failure.code
            ) from error


def _import(name: str) -> bool:
    """Import a module; tell whether it is there."""
    if not all(name.split(".")):
        return False
    try:
        import_module(name)
    except PluginNotFoundError:
        return False
    return True


def warn_loaded(plugins: t.Iterable[t.Any]) -> None:
    """Say which plugins this program has imported though it should not."""
    loaded = [
        name
        for name in plugins
        if isinstance(name, str) and name.partition(":")[0] in sys.modules
    ]
    if loaded:
        _log.warning(
            "preload=False, but the program has imported %s already: HUP "
            "does not bring changes in it. Name plugins, do not import them.",
            ", ".join(loaded),
            extra={"plugins": loaded},
        )


class NewModules:
    """
    What a worker has loaded of the application since the last look.

    Args:
        plugins: The plugins; their packages belong to the application.
    """

    def __init__(self, plugins: t.Iterable[t.Any]) -> None:
        self._seen = dict.fromkeys(sys.modules)
        self._packages = {_package(plugin) for plugin in plugins}

    def look(self) -> list[str]:
        """Return their names, in the order in which they were imported."""
        if len(sys.modules) == len(self._seen):
            return []
        modules = sys.modules.copy()
        names = [name for name in modules if name not in self._seen]
        self._seen = dict.fromkeys(modules)
        return [name for name in names if self._ours(name, modules[name])]

    def _ours(self, name: str, module: types.ModuleType) -> bool:
        if name.partition(".")[0] in self._packages:
            return True
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if not isinstance(origin, str):
            return False
        path = pathlib.Path(origin)
        return (
            path.is_absolute()
            and not _INSTALLED.intersection(path.parts)
            and not path.is_relative_to(_STANDARD)
        )


def _package(plugin: t.Any) -> str:
    """Return the package at the top of a plugin."""
    name = plugin if isinstance(plugin, str) else None
    if isinstance(plugin, types.ModuleType):
        name = plugin.__name__
    name = name or getattr(plugin, "__module__", "__main__")
    return str(name).partition(":")[0].partition(".")[0]


def load_too(names: t.Iterable[str]) -> None:
    """Import what a worker has imported; it may work only there."""
    for name in names:
        if name in sys.modules:
            continue
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - logged
            _log.warning(
                "The module %s can be imported in workers only (%r): each "
                "worker that is started later imports it anew.",
                name,
                error,
                extra={"module_name": name},
            )
