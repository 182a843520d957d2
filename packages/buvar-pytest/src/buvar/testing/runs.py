"""Run a stage from its beginning to its end: the fixture ``buvar_run``."""

from __future__ import annotations

import asyncio
import dataclasses
import typing as t

from buvar import plugin

from ._timeout import check_timeout
from .logs import Logs


#: Seconds a run may take, unless told otherwise.
TIMEOUT: t.Final = 30.0


@dataclasses.dataclass(frozen=True)
class Outcome:
    """
    What became of a run.

    Attributes:
        results: What the tasks returned, in the order they were yielded in;
            empty if the run failed.
        exit_code: What a process would have exited with.
        error: What the run raised, if it failed.
        logs: What was logged meanwhile.
    """

    results: list[t.Any]
    exit_code: int
    error: BaseException | None
    logs: Logs

    @property
    def failures(self) -> list[plugin.Failure]:
        """The failures, each with its plugin and step."""
        return [] if self.error is None else plugin.failures(self.error)

    def check(self) -> t.Self:
        """
        Return the outcome of a run that went well.

        Raises:
            BaseException: What the run raised.
        """
        if self.error is not None:
            raise self.error
        return self


class RunTimeoutError(Exception):
    """
    A run did not end by itself.

    Attributes:
        seconds: How long it was given.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        """Say what is wrong and the cure."""
        return (
            f"The stage did not end within {self.seconds:g} s, so it was "
            "stopped.\nA server runs until it is stopped: let the test do "
            "that with plugin.Cancel, run it with buvar_service, or give "
            "timeout=..."
        )


class Run(t.Protocol):
    """The fixture ``buvar_run``, see ``run()``."""

    def __call__(
        self, *plugins: plugin.Plugin, timeout: float = ..., **options: t.Any
    ) -> Outcome:
        """Run a stage to its end."""
        ...


def run(
    *plugins: plugin.Plugin, timeout: float = TIMEOUT, **options: t.Any
) -> Outcome:
    """
    Run a stage to its end, in an event loop of its own.

    Args:
        plugins: Names, modules or functions, as ``plugin.stage`` takes them.
        timeout: Seconds after which it is stopped.
        options: More options of ``plugin.stage``. Signals are handled only
            if they are asked for.

    Returns:
        Its results, or what failed.

    Raises:
        RunTimeoutError: It did not end by itself.
        KeyboardInterrupt: The test was interrupted.
        StageOptionError: The options make no sense, or a loop runs already.
        ValueError: The timeout makes no sense.
    """
    check_timeout(timeout)
    expired = False

    async def watch(cancel: plugin.Cancel, teardown: plugin.Teardown) -> None:
        def expire() -> None:
            nonlocal expired
            expired = True
            cancel.set()

        timer = asyncio.get_running_loop().call_later(timeout, expire)
        teardown.add(timer.cancel)

    options.setdefault("signals", None)
    logs = Logs()
    results: list[t.Any] = []
    failed: BaseException | None = None
    with logs.collecting():
        try:
            results = plugin.stage(watch, *plugins, **options)
        except (KeyboardInterrupt, plugin.StageOptionError):
            raise
        except BaseException as error:  # noqa: BLE001 - it is the outcome
            failed = error
    if expired:
        raise RunTimeoutError(timeout) from failed
    code = plugin.exit_code(results if failed is None else failed)
    return Outcome(results, code, failed, logs)


__all__ = ["TIMEOUT", "Outcome", "Run", "RunTimeoutError", "run"]
