"""
Work that is done again and again: what its kinds have in common.

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
Overlap: t.TypeAlias = t.Literal["skip", "queue"]


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


def drawn(jitter: float) -> float:
    """Draw by how many seconds a call is later than it is due."""
    if not jitter:
        return 0.0
    import random  # noqa: PLC0415 - few programs need it

    return random.uniform(0, jitter)  # noqa: S311


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
