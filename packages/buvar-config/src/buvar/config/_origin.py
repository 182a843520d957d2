"""Where a value came from, found when somebody asks."""

from __future__ import annotations

import contextlib
import logging
import re
import typing as t

from collections.abc import Mapping

import attrs

from ._merge import Path
from ._merge import dig


logger = logging.getLogger("buvar.config")


@attrs.define(eq=False)
class Layer:
    """
    One of the dicts that a source was made of.

    Attributes:
        data: The dict.
        file: The name of the file it was read from.
        text: The text of that file.
        name: What else it came from.
        origin: Says where in there a path is.
        secret: None of its values is to be shown.
    """

    data: Mapping[t.Any, t.Any]
    file: str | None = None
    text: str = ""
    name: str = "code"
    origin: t.Callable[[Path], str] | None = None
    secret: bool = False

    def where(self, path: t.Sequence[t.Any]) -> str:
        """Say where in this layer a path is."""
        if self.file is None:
            return self._said(tuple(path)) or self.name
        line = line_of(self.text, path)
        return f"{self.file}:{line}" if line else self.file

    def _said(self, path: tuple[t.Any, ...]) -> str | None:
        if self.origin is None or not path:
            return None
        try:
            return str(self.origin(path))
        except Exception:
            # There is an error to be told already: never in place of that.
            logger.exception("%s has no origin.", self.name)
            return None


def origin_of(
    layers: t.Sequence[Layer], path: t.Sequence[t.Any]
) -> str | None:
    """Return where the value at a path was set last, if it was."""
    layer = layer_of(layers, path)
    return None if layer is None else layer.where(path)


def layer_of(
    layers: t.Sequence[Layer], path: t.Sequence[t.Any]
) -> Layer | None:
    """Return the last layer that has something at a path."""
    for layer in reversed(layers):
        with contextlib.suppress(LookupError):
            dig(layer.data, path)
            return layer
    return None


_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
#: What is set by an override, up to its value.
ASSIGNMENT: t.Final = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")
#: A string is skipped as a whole; brackets tell where a value ends; a key
#: or header counts at the start of a line outside of values only.
_TOKEN = re.compile(
    rf"""
      (?P<skip>'{{3}}[\s\S]*?'{{3}}'{{0,2}}
        |"{{3}}(?:\\[\s\S]|[^\\])*?"{{3}}"{{0,2}}
        |\#[^\n]*)
    | ^[ \t]*(?P<many>\[\[)[ \t]*(?P<array>{_DOTTED})[ \t]*\]\]
    | ^[ \t]*\[[ \t]*(?P<table>{_DOTTED})[ \t]*\]
    | (?:^|(?<=[,{{]))[ \t]*(?P<key>{_DOTTED})[ \t]*=
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
