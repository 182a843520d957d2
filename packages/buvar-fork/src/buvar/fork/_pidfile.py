"""A file that says which process to send signals to."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import pathlib
import stat
import typing as t

from ._errors import PidFileError


try:
    import fcntl
except ImportError:  # pragma: no cover - Windows, see _lock
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger("buvar.fork")

#: A file with more bytes than this is not about a process.
_LONGEST: t.Final = 64
#: Anybody may read it, whatever the umask says: tools send signals by it.
_MODE: t.Final = 0o644
#: How often others may take the file away while it is being created.
_ATTEMPTS: t.Final = 100
#: What a file system answers that has no locks.
_NO_LOCKS: t.Final = frozenset(
    {
        errno.ENOLCK,
        errno.ENOSYS,
        errno.ENOTSUP,
        errno.EOPNOTSUPP,
    }
)


@contextlib.contextmanager
def pid_file(path: str | os.PathLike[str] | None) -> t.Generator[None]:
    """
    Keep the id of this process in a file, as long as the block runs.

    The file is locked while its process runs, so a file that is not locked
    is stale, whatever process has the number in it by now. It is created
    anew and never written through: a link, a pipe or a file with something
    else in it is refused.

    Raises:
        PidFileError: Another process has it, or it cannot be written.
    """
    if path is None:
        yield
        return
    # Absolute, as the program may change its directory.
    file = pathlib.Path(path).absolute()
    try:
        fd = _take(file, str(path))
    except OSError as error:
        raise PidFileError(
            str(path), f"{error.strerror}; choose a file that can be written."
        ) from error
    forked = _CloseInChild(fd)
    try:
        yield
    finally:
        try:
            if _is_same(fd, file) and _read_pid(fd) == os.getpid():
                file.unlink()
        except FileNotFoundError:
            pass
        except PermissionError:
            # Without a supervisor the process is another user by now. The
            # file is not locked any more, so the next start takes it.
            _log.warning(
                "%s is left behind: it may not be removed by this user.",
                file,
                extra={"path": str(file)},
            )
        forked.close()


class _CloseInChild:
    """
    Keep a descriptor to one process.

    A lock lasts as long as any process has the file open: a worker that
    outlives its parent must not keep it.
    """

    def __init__(self, fd: int) -> None:
        self._fd: int | None = fd
        if hasattr(os, "register_at_fork"):  # pragma: no branch
            os.register_at_fork(after_in_child=self.close)

    def close(self) -> None:
        """Close it, once."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)


def _take(file: pathlib.Path, shown: str) -> int:
    """Create the file, write it and return it open and locked."""
    for _ in range(_ATTEMPTS):
        try:
            fd = _create(file)
        except FileExistsError:
            _remove_stale(file, shown)
            continue
        try:
            # Between the two lines above and below another process may have
            # found the new file without its lock, and removed it as stale.
            if _lock(fd) is not False and _is_same(fd, file):
                if hasattr(os, "fchmod"):  # pragma: no branch
                    os.fchmod(fd, _MODE)
                os.write(fd, b"%d\n" % os.getpid())
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
    raise PidFileError(
        shown,
        "other processes keep taking it; start one at a time, or use another "
        "file.",
    )


def _create(file: pathlib.Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    return os.open(file, flags, _MODE)


def _remove_stale(file: pathlib.Path, shown: str) -> None:
    """
    Remove a file that a crash has left.

    Raises:
        PidFileError: A process that runs has it, or it is something else.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
    try:
        # A pipe would be waited for: not with O_NONBLOCK.
        fd = os.open(file, flags | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise PidFileError(
            shown, "it is a link; remove it, or choose a file of its own."
        ) from error
    try:
        _check_kind(fd, shown)
        _check_taken(fd, shown)
        # The lock is kept until the file is gone: nobody else removes it.
        if _is_same(fd, file):
            file.unlink(missing_ok=True)
    finally:
        os.close(fd)


def _check_kind(fd: int, shown: str) -> None:
    """Refuse what was never a pid file."""
    status = os.fstat(fd)
    if stat.S_ISDIR(status.st_mode):
        reason = "it is a directory"
    elif not stat.S_ISREG(status.st_mode):
        reason = "it is not a regular file"
    elif status.st_size > _LONGEST:
        reason = "it holds something other than a process id"
    else:
        return
    raise PidFileError(shown, f"{reason}; choose a file that can be written.")


def _check_taken(fd: int, shown: str) -> None:
    """Refuse the file of a process that runs."""
    locked = _lock(fd)
    if locked:
        return  # Ours now, so nobody has had it.
    pid = _read_pid(fd)
    if pid is None:
        if locked is None:
            return
        raise PidFileError(
            shown,
            "another process is taking it at this moment; stop it, or "
            "use another file.",
        )
    # Whoever may read a file may lock it, so a lock alone keeps nobody out:
    # the process that the file names has to run, too.
    if _runs(pid):
        reason = f"process {pid} is running already; stop it, or use another "
        reason += "file."
        if locked is None:
            reason += (
                " If that is another program, the file is stale: remove it."
            )
        raise PidFileError(shown, reason, pid)


def _lock(fd: int) -> bool | None:
    """Lock a file; None says that this cannot be done here."""
    if fcntl is None:  # pragma: no cover - an open file cannot be removed
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return None
    return True


def _is_same(fd: int, file: pathlib.Path) -> bool:
    """Tell whether the path still names the open file."""
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(file))
    except FileNotFoundError:
        return False


def _read_pid(fd: int) -> int | None:
    """Return the process that the file names, if it names one."""
    os.lseek(fd, 0, os.SEEK_SET)
    try:
        pid = int(os.read(fd, _LONGEST))
    except ValueError:
        return None
    # Numbers out of this range mean groups of processes, or nothing.
    return pid if 0 < pid < 1 << 31 else None


def _runs(pid: int) -> bool:
    """Tell whether there is such a process, whoever it belongs to."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno != errno.ESRCH
    return True
