"""Run the checks of a service's health, at once and within bounds."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
import typing as t

import attrs

from buvar import context
from buvar import di


_log = logging.getLogger("buvar_aiohttp")

#: How many checks run at the same time.
MOST: t.Final = 10
#: Seconds that a check which is cancelled gets to end.
CANCELLED: t.Final = 1.0


def _positive(_: object, attribute: t.Any, value: float) -> None:
    if not value > 0:
        msg = f"{attribute.name} is a number of seconds above 0, not {value!r}"
        raise ValueError(msg)


def _not_negative(_: object, attribute: t.Any, value: float) -> None:
    if not value >= 0:
        msg = f"{attribute.name} is a number of seconds from 0, not {value!r}"
        raise ValueError(msg)


@attrs.frozen(eq=False)
class Check:
    """
    Something that a service needs, such as a database that answers.

    A component: add each with its name, ``context.add(check, name=...)``, or
    by ``add_check``.

    Attributes:
        name: What it is called.
        function: An async function, its parameters injected. It fails if it
            raises an exception or returns ``False``.
        timeout: Seconds that it may take.
        critical: Whether the service is not ready without it.
        cache: Seconds for which its result is kept, however many ask.
    """

    name: str
    function: t.Callable[..., t.Awaitable[object]]
    timeout: float = attrs.field(
        default=5.0, validator=_positive, kw_only=True
    )
    critical: bool = attrs.field(default=True, kw_only=True)
    cache: float = attrs.field(
        default=1.0, validator=_not_negative, kw_only=True
    )
    #: The function, its parameters filled.
    call: t.Callable[[], t.Awaitable[object]] = attrs.field(
        init=False, repr=False
    )

    def __attrs_post_init__(self) -> None:
        """Inject here: annotations may name what is local to the caller."""
        object.__setattr__(self, "call", di.inject(self.function))


def add_check(
    name: str,
    function: t.Callable[..., t.Awaitable[object]],
    *,
    timeout: float = 5.0,
    critical: bool = True,
    cache: float = 1.0,
) -> Check:
    """
    Add a check to the context, see ``Check``.

    Example:
        >>> from buvar import context
        >>> async def ping(): ...
        >>> with context.child():
        ...     check = add_check("database", ping, timeout=2)
        ...     context.get(Check, name="database") is check
        True
    """
    check = Check(
        name, function, timeout=timeout, critical=critical, cache=cache
    )
    return context.add(check, name=name)


class Result(t.NamedTuple):
    """
    What a check has found.

    Attributes:
        check: The check.
        status: ``ok``, ``failed`` or ``timeout``.
        seconds: How long it took.
        error: The type of what it raised. Its text may be a secret, and is
            logged only.
        until: When it is found out anew.
    """

    check: Check
    status: str
    seconds: float
    error: str | None
    until: float

    def as_json(self) -> dict[str, t.Any]:
        """Return it for those who look after the service."""
        found: dict[str, t.Any] = {
            "status": self.status,
            "critical": self.check.critical,
            "seconds": round(self.seconds, 6),
        }
        if self.error is not None:
            found["error"] = self.error
        return found


class Checks:
    """
    The checks of a service.

    Attributes:
        passed: Whether all that are critical have passed, once at least.
    """

    def __init__(self) -> None:
        self.passed = False
        self._below = context.current_context()
        self._bound = asyncio.Semaphore(MOST)
        self._results: dict[Check, Result] = {}
        self._running: dict[Check, asyncio.Task[Result]] = {}
        #: Calls that go on although they were cancelled.
        self._hanging: dict[Check, asyncio.Task[object]] = {}

    def functions(self) -> list[t.Any]:
        """Return what is called, for injection to verify it."""
        return [check.call for check in self._found()]

    async def run(self) -> list[Result]:
        """Return the result of each check, run now or not long ago."""
        results = await asyncio.gather(*map(self._ask, self._found()))
        self.passed = self.passed or is_ready(results)
        return results

    def _found(self) -> list[Check]:
        return [*self._below.find(Check).values()]

    async def _ask(self, check: Check) -> Result:
        known = self._results.get(check)
        if known is not None and time.monotonic() < known.until:
            return known
        task = self._running.get(check)
        if task is None:
            # It is run for all that ask, on no request's layer.
            around = contextvars.copy_context()
            around.run(context.buvar_context.set, self._below)
            task = asyncio.create_task(self._run(check), context=around)
            self._running[check] = task
            task.add_done_callback(lambda _: self._running.pop(check))
        # Whoever else waits for it still does if this request is cancelled.
        return await asyncio.shield(task)

    async def _run(self, check: Check) -> Result:
        async with self._bound:
            start = time.monotonic()
            status, error = await self._call(check)
            now = time.monotonic()
        name = None if error is None else type(error).__qualname__
        result = Result(check, status, now - start, name, now + check.cache)
        self._report(result, error)
        self._results[check] = result
        return result

    async def _call(self, check: Check) -> tuple[str, BaseException | None]:
        """Return how a check ends, within its time whatever it does."""
        # One that goes on although it was cancelled is not called again.
        call = self._hanging.pop(check, None)
        if call is None or call.done():
            call = asyncio.create_task(_on_layer(check))
            call.add_done_callback(_retrieve)
        try:
            done, _ = await asyncio.wait({call}, timeout=check.timeout)
            if not done:
                call.cancel()
                await asyncio.wait({call}, timeout=CANCELLED)
        finally:
            if not call.done():
                call.cancel()
                self._hanging[check] = call
        if not done:
            return "timeout", TimeoutError()
        if call.cancelled():
            # Nobody has cancelled it here, so that it is an error of its own.
            return "failed", asyncio.CancelledError()
        error = call.exception()
        fine = error is None and call.result() is not False
        return "ok" if fine else "failed", error

    def _report(self, result: Result, error: BaseException | None) -> None:
        """Log a result that is another one than before."""
        before = self._results.get(result.check)
        if result.status == ("ok" if before is None else before.status):
            return
        name = result.check.name
        if result.status == "ok":
            _log.info("The check %r passes again.", name)
            return
        _log.warning(
            "The check %r has not passed: %s.",
            name,
            "it took too long" if result.status == "timeout" else "it failed",
            exc_info=error,
            extra={"check": name, "critical": result.check.critical},
        )

    async def close(self) -> None:
        """Cancel what still runs, and wait for it, but not for long."""
        for tasks in (self._running, self._hanging):
            found: list[asyncio.Task[t.Any]] = [*tasks.values()]
            for task in found:
                task.cancel()
            if found:
                await asyncio.wait(found, timeout=CANCELLED)
        for check, call in self._hanging.items():
            if not call.done():
                _log.warning(
                    "The check %r goes on although it was cancelled.",
                    check.name,
                    extra={"check": check.name},
                )


async def _on_layer(check: Check) -> object:
    async with context.child():
        return await check.call()


def _retrieve(call: asyncio.Task[t.Any]) -> None:
    """Have asyncio not complain about a call that nobody waits for."""
    if not call.cancelled():
        call.exception()


def is_ready(results: t.Iterable[Result]) -> bool:
    """Tell whether all that is critical has passed."""
    return all(
        result.status == "ok" for result in results if result.check.critical
    )
