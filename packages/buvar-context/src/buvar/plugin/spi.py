"""
For frameworks: how plugins are named, found and loaded.

Applications need ``buvar.plugin`` only. This module is for packages that
start plugins themselves, as buvar-fork and buvar-pytest do; it follows
semantic versioning.

Example:
    >>> from buvar.plugin import spi
    >>> spi.absolute_name(".jobs", {"__package__": "app"})
    'app.jobs'
"""

from __future__ import annotations

from ._loader import load_from
from ._resolve import absolute_name
from ._resolve import import_module
from ._resolve import resolve


__all__ = ["absolute_name", "import_module", "load_from", "resolve"]
