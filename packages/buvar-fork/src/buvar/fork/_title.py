"""Readable names of processes, where ``setproctitle`` is installed."""

from __future__ import annotations

import importlib


def set_title(title: str) -> None:
    """Name this process, as ``ps`` shows it."""
    try:
        module = importlib.import_module("setproctitle")
    except ImportError:
        return
    module.setproctitle(title)
