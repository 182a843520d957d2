"""
Work that is done again and again: supervised and periodic tasks.

Such a task is yielded as any other one. Each of its runs has a layer of its
own over the plugins', gets its parameters injected where buvar-di is used,
and is counted; ``Stage.report()`` shows the counts.
"""

from __future__ import annotations

import abc
import asyncio
import inspect
import logging
import math
import typing as t

from buvar import context
from buvar.components import spi

from ._errors import WorkError
from ._parameters import signature
from ._state import Cancel


_log = logging.getLogger("buvar.plugin")

Function: t.TypeAlias = t.Callable[..., t.Awaitable[t.Any]]
Restart: t.TypeAlias = t.Literal["on-failure", "always"]
Overlap: t.TypeAlias = t.Literal["skip", "queue"]

#: More doublings lead nowhere but out of the range of numbers.
_DOUBLINGS: t.Final = 64


class Counts:
    """
    How often work was done.

    Attributes:
        runs: How often it was begun.
        failures: How often it failed.
        skipped: How many of its times passed while it was still running.
        last_error: What it failed of last.
    """

    __slots__ = ("failures", "last_error", "runs", "skipped")

    def __init__(
        self,
        runs: int = 0,
        failures: int = 0,
        skipped: int = 0,
        last_error: BaseException | None = None,
    ) -> None:
        self.runs = runs
        self.failures = failures
        self.skipped = skipped
        self.last_error = last_error

    def copy(self) -> Counts:
        """Return what was counted so far."""
        return Counts(self.runs, self.failures, self.skipped, self.last_error)


class Work(abc.ABC):
    """
    An awaitable that calls a function again and again.

    Attributes:
        counts: How often it did.
    """

    def __init__(self, function: Function) -> None:
        self.__qualname__ = name_of(function)
        self.counts = Counts()
        self._function = _callable(function, self.__qualname__)

    def __await__(self) -> t.Generator[t.Any, t.Any, t.Any]:
        """Do the work until it is over or the stage stops."""
        return self._run().__await__()

    @abc.abstractmethod
    async def _run(self) -> t.Any: ...

    async def _call(self) -> t.Any:
        """Call the function once, in a layer of its own."""
        self.counts.runs += 1
        try:
            async with context.child():
                return await self._function()
        except Exception as error:
            self.counts.failures += 1
            self.counts.last_error = error
            raise

    def _log(
        self, level: int, text: str, error: Exception, **facts: t.Any
    ) -> None:
        _log.log(
            level,
            text,
            self.__qualname__,
            exc_info=error,
            extra={
                "task": self.__qualname__,
                "failures": self.counts.failures,
                **facts,
            },
        )


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


def drawn(jitter: float) -> float:
    """Draw by how many seconds a call is later than it is due."""
    if not jitter:
        return 0.0
    import random  # noqa: PLC0415 - few programs need it

    return random.uniform(0, jitter)  # noqa: S311


class Every(Work):
    """The return value of ``every``."""

    def __init__(
        self,
        seconds: float,
        function: Function,
        *,
        jitter: float,
        overlap: Overlap,
    ) -> None:
        super().__init__(function)
        self._seconds = seconds
        self._jitter = jitter
        self._skips = overlap == "skip"

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += self._seconds
            late = loop.time() - due
            if late > 0 and self._skips:
                # Its times so far have passed while it was running.
                passed = math.ceil(late / self._seconds)
                self.counts.skipped += passed
                due += passed * self._seconds
            later = drawn(self._jitter)
            if await stopped_within(due + later - loop.time()):
                return
            try:
                await self._call()
            except Exception as error:  # noqa: BLE001 - it goes on
                self._log(logging.ERROR, "The periodic task %r failed.", error)


def every(
    seconds: float,
    function: Function,
    *,
    jitter: float = 0.0,
    overlap: Overlap = "skip",
) -> t.Awaitable[None]:
    """
    Return a task that calls a function again and again.

    The first call is after one interval. Each has a layer of its own; one
    that fails is logged with its traceback and counted, and the next one
    comes at its time. When the stage stops, a call that runs may end, as any
    task may.

    Args:
        seconds: The interval, from one beginning to the next.
        function: An async function. What it needs is injected if buvar-di is
            used.
        jitter: Seconds by which a call may be later, drawn at random, so
            that not all workers call at once.
        overlap: What becomes of the times that pass while a call runs:
            ``"skip"`` leaves them out, ``"queue"`` makes up for them.

    Raises:
        WorkError: An option makes no sense, or it is not such a function.

    Example:
        >>> async def clean(): ...
        >>> async def prepare():
        ...     yield every(60, clean, jitter=5)
    """
    name = name_of(function)
    check_number(name, "seconds", seconds, least=0.001)
    check_number(name, "jitter", jitter)
    check_choice(name, "overlap", overlap, ("skip", "queue"))
    return Every(seconds, function, jitter=jitter, overlap=overlap)


async def stopped_within(seconds: float) -> bool:
    """Wait; tell whether the stage stops by then."""
    cancel = context.get(Cancel)
    if seconds <= 0:
        # Others get their turn also where this never waits.
        await asyncio.sleep(0)
        return cancel.is_set()
    try:
        async with asyncio.timeout(seconds):
            await cancel.wait()
    except TimeoutError:
        return False
    return True


def _callable(function: Function, name: str) -> Function:
    """Return a function that can be called without arguments."""
    if not inspect.iscoroutinefunction(_innermost(function)):
        raise WorkError(
            name,
            "function",
            function,
            "Give an async function, without calling it.",
        )
    if not signature(function).parameters:
        return function
    found = spi.injected(function)
    if found is not None:
        return t.cast("Function", found)
    return _refuse_parameters(function, name)


def _innermost(function: t.Any) -> t.Any:
    """Return the function behind partials and objects with ``__call__``."""
    while hasattr(function, "func"):
        function = function.func
    if not inspect.isroutine(function) and callable(function):
        return function.__call__
    return function


def _refuse_parameters(function: Function, name: str) -> Function:
    """Refuse a function whose parameters nothing fills."""
    for parameter in signature(function).parameters.values():
        variadic = parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        )
        if parameter.default is parameter.empty and not variadic:
            raise WorkError(
                name,
                "function",
                function,
                f"Nothing fills its parameter {parameter.name!r}: import "
                "buvar.di, or give functools.partial with the arguments.",
            )
    return function


def name_of(function: t.Any) -> str:
    named = _innermost(function) if hasattr(function, "func") else function
    return str(getattr(named, "__qualname__", type(named).__qualname__))


def check_number(
    name: str, option: str, value: t.Any, *, least: float = 0
) -> None:
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not least <= value < math.inf
    ):
        raise WorkError(
            name, option, value, f"Give a number of {least:g} or more."
        )


def check_choice(
    name: str, option: str, value: object, choices: tuple[str, ...]
) -> None:
    if value not in choices:
        raise WorkError(
            name, option, value, f"Give {' or '.join(map(repr, choices))}."
        )
