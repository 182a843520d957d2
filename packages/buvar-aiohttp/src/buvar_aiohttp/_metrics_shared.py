"""
The folder that the workers of one supervisor share for their metrics.

It is named after the supervisor, so that each worker finds it by itself. A
worker holds a lock as long as it needs the folder: whoever cannot share it
with anybody when it leaves removes the folder. What a supervisor and all of
its workers leave behind that are killed at once is removed by the next one.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import stat
import tempfile
import typing as t

from prometheus_client import values

from buvar import context
from buvar import fork
from buvar import plugin

from ._errors import MetricsFolderError


fcntl: t.Any = None
with contextlib.suppress(ImportError):  # Windows, which does not fork
    import fcntl

#: What tells prometheus-client that several processes have the metrics.
VARIABLE: t.Final = "PROMETHEUS_MULTIPROC_DIR"

_LOCK: t.Final = ".workers"
_PREFIX: t.Final = "buvar-metrics"


class SharedFolder:
    """
    The folder, for as long as this worker needs it.

    Args:
        path: Where it is; it is made if there is none.

    Raises:
        MetricsFolderError: Something else is there.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self._lock = self._enter()

    def _enter(self) -> int:
        """Return the lock, of a folder that nobody is removing."""
        while True:
            try:
                self.path.mkdir(mode=0o700, exist_ok=True)
                self._refuse_others()
                lock = os.open(
                    self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                )
            except FileNotFoundError:
                # It was removed just now.
                continue
            except OSError as error:
                reason = error.strerror or str(error)
                raise MetricsFolderError(str(self.path), reason) from error
            fcntl.flock(lock, fcntl.LOCK_SH)
            with contextlib.suppress(FileNotFoundError):
                there = (self.path / _LOCK).stat()
                if os.path.samestat(there, os.fstat(lock)):
                    return lock
            os.close(lock)

    def _refuse_others(self) -> None:
        """
        Refuse what another user has put there.

        Raises:
            MetricsFolderError: It is not a folder of this user's alone.
        """
        status = self.path.lstat()
        if (
            not stat.S_ISDIR(status.st_mode)
            or status.st_uid != os.geteuid()
            or status.st_mode & 0o077
        ):
            raise MetricsFolderError(
                str(self.path), "it is not a folder of this user alone"
            )

    def close(self) -> None:
        """Leave the folder; the last one removes it."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # Others have it still.
            pass
        else:
            shutil.rmtree(self.path, ignore_errors=True)
        finally:
            os.close(self._lock)


def share_folder() -> SharedFolder | None:
    """
    Have workers keep their metrics in a folder that they share.

    Returns:
        The folder; ``None`` if there is only one process, or the variable
        names another folder.

    Raises:
        MetricsFolderError: It cannot be shared.
    """
    worker = context.get(fork.Worker, default=None)
    if (
        fcntl is None
        or worker is None
        or worker.asker is None
        or plugin.checking()
        or os.environ.get(VARIABLE)
    ):
        return None
    home = pathlib.Path(
        os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    )
    _remove_abandoned(home)
    supervisor = os.getppid()
    name = f"{_PREFIX}-{os.geteuid()}-{supervisor}-{_started(supervisor)}"
    folder = SharedFolder(home / name)
    os.environ[VARIABLE] = str(folder.path)
    # It looks at the variable only when it is imported, which the program may
    # have done before it was forked.
    module: t.Any = values
    module.ValueClass = module.MultiProcessValue()
    return folder


def _remove_abandoned(home: pathlib.Path) -> None:
    """Remove folders whose supervisor is gone, with all of its workers."""
    pattern = re.compile(
        rf"{_PREFIX}-{os.geteuid()}-([0-9]{{1,10}})-([0-9]+)", re.ASCII
    )
    for path in home.glob(f"{_PREFIX}-*"):
        match = pattern.fullmatch(path.name)
        if match is None or path.is_symlink():
            continue
        if _started(int(match[1])) != int(match[2]):
            with contextlib.suppress(OSError, MetricsFolderError):
                SharedFolder(path).close()


def _started(pid: int) -> int:
    """
    Return when a process began, as numbers are used again.

    Returns:
        The time in ticks since the system's start; 0 if the system does not
        tell, -1 if there is no such process.
    """
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass
    except (OSError, OverflowError):
        return -1
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return 0
    return int(text.rpartition(")")[2].split()[19])
