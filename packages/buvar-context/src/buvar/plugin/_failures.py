"""Collect what fails in a stage, and raise or return it at the end."""

from __future__ import annotations

import asyncio
import logging
import typing as t

from buvar.components.spi import ENDING
from buvar.components.spi import raise_failures

from ._errors import StateError
from ._failure import failures as taken_apart
from ._failure import summary
from ._state import State
from ._tasks import Tasks
from ._traceback import shorten


_log = logging.getLogger("buvar.plugin")

_MESSAGE: t.Final = "the stage failed"


class Failures:
    """
    What failed before the tasks, in them, and after them.

    Attributes:
        early: What failed while plugins were prepared.
        late: What failed or interrupted the stage since.
    """

    def __init__(self, tasks: Tasks) -> None:
        self.early: list[BaseException] = []
        self.late: list[BaseException] = []
        self._tasks = tasks

    def all(self) -> list[BaseException]:
        """Return all, each once, in the order of the steps."""
        found = [*self.early, *self._tasks.failures(), *self.late]
        return list({id(failure): failure for failure in found}.values())

    def cause(self) -> BaseException | None:
        """Return what ended the stage, as one exception."""
        failures = self.all()
        if len(failures) > 1:
            return BaseExceptionGroup(_MESSAGE, failures)
        return failures[0] if failures else None

    def results(self, *, all_of_them: bool) -> list[t.Any]:
        """Return the results of the tasks, or of all steps."""
        results = self._tasks.results()
        if not all_of_them:
            return results
        # A task's own failure has its place among the results already.
        seen = {id(result) for result in results}
        early = [error for error in self.early if id(error) not in seen]
        late = [error for error in self.late if id(error) not in seen]
        return [*early, *results, *late]

    def reraise(self, *, returned: bool) -> None:
        """
        Raise all as one group.

        Args:
            returned: They are returned instead, but for what asks the
                task or the process to end.
        """
        failures = self.all()
        others = [error for error in failures if not _ends(error)]
        if returned:
            failures = [error for error in failures if _ends(error)]
        elif others and len(others) < len(failures):
            _log_beside(others)
        for error in failures:
            shorten(error)
        said = summary(others)
        message = _MESSAGE if said in ("", _MESSAGE) else f"{_MESSAGE}: {said}"
        raise_failures(message, failures, logged=True)


def _log_beside(errors: t.Sequence[BaseException]) -> None:
    """
    Log what failed beside something that asks to end.

    That is all that is raised, and ends a task or a process in silence.
    """
    for error in errors:
        shorten(error)
        for failure in taken_apart(error):
            _log.error(
                "%s", failure, exc_info=failure.error, extra={**failure.facts}
            )


def _ends(error: BaseException) -> bool:
    return isinstance(error, ENDING)


def interrupted(failure: BaseException) -> BaseException:
    """Tell a callback that a signal interrupted from a cancelled stage."""
    if not isinstance(failure, asyncio.CancelledError):
        return failure
    error = StateError(
        "A callback was interrupted by a signal",
        State.TEARDOWN.value,
        "Have it end sooner; the callbacks after it were run.",
    )
    error.__cause__ = failure
    return error
