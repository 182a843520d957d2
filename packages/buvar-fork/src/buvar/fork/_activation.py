"""Sockets that systemd has opened for this process."""

from __future__ import annotations

import logging
import os
import typing as t

from ._bind import adopt
from ._errors import BindError
from ._sockets import Socket
from ._uri import Fd
from ._uri import Systemd


_log = logging.getLogger("buvar.fork")

#: The first of the file descriptors passed.
FIRST: t.Final = 3


def activated(environ: t.Mapping[str, str] = os.environ) -> dict[int, str]:
    """
    Return the names of the sockets passed to this process, by number.

    Others than this process, e.g. its parent, do not count.
    """
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return {}
    number = environ.get("LISTEN_FDS", "")
    if not number.isdecimal():
        return {}
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    names += ["unknown"] * int(number)
    return {
        FIRST + index: names[index] or "unknown"
        for index in range(int(number))
    }


def passed_to_other(
    environ: t.Mapping[str, str] = os.environ,
) -> str | None:
    """Return the process that sockets were passed to, if not to this one."""
    pid = environ.get("LISTEN_PID", "")
    if not pid or pid == str(os.getpid()) or not environ.get("LISTEN_FDS"):
        return None
    return pid


def warn_of_others() -> None:
    """Say that sockets were passed, but not to this process."""
    other = passed_to_other()
    if other is not None:
        _log.warning(
            "No socket is taken over: LISTEN_PID says that they were passed "
            "to process %s, this is process %d. Start the program itself, or "
            "with exec; else unset LISTEN_PID and LISTEN_FDS.",
            other,
            os.getpid(),
            extra={"listen_pid": other},
        )


def adopt_activated(address: Systemd) -> list[Socket]:
    """
    Take over the sockets passed by systemd, all or those of one name.

    Raises:
        BindError: There is none.
    """
    passed = activated()
    wanted = [
        (fd, name) for fd, name in passed.items() if address.name in {"", name}
    ]
    if not wanted:
        raise BindError(address.uri, _why_not(address, passed))
    sockets: list[Socket] = []
    uris: set[str] = set()
    for fd, name in wanted:
        uri = address.uri if address.name else f"systemd://{name}"
        if not address.name and len(wanted) == 1:
            uri = address.uri
        if uri in uris:
            uri = f"{uri}#{fd}"
        uris.add(uri)
        try:
            sockets.append(adopt(Fd(address.uri, fd), uri))
        except BindError:
            for item in sockets:
                item.close()
            raise
    return sockets


def _why_not(address: Systemd, passed: t.Mapping[int, str]) -> str:
    if not passed and (other := passed_to_other()):
        return (
            f"the sockets were passed to another process, {other} "
            f"(LISTEN_PID), not to this one, {os.getpid()}: a wrapper "
            "(uv run, a shell) has started this program in a process of its "
            "own; start the program itself, or with exec."
        )
    if not passed:
        return (
            "systemd has passed no socket to this process (LISTEN_FDS, "
            "LISTEN_PID); start it with a .socket unit."
        )
    names = ", ".join(sorted(set(passed.values())))
    return (
        f"systemd has passed no socket named {address.name!r}, only {names}; "
        "set FileDescriptorName= in the .socket unit."
    )
