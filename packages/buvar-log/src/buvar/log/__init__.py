"""
Logs as structure: structlog and the standard library through one chain.

Every event, wherever it was logged, is a standard record: a handler renders
it, as JSON or for a terminal, with its fields, the context variables of
structlog and its exception. Logging never fails the application: what cannot
be rendered is described, what cannot be written is counted.
"""

from __future__ import annotations

from ._config import LogConfig
from ._config import reset
from ._config import setup_logging
from ._errors import LogConfigError
from ._errors import LogError
from ._format import ConsoleFormatter
from ._format import JsonFormatter
from ._handler import OutputHandler
from ._levels import Level
from ._namespace import check_namespace as _check_namespace


_check_namespace()

__all__ = [
    "ConsoleFormatter",
    "JsonFormatter",
    "Level",
    "LogConfig",
    "LogConfigError",
    "LogError",
    "OutputHandler",
    "reset",
    "setup_logging",
]
