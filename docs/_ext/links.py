"""List the addresses that the pages name; none of them is opened."""

from __future__ import annotations

import typing as t

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging


log = logging.getLogger(__name__)


def collect(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Note the addresses of a page."""
    for node in doctree.findall(nodes.reference):
        address = node.get("refuri", "")
        if address.startswith(("http://", "https://")):
            _found(app).setdefault(address.partition("#")[0], set()).add(name)


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the list beside the pages."""
    if error is None:
        found = _found(app)
        lines = [
            f"{address}  {', '.join(sorted(names))}\n"
            for address, names in sorted(found.items())
        ]
        path = app.outdir / "external-links.txt"
        path.write_text("".join(lines), "utf-8")
        log.info("%d addresses elsewhere are listed in %s", len(found), path)


def _found(app: Sphinx) -> dict[str, set[str]]:
    if not hasattr(app, "buvar_addresses"):
        app.buvar_addresses = {}
    return t.cast("dict[str, set[str]]", app.buvar_addresses)


def setup(app: Sphinx) -> dict[str, t.Any]:
    """Listen."""
    app.connect("doctree-resolved", collect)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True}
