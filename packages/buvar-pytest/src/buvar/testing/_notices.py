"""Hear what a service says of itself, as systemd would."""

from __future__ import annotations

import socket
import sys
import tempfile
import typing as t

from pathlib import Path


class Notices:
    """
    A socket for ``sd_notify``.

    Attributes:
        address: What ``NOTIFY_SOCKET`` is set to.
        ready: How often the service has said that it is ready.
        all: Every line it sent, oldest first.
    """

    def __init__(self) -> None:
        self.ready = 0
        self.all: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if sys.platform == "linux":
            # The kernel chooses a name that is free; there is no file.
            self._socket.bind("")
            name = t.cast("bytes", self._socket.getsockname())
            self.address = "@" + name[1:].decode()
        else:
            # Paths of sockets are short, those of pytest may be long.
            self._folder = tempfile.TemporaryDirectory()
            self.address = str(Path(self._folder.name) / "notify")
            self._socket.bind(self.address)
        self._socket.setblocking(False)  # noqa: FBT003 - the name of it

    def read(self) -> None:
        """Take in what has arrived."""
        while True:
            try:
                message = self._socket.recv(4096)
            except BlockingIOError:
                return
            lines = message.decode("utf-8", "replace").splitlines()
            self.all += lines
            self.ready += "READY=1" in lines

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()
        if self._folder is not None:
            self._folder.cleanup()
