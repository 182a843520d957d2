"""Show the changes between two steps without the paths of who built it."""

from __future__ import annotations

import typing as t

from docutils import nodes
from sphinx.application import Sphinx


def name_no_files(_app: Sphinx, document: nodes.document) -> None:
    """Take both lines with names of files away: the text names them."""
    for block in document.findall(nodes.literal_block):
        if block.get("language") != "udiff":
            continue
        old, new, *lines = block.astext().splitlines(keepends=True)
        if not (old.startswith("--- ") and new.startswith("+++ ")):
            msg = f"no names of files in a diff: {old!r}, {new!r}"
            raise ValueError(msg)
        # What differs from its source is not highlighted.
        block.rawsource = "".join(lines)
        block.children = [nodes.Text(block.rawsource)]


def setup(app: Sphinx) -> dict[str, t.Any]:
    """Look at each page that was read."""
    app.connect("doctree-read", name_no_files)
    return {"parallel_read_safe": True}
