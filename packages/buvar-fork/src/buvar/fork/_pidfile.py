"""A file that says which process to send signals to."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import typing as t

from ._errors import PidFileError


@contextlib.contextmanager
def pid_file(path: str | os.PathLike[str] | None) -> t.Generator[None]:
    """
    Keep the id of this process in a file, as long as the block runs.

    Raises:
        PidFileError: It names another process that runs, or cannot be
            written.
    """
    if path is None:
        yield
        return
    file = pathlib.Path(path)
    try:
        _take(file)
    except OSError as error:
        raise PidFileError(
            str(file), f"{error.strerror}; choose a file that can be written."
        ) from error
    try:
        yield
    finally:
        if _read(file) == os.getpid():
            file.unlink()


def _take(file: pathlib.Path) -> None:
    """Write the file, unless another process has it."""
    other = _read(file)
    if other is not None and other != os.getpid() and _runs(other):
        raise PidFileError(
            str(file),
            f"process {other} is running already; stop it, or use another "
            "file.",
            other,
        )
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        draft.write_text(f"{os.getpid()}\n")
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _read(file: pathlib.Path) -> int | None:
    """Return what the file says; nonsense is nobody's process."""
    try:
        pid = int(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    # Others mean groups of processes, or are none.
    return pid if 0 < pid < 1 << 31 else None


def _runs(pid: int) -> bool:
    """Tell whether there is such a process, whoever it belongs to."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno != errno.ESRCH
    return True
