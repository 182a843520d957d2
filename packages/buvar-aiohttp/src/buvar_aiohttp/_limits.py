"""How many connections a process has room for."""

from __future__ import annotations

import contextlib
import pathlib
import sys
import typing as t


#: What is left for files, databases and the like: a part of the limit.
_PART: t.Final = 8
#: The same, at least.
_LEAST: t.Final = 8
#: How many descriptors are taken to be open where the system does not tell.
_USUAL: t.Final = 32


def default_max_connections() -> int | None:
    """
    Return how many connections fit below the limit of open files.

    Returns:
        The number, at least 1; ``None`` where there is no limit.
    """
    if sys.platform == "win32":  # pragma: no cover - it has no such limit
        return None
    import resource  # noqa: PLC0415 - Windows has none

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return None
    used = _USUAL
    with contextlib.suppress(OSError):
        used = len([*pathlib.Path("/dev/fd").iterdir()])
    return max(1, limit - used - max(_LEAST, limit // _PART))
