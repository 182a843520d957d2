"""Levels: names in any case, or numbers, to numbers."""

from __future__ import annotations

import difflib
import logging
import typing as t

from ._errors import LogConfigError


#: A level by name ("DEBUG") or number (10).
Level: t.TypeAlias = str | int


def parse_level(value: object, path: str = "level") -> int:
    """
    Return the number of a level.

    Args:
        value: A name in any case, also one given to ``logging.addLevelName``,
            or a number, also as a string.
        path: Where the level stands, for the error.

    Raises:
        LogConfigError: It is neither.
    """
    if isinstance(value, str):
        text = value.strip().upper()
        names = logging.getLevelNamesMapping()
        by_name = {name.upper(): level for name, level in names.items()}
        if text in by_name:
            return by_name[text]
        if text.isascii() and text.isdigit():
            return int(text)
        raise LogConfigError(path, value, _problem(text, value), _cure(names))
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise LogConfigError(
        path,
        value,
        f"{value!r} is not a log level.",
        _cure(logging.getLevelNamesMapping()),
    )


def _problem(text: str, value: str) -> str:
    names = sorted(logging.getLevelNamesMapping())
    near = difflib.get_close_matches(text, names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"{value!r} is not a log level{hint}."


def _cure(names: t.Mapping[str, int]) -> str:
    known = sorted(names, key=lambda name: (names[name], name))
    return f"Use one of {', '.join(known)}, or a number from 0 on."
