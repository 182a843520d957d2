"""
Forking: workers that share sockets, and a supervisor to trust.

``stage`` binds the sockets, forks the workers and hands each the sockets as
components. The parent runs no plugin: it restarts what crashes, kills what
hangs, replaces one worker after the other on ``HUP``, and leaves nothing
behind.
"""

from __future__ import annotations

from ._streams import fill as _fill


# What is imported below may keep files open, which must not get the numbers
# of standard streams that are closed.
_fill()

# Next: it says how to repair an installation that lost files.
from buvar import context as _context  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]

from ._errors import BindError  # noqa: E402
from ._errors import BootError  # noqa: E402
from ._errors import ForkError  # noqa: E402
from ._errors import OptionError  # noqa: E402
from ._errors import PidFileError  # noqa: E402
from ._errors import ResultError  # noqa: E402
from ._errors import SocketURIError  # noqa: E402
from ._errors import TaskFailedError  # noqa: E402
from ._errors import UnservedSocketError  # noqa: E402
from ._errors import UnsupportedError  # noqa: E402
from ._errors import WorkersFailedError  # noqa: E402
from ._role import Role  # noqa: E402
from ._sharing import bind  # noqa: E402
from ._sockets import Socket  # noqa: E402
from ._stage import stage  # noqa: E402
from ._worker import Worker  # noqa: E402


__all__ = [
    "BindError",
    "BootError",
    "ForkError",
    "OptionError",
    "PidFileError",
    "ResultError",
    "Role",
    "Socket",
    "SocketURIError",
    "TaskFailedError",
    "UnservedSocketError",
    "UnsupportedError",
    "Worker",
    "WorkersFailedError",
    "bind",
    "stage",
]
