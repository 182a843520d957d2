"""Files: their paths, their text, and whether they have changed."""

from __future__ import annotations

import os
import pathlib
import typing as t

from buvar.config._errors import ConfigError
from buvar.config._errors import config_error


AnyPath: t.TypeAlias = "str | os.PathLike[str]"


def to_file(path: AnyPath) -> pathlib.Path:
    """
    Return the path of a file.

    Raises:
        ConfigError: It is none.
    """
    try:
        file = pathlib.Path(path)
    except TypeError:
        kind = type(path).__name__
        msg = f"the name of a file is text or a pathlib.Path, not of {kind}"
        raise config_error(msg, cure="Pass the path of a file.") from None
    if "\0" in str(file):
        raise config_error(
            "the name of a file has a NUL byte", value=repr(str(file))
        )
    try:
        # No shell expands what a variable or a unit file says.
        return file.expanduser()
    except RuntimeError:
        return file


def absolute(file: pathlib.Path) -> pathlib.Path:
    """Return where a file is, whatever the working directory will be."""
    try:
        return file.absolute()
    except OSError:
        # The working directory has gone.
        return file


def is_missing(file: pathlib.Path) -> bool:
    """Tell whether nothing is there; what cannot be asked may be there."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def inside(folder: pathlib.Path) -> list[pathlib.Path] | None:
    """Return what is in a folder, ``None`` if it is none."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return None


def stamp(file: pathlib.Path) -> tuple[t.Any, ...]:
    """Return what is known of a file or folder without reading it."""
    return tuple(_stamp(part) for part in (file, *(inside(file) or ())))


def _stamp(file: pathlib.Path) -> tuple[t.Any, ...]:
    try:
        status = file.stat()
    except OSError:
        return (str(file),)
    return str(file), status.st_mtime_ns, status.st_size, status.st_ino


def read_text(
    file: pathlib.Path, *, shown: str | None = None, missing: str = ""
) -> str:
    """
    Read a file as UTF-8.

    Args:
        file: The file.
        shown: What errors call it.
        missing: What to do if there is none.

    Raises:
        ConfigError: It cannot be read.
    """
    name = shown or str(file)
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        failure = _not_utf8(name, error)
    except (OSError, ValueError) as error:
        failure = _unreadable(name, error, missing)
    # Raised here, the error does not drag the bytes of the file along.
    raise failure


def _not_utf8(file: str, error: UnicodeDecodeError) -> ConfigError:
    line = error.object.count(b"\n", 0, error.start) + 1
    return config_error(
        "expected UTF-8 text, but found the byte "
        f"{error.object[error.start]:#04x} in line {line}",
        source=f"{file}:{line}",
        cure="Save the file as UTF-8.",
    )


def _unreadable(
    file: str, error: OSError | ValueError, missing: str
) -> ConfigError:
    reason = getattr(error, "strerror", None) or str(error)
    cures: dict[type[Exception], str] = {
        FileNotFoundError: missing,
        IsADirectoryError: "Name a file, or call the folder something.d.",
        PermissionError: "Make it readable for the user that runs this.",
    }
    return config_error(
        f"the file cannot be read: {reason}",
        source=file,
        cure=cures.get(type(error), "Check the path."),
    )
