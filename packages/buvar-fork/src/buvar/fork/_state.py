"""The one state of a supervisor."""

from __future__ import annotations

import enum
import typing as t


class State(enum.Enum):
    """What a supervisor is doing."""

    BOOTING = "booting"
    RUNNING = "running"
    RELOADING = "reloading"
    #: No newcomers; the workers accept those who wait in the queue.
    CLOSING = "closing"
    STOPPING = "stopping"
    #: Told so twice: the workers drop what they do.
    HURRYING = "hurrying"
    ENDED = "ended"


#: The states in which workers are started and replaced.
UP: t.Final = frozenset({State.BOOTING, State.RUNNING, State.RELOADING})
