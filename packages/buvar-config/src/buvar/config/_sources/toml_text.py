"""Parse TOML, and show where it is wrong."""

from __future__ import annotations

import re
import typing as t
import unicodedata

from buvar.config._errors import ConfigError
from buvar.config._errors import config_error
from buvar.config._merge import check_depth
from buvar.config._model.sensitive import MASK
from buvar.config._model.sensitive import sounds_secret
from buvar.config._model.sensitive import without_passwords


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
    # An end that comes too early is shown behind the last text there is.
    lines = (text if match[1] else text.rstrip()).split("\n")
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
