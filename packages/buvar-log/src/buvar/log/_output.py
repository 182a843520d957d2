"""
Write whole lines to standard error, standard output or a file.

Lines go straight to the file descriptor, each with one system call, so that
those of several processes do not mix. An output that takes nothing (a pipe
nobody reads) is waited for, but not for ever.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import select
import stat
import sys
import time
import typing as t


#: What a pipe takes without blocking when it is writable at all.
_CHUNK = getattr(select, "PIPE_BUF", 512)

#: Others may read what is logged, as the umask allows, but never write it.
_MODE: t.Final = 0o644

#: Linux can write without blocking to a pipe that blocks.
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)

_UNSUPPORTED = {errno.EOPNOTSUPP, errno.ESPIPE, errno.EINVAL, errno.ENOSYS}

_NO_FD = -1

#: Seconds between two looks at whether the file is still the one of its path.
_LOOK: t.Final = 0.1

#: Not wrapped by a detector of blocking calls: to log is to look, too.
_stat: t.Final = os.stat

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class Output:
    """
    A destination of lines.

    Args:
        target: "stderr" or "stdout": what that is at the time of writing, so
            tests may replace it; or the path of a file to append to.

    Raises:
        OSError: The file cannot be opened.

    A file that was moved away, by logrotate for example, is left for the new
    one of its path within a tenth of a second, in every process by itself.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self._stream: t.Any = None
        self._fd = _NO_FD
        self._blocks = False
        self._nowait = bool(_NOWAIT)
        self._torn = False
        self._owned = target not in {"stderr", "stdout"}
        self._watched = False
        self._looked = 0.0
        #: Why the file of the path cannot be opened again, if it cannot.
        self.trouble: OSError | None = None
        if self._owned:
            # Absolute, as the program may change its directory.
            self._path = target and os.path.abspath(target)  # noqa: PTH100
            self._open()

    def _open(self) -> None:
        """Open the file, or another one that has its path by now."""
        fd = open_file(self._path)
        if self._fd != _NO_FD:
            os.close(self._fd)
        self._fd = fd
        self._blocks = _may_block(fd)
        self._watched = stat.S_ISREG(os.fstat(fd).st_mode)
        self._torn = False

    def _follow(self) -> None:
        """
        Go on in a new file when the old one was moved away or removed.

        As long as there cannot be a new one the old one takes the lines.
        """
        self._looked = time.monotonic()
        try:
            try:
                new = _stat(self._path)
            except FileNotFoundError:
                pass
            else:
                old = os.fstat(self._fd)
                if (new.st_ino, new.st_dev) == (old.st_ino, old.st_dev):
                    self.trouble = None
                    return
            self._open()
        except OSError as error:
            self.trouble = error
        else:
            self.trouble = None

    def write(self, line: bytes, patience: float) -> None:
        """
        Write a line.

        Args:
            line: It ends with a line feed.
            patience: How many seconds to wait for an output that is full.

        Raises:
            OSError: The output failed, or is still full.
            ValueError: The output is closed.
        """
        if not self._owned:
            stream = _current(self.target)
            if stream is not self._stream:
                self._attach(stream)
            elif _is_closed(stream):
                raise self._closed()
        elif self._watched and time.monotonic() - self._looked > _LOOK:
            self._follow()
        if self._torn:
            line = b"\n" + line
        if self._fd == _NO_FD:
            self._write_text(line)
        else:
            if self._stream is not None and self.target == "stdout":
                # What was printed before comes before.
                self._stream.flush()
            self._write_fd(line, patience)

    def close(self) -> None:
        """Close a file, leave the standard streams alone."""
        if self._owned and self._fd != _NO_FD:
            fd, self._fd = self._fd, _NO_FD
            os.close(fd)

    def _closed(self) -> ValueError:
        return ValueError(f"{self.target} is closed")

    def _attach(self, stream: t.Any) -> None:
        if _is_closed(stream):
            raise self._closed()
        self._fd = _descriptor(stream)
        self._blocks = self._fd != _NO_FD and _may_block(self._fd)
        self._nowait = bool(_NOWAIT)
        self._torn = False
        self._stream = stream

    def _write_text(self, line: bytes) -> None:
        if self._stream is None:
            raise self._closed()
        text = line.decode("utf-8", "replace")
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            self._stream.write(_NOT_ASCII.sub(_escaped, text))
        self._stream.flush()

    def _write_fd(self, line: bytes, patience: float) -> None:
        whole = len(line)
        deadline = 0.0
        try:
            while line:
                sent = self._send(line)
                if not sent:
                    deadline = deadline or time.monotonic() + patience
                    self._wait(deadline)
                line = line[sent:]
        except OSError:
            self._torn = self._torn or len(line) < whole
            raise
        self._torn = False

    def _send(self, line: bytes) -> int:
        """Write what can be written without blocking, perhaps nothing."""
        if not self._blocks:
            return _write(self._fd, line)
        if self._nowait:
            try:
                return os.pwritev(self._fd, [line], -1, _NOWAIT)
            except BlockingIOError:
                return 0
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
                self._nowait = False
        if not _writable(self._fd, 0):
            return 0
        # Another process may be faster than us: then this does block.
        try:
            return _write(self._fd, line[:_CHUNK])
        except BlockingIOError:  # pragma: no cover - a race
            return 0

    def _wait(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0 or not _writable(self._fd, left):
            raise BlockingIOError(
                errno.EAGAIN, f"{self.target} takes nothing", self.target
            )


def open_file(path: str) -> int:
    """
    Open a file to append to.

    A pipe that nobody reads is an error, not waited for. A link is followed
    if it belongs to root or this user: where others may create files too,
    theirs would have this process write wherever it may.

    Raises:
        OSError: It cannot be opened.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for name in ("O_NONBLOCK", "O_NOCTTY"):
        flags |= getattr(os, name, 0)
    nofollow = getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, flags | nofollow, _MODE)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    owner = os.lstat(path).st_uid
    if owner not in {0, os.geteuid()}:
        raise PermissionError(
            errno.EACCES,
            f"it is a link that belongs to another user ({owner})",
            path,
        )
    return os.open(path, flags, _MODE)


def _write(fd: int, line: bytes) -> int:
    """Write a line, even where a detector of blocking calls is at work."""
    if sys.platform == "win32":  # pragma: no cover - not where we measure
        return os.write(fd, line)
    # Detectors wrap os.write(): to log is to write, and meant to.
    return os.writev(fd, (line,))


def _current(target: str) -> t.Any:
    """Return the standard stream, below a redirection of print."""
    stream = sys.stderr if target == "stderr" else sys.stdout
    return getattr(stream, "buvar_wrapped", stream)


def _is_closed(stream: t.Any) -> bool:
    return stream is None or getattr(stream, "closed", False)


def _escaped(found: re.Match[str]) -> str:
    """Return a letter as JSON says it in ASCII."""
    return json.dumps(found[0])[1:-1]


def _descriptor(stream: t.Any) -> int:
    """Return the descriptor below a stream when writing to it is the same."""
    buffer = getattr(stream, "buffer", None)
    if (
        os.name == "nt"  # its console wants text
        or not isinstance(stream, io.TextIOWrapper)
        or not isinstance(buffer, io.BufferedWriter | io.FileIO)
        or stream.encoding.lower().replace("-", "") != "utf8"
    ):
        return _NO_FD
    return stream.fileno()


def _may_block(fd: int) -> bool:
    """Say whether writing to a descriptor can take for ever."""
    mode = os.fstat(fd).st_mode
    pipe = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(fd)
    return pipe and hasattr(select, "poll")


def _writable(fd: int, seconds: float) -> bool:
    """Wait until a descriptor takes something, or does not in time."""
    # A poll object of its own for each wait: one that a thread waits with
    # while another one forks stays busy for ever in the child.
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(seconds * 1000))
