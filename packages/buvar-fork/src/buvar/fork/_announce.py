"""Say once that it serves, also where nobody set logging up."""

from __future__ import annotations

import contextlib
import logging
import sys
import typing as t

from ._sockets import Socket


_log = logging.getLogger(__name__)


def announce(workers: int, sockets: t.Iterable[Socket]) -> None:
    """
    Log how many workers serve what.

    A program whose logs go nowhere still has to tell that it is up, so
    without any handler the line goes to standard error.

    Args:
        workers: How many there are.
        sockets: What they listen on.
    """
    where = ", ".join(f"{item.uri} ({_text(item)})" for item in sockets)
    who = "1 worker is" if workers == 1 else f"{workers} workers are"
    line = f"{who} ready{f' on {where}' if where else ''}."
    if _log.hasHandlers() or not where:
        _log.info(line, extra={"workers": workers})
        return
    # Closed or full, it must not keep the service from serving.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _text(item: Socket) -> str:
    """Render an address as people write it."""
    address = item.address
    if isinstance(address, tuple):
        host, port = t.cast("tuple[str, int]", address)[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return str(address)
