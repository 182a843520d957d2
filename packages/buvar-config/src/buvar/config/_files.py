"""Read TOML files and folders, and say what is wrong with them."""

from __future__ import annotations

import os
import pathlib
import re
import typing as t
import unicodedata

import attrs

from ._errors import ConfigError
from ._errors import config_error
from ._errors import together
from ._merge import check_depth
from ._origin import Layer
from ._sensitive import MASK
from ._sensitive import sounds_secret
from ._sensitive import without_passwords


AnyPath: t.TypeAlias = "str | os.PathLike[str]"


@attrs.frozen
class optional:  # noqa: N801 - used as a function
    """
    A file or folder that need not be there.

    Example:
        >>> from buvar import config
        >>> config.ConfigSource.read(config.optional("missing.toml"))
        {}
    """

    path: AnyPath


def read(paths: t.Iterable[AnyPath | optional]) -> list[Layer]:
    """
    Read files, and each ``*.toml`` of folders named ``*.d``, sorted.

    Raises:
        ConfigError: What cannot be read or is no TOML, of all of them.
    """
    layers: list[Layer] = []
    errors: list[ConfigError] = []
    for file in _files(paths):
        try:
            layers.append(_layer(file))
        except ConfigError as error:
            errors.append(error)
    if errors:
        raise together(errors)
    return layers


def _files(paths: t.Iterable[AnyPath | optional]) -> t.Iterator[pathlib.Path]:
    for path in paths:
        file = to_file(path)
        inside = _inside(file) if file.suffix == ".d" else None
        if inside is not None:
            # Editors keep hidden files there.
            yield from (
                entry
                for entry in inside
                if entry.suffix == ".toml" and not entry.name.startswith(".")
            )
        elif not isinstance(path, optional) or not _is_missing(file):
            yield file


def to_file(path: AnyPath | optional) -> pathlib.Path:
    """
    Return the path of a file.

    Raises:
        ConfigError: It is none.
    """
    given = path.path if isinstance(path, optional) else path
    try:
        file = pathlib.Path(given)
    except TypeError:
        kind = type(given).__name__
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


def _is_missing(file: pathlib.Path) -> bool:
    """Tell whether nothing is there; what cannot be asked may be there."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def stamp(path: AnyPath | optional) -> tuple[t.Any, ...]:
    """Return what is known of a file or folder without reading it."""
    file = to_file(path)
    return tuple(_stamp(part) for part in (file, *(_inside(file) or ())))


def _inside(folder: pathlib.Path) -> list[pathlib.Path] | None:
    """Return what is in a folder, ``None`` if it is none."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return None


def _stamp(file: pathlib.Path) -> tuple[t.Any, ...]:
    try:
        status = file.stat()
    except OSError:
        return (str(file),)
    return str(file), status.st_mtime_ns, status.st_size, status.st_ino


def read_text(file: pathlib.Path) -> str:
    """
    Read a file as UTF-8.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        failure = _not_utf8(file, error)
    except (OSError, ValueError) as error:
        failure = _unreadable(file, error)
    # Raised here, the error does not drag the bytes of the file along.
    raise failure


def _not_utf8(file: pathlib.Path, error: UnicodeDecodeError) -> ConfigError:
    line = error.object.count(b"\n", 0, error.start) + 1
    return config_error(
        "expected UTF-8 text, but found the byte "
        f"{error.object[error.start]:#04x} in line {line}",
        source=f"{file}:{line}",
        cure="Save the file as UTF-8.",
    )


def _unreadable(
    file: pathlib.Path, error: OSError | ValueError
) -> ConfigError:
    reason = getattr(error, "strerror", None) or str(error)
    cures: dict[type[Exception], str] = {
        FileNotFoundError: "Create it, or pass config.optional(path).",
        IsADirectoryError: "Name a file, or call the folder something.d.",
        PermissionError: "Make it readable for the user that runs this.",
    }
    return config_error(
        f"the file cannot be read: {reason}",
        source=str(file),
        cure=cures.get(type(error), "Check the path."),
    )


def _layer(file: pathlib.Path) -> Layer:
    text = read_text(file).replace("\r\n", "\n")
    return Layer(parse(text, str(file)), str(file), text)


def parse(text: str, file: str) -> dict[str, t.Any]:
    """
    Parse TOML.

    Raises:
        ConfigError: It is none; the error shows the line and the column.
    """
    import tomllib  # noqa: PLC0415 - configuration may come as dicts

    try:
        data = tomllib.loads(text)
        check_depth(data, file)
    except RecursionError:
        problem = "it is nested too deeply"
    except ValueError as error:
        problem = str(error)
    else:
        return data
    raise _broken(text, file, problem)


_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def _broken(text: str, file: str, problem: str) -> ConfigError:
    match = _PLACE.search(problem)
    if match is None:
        return config_error(problem, source=file, cure="Correct the file.")
    lines = text.split("\n")
    number = int(match[1] or len(lines))
    column = int(match[2] or len(lines[-1]) + 1)
    return config_error(
        problem[: match.start()],
        source=f"{file}:{number}:{column}",
        hint=_pointed(_without_value(lines, number - 1), column),
        cure="Correct the file; it has to be TOML 1.0.",
    )


_AROUND = 60


def _pointed(line: str, column: int) -> str:
    """Return a line, or what is around a column, with a caret below it."""
    start = max(0, column - _AROUND)
    before = "..." * bool(start) + _printable(line[start : column - 1])
    after = _printable(line[column - 1 : column + _AROUND])
    if len(line) > column + _AROUND:
        after += "..."
    wide = sum(unicodedata.east_asian_width(char) in "FW" for char in before)
    return f"{before}{after}\n{' ' * (len(before) + wide)}^"


_ASSIGNED = re.compile(r"""(["']?[\w.-]+["']?)\s*[=:]""")
#: Where the sign is missing as well.
_SAID = re.compile(r"""(["']?[\w.-]+["']?)(?:\s*[=:]|\s)""")


def _without_value(lines: list[str], number: int) -> str:
    """Hide what follows a key that sounds like a secret's, and passwords."""
    line = without_passwords(lines[number], aligned=True)
    for match in _SAID.finditer(line):
        if _is_hidden(match):
            rest = line[match.end() :]
            return line[: match.end()] + f" {MASK}".ljust(len(rest))
    # A value of many lines has its key above.
    above = (
        _ASSIGNED.match(text.lstrip()) for text in reversed(lines[:number])
    )
    key = _ASSIGNED.match(line.lstrip()) or next(filter(None, above), None)
    return MASK.ljust(len(line)) if key and _is_hidden(key) else line


def _is_hidden(match: re.Match[str]) -> bool:
    return sounds_secret(match[1].rpartition(".")[2])


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else " " for char in line)
