"""Refuse new connections to a listening socket, and keep its queue."""

from __future__ import annotations

import array
import contextlib
import socket
import struct
import sys
import typing as t


#: Linux: attach a filter of the old kind to a socket.
_SO_ATTACH_FILTER: t.Final = 26
#: Instructions: code, jump if true, jump if false, operand.
_INSTRUCTION: t.Final = struct.Struct("HBBI")
_PROGRAM: t.Final = struct.Struct("HP")
#: Drop a segment whose flags, at offset 13, are SYN without ACK.
_NO_NEWCOMERS: t.Final = (
    (0x30, 0, 0, 13),  # load the byte
    (0x54, 0, 0, 0x12),  # and it with SYN | ACK
    (0x15, 0, 1, 0x02),  # go on if only SYN is left, else skip one
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # keep
)


def drop_newcomers(sock: socket.socket) -> None:
    """
    Make the kernel drop attempts to connect, where it can (Linux).

    A listening socket that closes resets the connections in its queue, and
    while it is open more may come in. With this filter the queue only gets
    shorter; a client that knocks meanwhile tries again, and is refused then.
    """
    if sys.platform != "linux":  # pragma: no cover - Linux only
        return
    code = array.array(
        "B", b"".join(_INSTRUCTION.pack(*line) for line in _NO_NEWCOMERS)
    )
    address, _ = code.buffer_info()
    program = _PROGRAM.pack(len(_NO_NEWCOMERS), address)
    # A kernel without such filters: connections come a little longer.
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
