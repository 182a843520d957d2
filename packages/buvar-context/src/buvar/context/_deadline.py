"""How long a block and all within it may take."""

from __future__ import annotations

import asyncio
import sys
import typing as t

from buvar.components import Components
from buvar.components import ComponentsError


class Deadline:
    """
    The end of the time that a block was given: ``child(timeout=...)``.

    It is a component: what runs in the block, or in a layer within it, finds
    the nearest end by ``context.get(Deadline, default=None)``.

    Attributes:
        timeout: The seconds that the block was given.
        place: The file and line of the block.
    """

    __slots__ = ("_loop", "_when", "place", "task", "timeout")

    def __init__(
        self,
        timeout: float,
        place: str,
        loop: asyncio.AbstractEventLoop,
        task: asyncio.Task[t.Any] | None,
    ) -> None:
        self.timeout = timeout
        self.place = place
        self._loop = loop
        self._when = loop.time() + timeout
        #: The task that is cancelled when the time is over.
        self.task = task

    def remaining(self) -> float:
        """Return the seconds that are left, 0.0 if the time is over."""
        return max(0.0, self._when - self._loop.time())

    def __repr__(self) -> str:
        """Show what is left of which time."""
        return (
            f"<Deadline of {self.timeout:g} s at {self.place}, "
            f"{self.remaining():.3f} s left>"
        )


class DeadlineError(ComponentsError, TimeoutError):
    """
    A block did not end within its time.

    Attributes:
        deadline: The time it had.
        outer: The deadline of a block around it that left it less time than
            it was given, if that one is of another task, or was over already.
    """

    def __init__(
        self, deadline: Deadline, outer: Deadline | None = None
    ) -> None:
        super().__init__(deadline, outer)
        self.deadline = deadline
        self.outer = outer

    def __str__(self) -> str:
        """Say which block had how much time, and the cure."""
        deadline, outer = self.deadline, self.outer
        if outer is None:
            return (
                f"The block at {deadline.place} did not end within its "
                f"{deadline.timeout:g} s.\n"
                "Give it more time, context.child(timeout=...), or less to "
                "do."
            )
        around = "which it was opened in"
        if outer.task is not deadline.task:
            around = "in whose layer its task was started"
        return (
            f"The block at {deadline.place} did not end within the "
            f"{outer.timeout:g} s of the block at {outer.place}, {around}.\n"
            "Give the outer block more time, context.child(timeout=...), or "
            "the inner one less to do."
        )


def says_over(error: BaseException, deadline: Deadline) -> bool:
    """
    Tell whether an error says only that the time of a block is over.

    Args:
        error: A ``DeadlineError`` of that time, as of a call that is made in
            it or of an inner block that had no more, or a group of such.
        deadline: The end of that time.
    """
    if isinstance(error, BaseExceptionGroup):
        group = t.cast("BaseExceptionGroup[BaseException]", error)
        return all(says_over(each, deadline) for each in group.exceptions)
    return isinstance(error, DeadlineError) and (
        deadline is error.deadline or deadline is error.outer
    )


def check_timeout(timeout: t.Any) -> float:
    """
    Return the seconds of a timeout.

    Raises:
        ValueError: They are not finite, or negative.
        TypeError: They are not a number.
    """
    if not isinstance(timeout, int | float) or isinstance(timeout, bool):
        msg = (
            f"timeout is a number of seconds, not {timeout!r}. "
            "Leave it out for a block without a bound of its own."
        )
        raise TypeError(msg)
    if not 0 <= timeout <= sys.float_info.max:
        msg = (
            f"timeout is a number of seconds from 0 on, not {timeout!r}. "
            "Leave it out for a block without a bound of its own."
        )
        raise ValueError(msg)
    return timeout


def deadline_of(components: Components) -> Deadline | None:
    """Return the nearest deadline of a stack, if there is one."""
    found = components.get(Deadline, default=None)
    return found if isinstance(found, Deadline) else None
