"""
What a worker tells its parent, through a pipe.

The parent may run with more rights than its workers, and it serves all of
them. So it takes nothing on trust: a message is plain data, there is a limit
to its size and to how much is read at once, and whatever is not a message is
an error that concerns the one worker that sent it.
"""

from __future__ import annotations

import contextlib
import enum
import math
import os
import struct
import typing as t


class Kind(enum.IntEnum):
    """The kinds of messages."""

    #: Plugins are prepared, tasks run.
    READY = 1
    #: The event loop turns; may carry the memory in use, in bytes.
    HEARTBEAT = 2
    #: The worker asks to be replaced; carries why.
    RECYCLE = 3
    #: The stage ended well; carries its results.
    RESULTS = 4
    #: The stage failed; carries how.
    FAILED = 5
    #: The service is to stop that much later; carries the seconds.
    DELAY = 6
    #: The same, at most and while the worker is busy; 0 once it is idle.
    BUSY = 7
    #: The stage begins to end; its outcome follows once it has ended.
    ENDING = 8


#: How many bytes a message of each kind may carry.
LIMITS: t.Final[t.Mapping[int, int]] = {
    Kind.READY: 0,
    Kind.HEARTBEAT: 20,
    Kind.RECYCLE: 1_000,
    Kind.RESULTS: 4 << 20,
    Kind.FAILED: 1 << 20,
    Kind.DELAY: 20,
    Kind.BUSY: 20,
    Kind.ENDING: 0,
}

_HEAD: t.Final = struct.Struct("!BQ")
#: How much is read in one turn: as much as a pipe holds.
_TURN: t.Final = 1 << 16


class MessageError(Exception):
    """
    What a worker has sent is not a message.

    Attributes:
        reason: What is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Sender:
    """The end of a worker."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def hint(self, kind: Kind, payload: bytes = b"") -> None:
        """Send something short, unless the parent is behind or gone."""
        os.set_blocking(self.fd, False)
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self.fd, _HEAD.pack(kind, len(payload)) + payload)

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        """Send something however long it takes, unless the parent is gone."""
        os.set_blocking(self.fd, True)
        left = memoryview(_HEAD.pack(kind, len(payload)) + payload)
        with contextlib.suppress(BrokenPipeError):
            while left:
                left = left[os.write(self.fd, left) :]


class Receiver:
    """The end of the parent, non-blocking."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.open = True
        self._data = bytearray()
        os.set_blocking(fd, False)

    def receive(self) -> t.Iterator[tuple[Kind, bytes]]:
        """
        Yield the messages that are complete by now.

        No more is read than a pipe holds: what else there is waits for the
        next turn, so that a worker that never stops talking cannot keep its
        parent from everything else.

        Raises:
            MessageError: What follows the messages before makes no sense.
        """
        left = _TURN
        while self.open and left > 0:
            try:
                chunk = os.read(self.fd, left)
            except BlockingIOError:
                break
            self._data += chunk
            self.open = bool(chunk)
            left -= len(chunk)
        start = 0
        try:
            while len(self._data) - start >= _HEAD.size:
                number, size = _HEAD.unpack_from(self._data, start)
                kind = _kind(number, size)
                end = start + _HEAD.size + size
                if len(self._data) < end:
                    break
                payload = bytes(self._data[start + _HEAD.size : end])
                start = end
                yield kind, payload
        finally:
            del self._data[:start]


def _kind(number: int, size: int) -> Kind:
    """Return the kind of a message whose head makes sense."""
    limit = LIMITS.get(number)
    if limit is None:
        raise MessageError(f"there is no kind {number} of messages")
    kind = Kind(number)
    if size > limit:
        raise MessageError(
            f"{size} bytes of {kind.name}, the limit is {limit}"
        )
    return kind


def parse_heartbeat(payload: bytes) -> int:
    """
    Return the memory that a sign of life tells, 0 if it tells none.

    Raises:
        MessageError: It tells something else.
    """
    if not payload:
        return 0
    if not payload.isdigit():
        raise MessageError(f"memory is a number of bytes, not {payload!r}")
    return int(payload)


def parse_delay(payload: bytes) -> float:
    """
    Return for how many seconds connections are to be accepted at the end.

    Raises:
        MessageError: It is not a number, or has no end.
    """
    try:
        seconds = float(payload)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise MessageError(f"a delay is a number of seconds, not {payload!r}")
    return seconds


def parse_reason(payload: bytes) -> str:
    """Return why a worker asks to be replaced, on one line."""
    text = payload.decode(errors="replace")
    return "".join(
        letter if letter.isprintable() else repr(letter)[1:-1]
        for letter in text
    )
