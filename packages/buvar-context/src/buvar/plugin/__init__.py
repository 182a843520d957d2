"""
Plugins: prepare an application, run its tasks, tear it down.

A plugin is a module with an ``async def prepare(...)``, or just such a
function. Its annotated parameters are components of the context; what it
yields is run as tasks once all plugins are prepared. The stage stops when all
tasks ended, when one fails, or when ``Cancel`` is set; then ``Teardown`` runs.

The flow, and the order to read the code in: resolve -> parameters -> loader
-> tasks -> teardown -> stage -> run.
"""

from __future__ import annotations

import typing as t

from buvar.components._public import publish as _publish

from ._check import add_check
from ._check import check
from ._check import checking
from ._errors import AbandonedTaskError
from ._errors import NoPrepareError
from ._errors import ParameterError
from ._errors import PluginError
from ._errors import PluginNotFoundError
from ._errors import RelativeNameError
from ._errors import StageOptionError
from ._errors import StateError
from ._errors import TaskError
from ._errors import WorkError
from ._failure import Failure
from ._failure import failures
from ._loader import Loader
from ._report import PluginReport
from ._resolve import Plugin
from ._run import exit_code
from ._run import run
from ._run import stage
from ._signals import Signals
from ._stage import Stage
from ._state import Cancel
from ._state import State
from ._teardown import Teardown
from ._work import Counts


if t.TYPE_CHECKING:
    from ._cron import cron
    from ._events import Event
    from ._events import LayerClosed
    from ._events import LayerOpened
    from ._events import Listener
    from ._events import PluginFailed
    from ._events import PluginPrepared
    from ._events import PluginPreparing
    from ._events import StateChanged
    from ._events import TaskEnded
    from ._events import TaskStarted
    from ._every import every
    from ._listen import listen
    from ._supervised import supervised
    from .jobs import Jobs


__all__ = [
    "AbandonedTaskError",
    "Cancel",
    "Counts",
    "Event",
    "Failure",
    "Jobs",
    "LayerClosed",
    "LayerOpened",
    "Listener",
    "Loader",
    "NoPrepareError",
    "ParameterError",
    "Plugin",
    "PluginError",
    "PluginFailed",
    "PluginNotFoundError",
    "PluginPrepared",
    "PluginPreparing",
    "PluginReport",
    "RelativeNameError",
    "Signals",
    "Stage",
    "StageOptionError",
    "State",
    "StateChanged",
    "StateError",
    "TaskEnded",
    "TaskError",
    "TaskStarted",
    "Teardown",
    "WorkError",
    "add_check",
    "check",
    "checking",
    "cron",
    "every",
    "exit_code",
    "failures",
    "listen",
    "run",
    "stage",
    "supervised",
]

_publish(
    globals(),
    # Many programs do without.
    deferred={
        "._cron": ["cron"],
        "._events": [
            "Event",
            "LayerClosed",
            "LayerOpened",
            "Listener",
            "PluginFailed",
            "PluginPrepared",
            "PluginPreparing",
            "StateChanged",
            "TaskEnded",
            "TaskStarted",
        ],
        "._every": ["every"],
        "._listen": ["listen"],
        "._supervised": ["supervised"],
        ".jobs": ["Jobs", "jobs"],
    },
)
