"""
Check the spelling of all pages and READMEs, without a network.

An unknown word is a warning, which ends the build. Names and words of the
field stand in ``docs/words.txt``, one a line, in small letters.
"""

from __future__ import annotations

import re
import typing as t

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging
from spylls.hunspell import Dictionary


log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
#: What is no prose: code, addresses, names of roles, targets of links.
CODE = re.compile(
    r"^```.*?^```$|(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"
    r"|\]\([^)]*\)|https?://\S+|<[^>]+>|\{[^}]*\}",
    re.DOTALL | re.MULTILINE,
)
#: Cards and the glossary are prose in a fence of colons.
FENCE = re.compile(r"^:::.*$", re.MULTILINE)
WORD = re.compile(r"(?<![\w.])[A-Za-z][a-z]+(?:'[a-z]+)?(?![\w])")
#: Written by tests, with mistakes on purpose.
GENERATED = {"errors.md", "errors-di.md", "log-gallery.md"}


def documents() -> t.Iterator[Path]:
    yield ROOT / "README.md"
    yield from sorted(ROOT.glob("packages/*/*.md"))
    for path in sorted(ROOT.glob("docs/**/*.md")):
        if path.name not in GENERATED and "_build" not in path.parts:
            yield path


def words(text: str) -> t.Iterator[tuple[int, str]]:
    """Yield the words of a document and the numbers of their lines."""
    text = FENCE.sub("", text)
    # Lines keep their numbers.
    prose = CODE.sub(lambda found: " " + "\n" * found[0].count("\n"), text)
    for number, line in enumerate(prose.splitlines(), 1):
        for found in WORD.finditer(line):
            yield number, found[0]


def unknown() -> t.Iterator[tuple[Path, int, str]]:
    """Yield the words that neither the dictionary nor our list has."""
    dictionary = Dictionary.from_files("en_US")
    own = set((ROOT / "docs" / "words.txt").read_text("utf-8").split())
    seen: dict[str, bool] = {}

    def known(word: str) -> bool:
        stem = word.removesuffix("'s")
        if word not in seen:
            seen[word] = stem.lower() in own or dictionary.lookup(stem)
        return seen[word]

    for path in documents():
        for number, word in words(path.read_text("utf-8")):
            if not known(word):
                yield path, number, word


def check(app: Sphinx) -> None:
    del app
    for path, number, word in unknown():
        log.warning("unknown word: %s", word, location=f"{path}:{number}")


def setup(app: Sphinx) -> dict[str, t.Any]:
    """Check before anything is read."""
    app.connect("builder-inited", check)
    return {"parallel_read_safe": True}
