"""
Fixtures: tests run inside a stage whose plugins are prepared.

``@pytest.mark.buvar_plugins("my.plugin")`` prepares plugins for one test; in
the test ``context``, ``di`` and ``config`` work as they do in a task. What a
test adds and registers is gone when it ends. pytest finds the fixtures by
itself; they are

- ``buvar_config_source``: the configuration, empty unless it is overridden,
- ``buvar_context``: a layer of components for the test,
- ``buvar_stage``: a stage in which no plugin is prepared yet,
- ``buvar_load``: prepares more plugins, ``await buvar_load("my.plugin")``,
- ``buvar_plugin_context``: the components, with the plugins of the marker
  prepared,
- ``buvar_config`` and ``buvar_override``: other values, other objects,
- ``buvar_clock``: the virtual clock of a test with ``clock="virtual"``,
- ``buvar_logs``: what was logged,
- ``buvar_run``: runs a stage from its beginning to its end,
- ``buvar_service``: starts services in processes of their own,
- ``buvar_chaos``: does to services what happens to services.

What they give is described in ``buvar.testing.chaos``, ``clock``, ``load``,
``logs``, ``runs`` and ``services``. ``buvar.testing.checks`` looks for what is
left behind.
"""

from __future__ import annotations

import typing as t


#: The name of the marker that names the plugins of a test.
MARKER: t.Final = "buvar_plugins"

#: The name of the marker, and of the fixture, for the configuration of a test.
CONFIG: t.Final = "buvar_config"

#: A component under this name says that a test is run: what serves something
#: then takes a free port.
TESTING: t.Final = "buvar.testing"

#: What the fixture ``buvar_load`` gives.
Load: t.TypeAlias = t.Callable[..., t.Awaitable[None]]

#: What the fixture ``buvar_override`` gives.
Override: t.TypeAlias = t.Callable[[t.Mapping[t.Any, t.Any]], None]

__all__ = ["CONFIG", "MARKER", "TESTING", "Load", "Override"]
