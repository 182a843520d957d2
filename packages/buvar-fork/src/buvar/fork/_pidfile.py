"""A file that says which process to send signals to."""

from __future__ import annotations

import contextlib
import os
import pathlib
import typing as t

from ._errors import PidFileError


@contextlib.contextmanager
def pid_file(path: str | os.PathLike[str] | None) -> t.Generator[None]:
    """
    Keep the id of this process in a file, as long as the block runs.

    Raises:
        PidFileError: It names another process that runs.
    """
    if path is None:
        yield
        return
    file = pathlib.Path(path)
    other = _read(file)
    if other is not None and other != os.getpid() and _runs(other):
        raise PidFileError(str(file), other)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.write_text(f"{os.getpid()}\n")
    draft.replace(file)
    try:
        yield
    finally:
        if _read(file) == os.getpid():
            file.unlink()


def _read(file: pathlib.Path) -> int | None:
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
