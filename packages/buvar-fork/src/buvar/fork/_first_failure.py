"""What failed first in a stage, which may never come to say how it ended."""

from __future__ import annotations

from buvar.plugin import Event
from buvar.plugin import PluginFailed
from buvar.plugin import State
from buvar.plugin import StateChanged
from buvar.plugin import TaskEnded


class FirstFailure:
    """
    Listens to a stage, and keeps what failed first.

    A stage raises what failed when it has ended. A process that is ended by
    force before that, as its teardown hangs, would never tell.

    Attributes:
        error: What failed, ``None`` as long as nothing has.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._runs = False

    def hear(self, event: Event) -> None:
        """Take an event; what was only cancelled has not failed."""
        if event == StateChanged(State.RUNNING):
            # Whatever could not be prepared was caught by what loads it.
            self.error, self._runs = None, True
        elif isinstance(event, TaskEnded) or (
            isinstance(event, PluginFailed) and not self._runs
        ):
            self._keep(event.error)

    def _keep(self, error: BaseException | None) -> None:
        if self.error is None and isinstance(error, Exception):
            self.error = error
