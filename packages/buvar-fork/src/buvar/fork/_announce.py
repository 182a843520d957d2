"""Say once that it serves, also where nobody set logging up."""

from __future__ import annotations

import logging
import typing as t

from ._sockets import Socket
from ._streams import say


_log = logging.getLogger("buvar.fork")


def announce(
    workers: int,
    sockets: t.Iterable[Socket],
    roles: t.Iterable[tuple[str, int]] = (),
) -> None:
    """
    Log how many workers serve what.

    A program whose logs go nowhere still has to tell that it is up, so
    without any handler the line goes to standard error.

    Args:
        workers: How many there are.
        sockets: What they listen on.
        roles: How many of them each role has.
    """
    where = ", ".join(
        f"{item.uri} ({address_text(item.address)})" for item in sockets
    )
    who = "1 worker is" if workers == 1 else f"{workers} workers are"
    numbers = ", ".join(f"{number} {role}" for role, number in roles)
    line = (
        f"{who} ready{f' ({numbers})' if numbers else ''}"
        f"{f' on {where}' if where else ''}."
    )
    if _log.hasHandlers() or not where:
        _log.info(line, extra={"workers": workers})
        return
    say(line)


def address_text(address: t.Any) -> str:
    """Render an address as people write it."""
    if isinstance(address, tuple):
        host, port = t.cast("tuple[str, int]", address)[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if isinstance(address, bytes):
        return f"@{address[1:].decode(errors='replace')}"
    return str(address)
