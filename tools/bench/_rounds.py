"""
Time several cases side by side and print their medians and ratios.

A machine's speed drifts, so the cases take turns, round by round: what is
quoted is the median of each and the median of the ratios within a round.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import statistics
import sys
import time
import typing as t


#: Runs a case ``number`` times and returns the seconds that took.
Case: t.TypeAlias = t.Callable[[int], float]


def calls(func: t.Callable[[], object]) -> Case:
    """Make a case of a function without arguments."""

    def case(number: int) -> float:
        repeat = range(number)
        start = time.perf_counter()
        for _ in repeat:
            func()
        return time.perf_counter() - start

    return case


def coroutines(
    func: t.Callable[[], t.Awaitable[object]],
    run: t.Callable[[t.Coroutine[t.Any, t.Any, float]], float],
) -> Case:
    """Make a case of a coroutine function, ``run`` drives it."""

    def case(number: int) -> float:
        async def loop() -> float:
            repeat = range(number)
            start = time.perf_counter()
            for _ in repeat:
                await func()
            return time.perf_counter() - start

        return run(loop())

    return case


def interleave(
    cases: t.Mapping[str, Case],
    *,
    rounds: int = 15,
    seconds: float = 0.05,
) -> dict[str, list[float]]:
    """
    Return the seconds per call of each case in each round.

    Args:
        cases: The cases by name.
        rounds: How often each case takes its turn.
        seconds: How long one turn should take about.
    """
    numbers = {name: _number(case, seconds) for name, case in cases.items()}
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            times[name].append(case(numbers[name]) / numbers[name])
    return times


def _number(case: Case, seconds: float) -> int:
    """Find how many calls fill a turn, warming the case up."""
    number = 1
    while (spent := case(number)) < seconds / 4:
        number *= 4
    return max(1, int(number * seconds / spent))


def ratio(times: t.Sequence[float], base: t.Sequence[float]) -> float:
    """Return the median of the ratios round by round."""
    return statistics.median(
        ours / other for ours, other in zip(times, base, strict=True)
    )


def spread(times: t.Sequence[float], base: t.Sequence[float]) -> str:
    """Return that median, and the least and the greatest of the ratios."""
    ratios = [ours / other for ours, other in zip(times, base, strict=True)]
    least, most = min(ratios), max(ratios)
    return f"{ratio(times, base):.2f} ({least:.2f}-{most:.2f})"


def table(
    title: str,
    times: t.Mapping[str, t.Sequence[float]],
    *,
    base: str,
    unit: str = "ns",
    packages: t.Sequence[str] = (),
) -> str:
    """Render the medians and their ratios to a base case as Markdown."""
    scale = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1}[unit]
    rows = [
        f"| {name} | {statistics.median(spent) * scale:,.1f} "
        f"| {ratio(spent, times[base]):.2f} |"
        for name, spent in times.items()
    ]
    head = [f"### {title}", "", machine(packages), ""]
    return "\n".join(
        [*head, f"| case | {unit} | x {base} |", "|---|--:|--:|", *rows, ""]
    )


def machine(packages: t.Sequence[str] = ()) -> str:
    """Say when, where and with what was measured, as far as it is there."""
    versions = ", ".join(filter(None, map(_version, packages)))
    return (
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, "
        f"Python {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores"
        + (f"; {versions}" if versions else "")
    )


if __name__ == "__main__":
    sys.exit("This module is a part of the benchmarks beside it.")


def _version(package: str) -> str:
    """Name a package and its version, nothing if it is not installed."""
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return ""
