"""
The plugin of pytest: fixtures that serve and ask an application.

It is imported by every run of pytest where buvar-aiohttp is installed. So it
is not a part of that package, which imports aiohttp, and has the fixtures only
where the extra ``buvar-aiohttp[pytest]`` is installed.
"""

from __future__ import annotations

import importlib
import typing as t

import pytest


#: The plugins that the fixtures are built on, as they are registered.
NEEDED: t.Final = ("asyncio", "aiohttp", "buvar")


def pytest_configure(config: pytest.Config) -> None:
    """Bring the fixtures, or what says how to get them."""
    manager = config.pluginmanager
    complete = all(map(manager.hasplugin, NEEDED))
    name = f"{__name__}.{'_fixtures' if complete else '_missing'}"
    manager.register(importlib.import_module(name), name)


__all__ = ["NEEDED", "pytest_configure"]
