"""Work that is done again when it fails."""

from __future__ import annotations

import asyncio
import logging
import math
import typing as t

from buvar import context

from ._state import Cancel
from ._work import Function
from ._work import Work
from ._work import check_choice
from ._work import check_number
from ._work import name_of
from ._work import stopped_within


Restart: t.TypeAlias = t.Literal["on-failure", "always"]

#: More doublings lead nowhere but out of the range of numbers.
_DOUBLINGS: t.Final = 64


class Supervised(Work):
    """The return value of ``supervised``."""

    def __init__(
        self,
        function: Function,
        *,
        restart: Restart,
        most: int,
        within: float,
        backoff: float,
        backoff_limit: float,
    ) -> None:
        super().__init__(function)
        self._always = restart == "always"
        self._most = most
        self._within = within
        self._backoff = backoff
        self._backoff_limit = backoff_limit
        #: When it failed, as long as that counts.
        self._failed: list[float] = []

    async def _run(self) -> t.Any:
        while True:
            delay = 0.0
            try:
                result = await self._call()
            except Exception as error:
                delay = self._delay()
                if context.get(Cancel).is_set() or math.isinf(delay):
                    raise
                text = f"The task %r failed; it is run again in {delay:g} s."
                self._log(logging.WARNING, text, error, delay=delay)
            else:
                if not self._always:
                    return result
            if await stopped_within(delay):
                return None

    def _delay(self) -> float:
        """Return how long to wait after a failure; infinite is too many."""
        now = asyncio.get_running_loop().time()
        self._failed = [x for x in self._failed if x > now - self._within]
        self._failed.append(now)
        number = len(self._failed)
        if number > self._most:
            return math.inf
        doublings = min(number - 1, _DOUBLINGS)
        return min(self._backoff_limit, self._backoff * 2.0**doublings)


def supervised(
    function: Function,
    *,
    restart: Restart = "on-failure",
    most: int = 5,
    within: float = 60.0,
    backoff: float = 0.1,
    backoff_limit: float = 30.0,
) -> t.Awaitable[t.Any]:
    """
    Return a task that is run again when it fails.

    Each run has a layer of its own. A failure is logged with its traceback;
    one more than ``most`` fails the stage, as the failure of any task does.

    Args:
        function: An async function, which is called for each run. What it
            needs is injected if buvar-di is used.
        restart: ``"on-failure"``, or ``"always"``, also when it returns.
        most: After how many failures it is run again,
        within: of those in so many seconds.
        backoff: Seconds before it is run again, doubled with each of these.
        backoff_limit: The longest such wait, in seconds.

    Raises:
        WorkError: An option makes no sense, or it is not such a function.

    Example:
        >>> async def consume(): ...
        >>> async def prepare():
        ...     yield supervised(consume, most=5, within=60)
    """
    name = name_of(function)
    check_choice(name, "restart", restart, ("on-failure", "always"))
    for option, value in (
        ("most", most),
        ("within", within),
        ("backoff", backoff),
        ("backoff_limit", backoff_limit),
    ):
        check_number(name, option, value)
    return Supervised(
        function,
        restart=restart,
        most=most,
        within=within,
        backoff=backoff,
        backoff_limit=backoff_limit,
    )
