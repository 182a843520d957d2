"""What a worker tells its parent, through a pipe."""

from __future__ import annotations

import contextlib
import enum
import os
import struct
import typing as t


class Kind(enum.IntEnum):
    """The kinds of messages."""

    #: Plugins are prepared, tasks run.
    READY = 1
    #: The event loop turns; may carry the memory in use, in bytes.
    BEAT = 2
    #: The worker asks to be replaced; carries why.
    RECYCLE = 3
    #: The stage ended well; carries its results.
    RESULTS = 4
    #: The stage failed; carries how.
    FAILED = 5


_HEAD: t.Final = struct.Struct("!BQ")
_CHUNK: t.Final = 1 << 16


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

    def receive(self) -> list[tuple[Kind, bytes]]:
        """Return all messages that are complete by now."""
        while self.open:
            try:
                chunk = os.read(self.fd, _CHUNK)
            except BlockingIOError:
                break
            self._data += chunk
            self.open = bool(chunk)
        return list(self._messages())

    def _messages(self) -> t.Iterator[tuple[Kind, bytes]]:
        while len(self._data) >= _HEAD.size:
            kind, size = _HEAD.unpack_from(self._data)
            end = _HEAD.size + size
            if len(self._data) < end:
                return
            payload = bytes(self._data[_HEAD.size : end])
            del self._data[:end]
            yield Kind(kind), payload
