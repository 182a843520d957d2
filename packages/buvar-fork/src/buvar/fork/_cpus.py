"""How many CPUs this process may use."""

from __future__ import annotations

import math
import os
import pathlib
import typing as t


_CGROUPS: t.Final = pathlib.Path("/sys/fs/cgroup")
_MEMBERSHIP: t.Final = pathlib.Path("/proc/self/cgroup")


def available_cpus(
    *,
    cgroups: pathlib.Path = _CGROUPS,
    membership: pathlib.Path = _MEMBERSHIP,
) -> int:
    """
    Return the number of CPUs: the affinity, bounded by the cgroup's quota.

    Part of a CPU counts as one.
    """
    count = _allowed()
    for quota in _quotas(cgroups, membership):
        count = min(count, math.ceil(quota))
    return max(1, count)


def _allowed() -> int:
    """Count the CPUs that the scheduler may use for this process."""
    # From Python 3.13 on; honours -X cpu_count and PYTHON_CPU_COUNT, too.
    count: t.Callable[[], int | None] | None = getattr(
        os, "process_cpu_count", None
    )
    if count is not None:
        return count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # pragma: no cover - neither of them: macOS


def _quotas(
    cgroups: pathlib.Path, membership: pathlib.Path
) -> t.Iterator[float]:
    """Yield the quotas of this process's control groups, in CPUs."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            for folder in _up(cgroups, path):
                yield from _version_2(folder)
        elif "cpu" in controllers.split(","):
            for root in (cgroups / controllers, cgroups / "cpu"):
                for folder in _up(root, path):
                    yield from _version_1(folder)


def _up(root: pathlib.Path, path: str) -> t.Iterator[pathlib.Path]:
    """Yield a group's folder and all above: each may set a limit."""
    group = pathlib.PurePosixPath(path)
    for part in (group, *group.parents):
        yield root.joinpath(str(part).lstrip("/"))


def _version_2(folder: pathlib.Path) -> t.Iterator[float]:
    words = _words(folder / "cpu.max")
    if len(words) == 2 and words[0] != "max":  # noqa: PLR2004 - quota, period
        yield int(words[0]) / int(words[1])


def _version_1(folder: pathlib.Path) -> t.Iterator[float]:
    quota = _words(folder / "cpu.cfs_quota_us")
    period = _words(folder / "cpu.cfs_period_us")
    if quota and period and int(quota[0]) > 0:
        yield int(quota[0]) / int(period[0])


def _words(path: pathlib.Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
