"""Readable names of processes, where ``setproctitle`` is installed."""

from __future__ import annotations

import contextlib
import importlib
import typing as t


class Title:
    """
    Names processes, as ``ps`` shows them.

    Made once, before the fork: looking for the module costs each worker
    memory otherwise.

    Args:
        title: What all the names start with.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._set: t.Callable[[str], object] | None = None
        with contextlib.suppress(ImportError):
            self._set = importlib.import_module("setproctitle").setproctitle

    def show(self, who: str) -> None:
        """Name this process."""
        if self._set is not None:
            self._set(f"{self._title}: {who}")
