"""Dotted keys, as TOML writes them: ``a.b``, ``a."b.c"``."""

from __future__ import annotations

import re
import typing as t

from ._merge import Path


_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
#: What is set by an override, up to its value.
ASSIGNMENT: t.Final = re.compile(rf"[ \t]*({DOTTED})[ \t]*=")


def split_key(dotted: str) -> Path:
    """Split a dotted key of TOML, quoted ones as well."""
    return tuple(
        _unquote(part) for part in re.findall(_KEY, dotted, re.VERBOSE)
    )


def _unquote(part: str) -> str:
    if part[0] == '"' and "\\" in part:
        import tomllib  # noqa: PLC0415 - a rare key

        return next(iter(tomllib.loads(f"{part} = 0")))
    return part.strip(part[0]) if part[0] in "\"'" else part
