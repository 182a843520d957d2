"""Import what plugins are made of before the fork: workers share it."""

from __future__ import annotations

import logging
import typing as t

from buvar.plugin import PluginNotFoundError
from buvar.plugin._resolve import import_module

from ._errors import BootError


_log = logging.getLogger("buvar.fork")


def preload(plugins: t.Iterable[t.Any]) -> None:
    """
    Import the modules of the plugins that are given by name.

    Nothing in them is called. A name that is no module, as that of an entry
    point, is left to the workers, which say what is wrong with it.

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
            _log.exception("The plugin %r cannot be imported.", name)
            raise BootError(f"The plugin {name!r} cannot boot") from error


def _import(name: str) -> bool:
    """Import a module; tell whether it is there."""
    if not all(name.split(".")):
        return False
    try:
        import_module(name)
    except PluginNotFoundError:
        return False
    return True
