"""
The context: the stack of components that the running task sees.

What a plugin prepares is added here and found again by type. Each task and
each request puts a layer of its own on top.
"""

from __future__ import annotations


# Imported for what it does: it refuses an older package.
from buvar.components import (  # isort: skip
    _namespace,  # noqa: F401  # pyright: ignore[reportUnusedImport]
)
from buvar.components import AsyncCloserError
from buvar.components import LayerEndedError
from buvar.components._current import buvar_context
from buvar.components._public import publish as _publish

from ._child import child
from ._deadline import Deadline
from ._deadline import DeadlineError
from ._impl import add
from ._impl import bind
from ._impl import current_context
from ._impl import find
from ._impl import get
from ._impl import pop
from ._impl import push
from ._impl import run
from ._tasks import set_task_factory


__all__ = [
    "AsyncCloserError",
    "Deadline",
    "DeadlineError",
    "LayerEndedError",
    "add",
    "bind",
    "buvar_context",
    "child",
    "current_context",
    "find",
    "get",
    "pop",
    "push",
    "run",
    "set_task_factory",
]

_publish(globals())
