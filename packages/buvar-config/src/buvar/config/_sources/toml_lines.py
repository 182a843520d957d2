"""Where in a TOML file a value is set, found when somebody asks."""

from __future__ import annotations

import re
import typing as t

from buvar.config._dotted_keys import DOTTED
from buvar.config._dotted_keys import split_key
from buvar.config._merge import Path


#: A string is skipped as a whole; brackets tell where a value ends; a key
#: or header counts at the start of a line outside of values only.
_TOKEN = re.compile(
    rf"""
      (?P<skip>'{{3}}[\s\S]*?'{{3}}'{{0,2}}
        |"{{3}}(?:\\[\s\S]|[^\\])*?"{{3}}"{{0,2}}
        |\#[^\n]*)
    | ^[ \t]*(?P<many>\[\[)[ \t]*(?P<array>{DOTTED})[ \t]*\]\]
    | ^[ \t]*\[[ \t]*(?P<table>{DOTTED})[ \t]*\]
    | (?:^|(?<=[,{{]))[ \t]*(?P<key>{DOTTED})[ \t]*=
    | (?P<string>"(?:\\.|[^"\\\n])*"|'[^'\n]*')
    | (?P<open>[\[{{])
    | (?P<close>[\]}}])
    """,
    re.MULTILINE | re.VERBOSE,
)


def line_of(text: str, path: t.Sequence[t.Any]) -> int | None:
    """
    Return the line in which TOML sets a path, or the nearest part above it.

    ``tomllib`` keeps no lines, and nobody needs them until something is
    wrong: this reads the text again, then, knowing that it is valid.
    """
    wanted = tuple(path)
    best: tuple[int, int | None] = (0, None)
    for place, start in _places(text):
        common = 0
        for mine, other in zip(place, wanted, strict=False):
            if mine != other:
                break
            common += 1
        if common > best[0] and common in (len(place), len(wanted)):
            best = (common, start)
    return None if best[1] is None else text.count("\n", 0, best[1]) + 1


def _places(text: str) -> t.Iterator[tuple[tuple[t.Any, ...], int]]:
    base: tuple[t.Any, ...] = ()
    key: tuple[t.Any, ...] = ()
    depth = 0
    counts: dict[tuple[t.Any, ...], int] = {}
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
        elif depth == 0 and kind in ("array", "table"):
            place = split_key(match[kind])
            base = _indexed(place, counts, many=kind == "array")
            yield base, match.start(kind)
        elif depth == 0 and kind == "key":
            key = (*base, *split_key(match["key"]))
            yield key, match.start("key")
        elif kind == "key":
            yield (*key, *split_key(match["key"])), match.start("key")


def _indexed(
    path: Path, counts: dict[tuple[t.Any, ...], int], *, many: bool
) -> tuple[t.Any, ...]:
    """Put the index of the latest table behind each array of tables."""
    place: tuple[t.Any, ...] = ()
    for number, key in enumerate(path):
        place = (*place, key)
        if many and number == len(path) - 1:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place
