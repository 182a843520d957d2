"""
Forking: workers that share sockets, and a supervisor to trust.

``stage`` binds the sockets, forks the workers and hands each the sockets as
components. The parent runs no plugin: it restarts what crashes, kills what
hangs, replaces one worker after the other on ``HUP``, and leaves nothing
behind.
"""

from __future__ import annotations

from ._errors import BindError
from ._errors import BootError
from ._errors import ForkError
from ._errors import OptionError
from ._errors import PidFileError
from ._errors import SocketURIError
from ._errors import UnsupportedError
from ._errors import WorkersFailedError
from ._sharing import bind
from ._sockets import Socket
from ._stage import stage
from ._worker import Worker


__all__ = [
    "BindError",
    "BootError",
    "ForkError",
    "OptionError",
    "PidFileError",
    "Socket",
    "SocketURIError",
    "UnsupportedError",
    "Worker",
    "WorkersFailedError",
    "bind",
    "stage",
]
