"""Bars drawn from the tables of a page: figures stand in one place only."""

from __future__ import annotations

import html
import math
import re
import typing as t

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.parsers.rst import directives
from sphinx.application import Sphinx


WIDTH: t.Final = 640
LABEL: t.Final = 270
BAR: t.Final = 290
ROW: t.Final = 24
#: Whose bars are coloured.
OURS: t.Final = ("buvar", "eight", "the same")
#: A bar longer than that many of the middle one is cut off.
FAR: t.Final = 4
#: From here on a number has no decimals.
LARGE: t.Final = 100


def table(text: str, header: str) -> list[list[str]]:
    """
    Return the rows of the table with a certain header.

    Raises:
        ValueError: There is no such table.
    """
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("|") and header in line:
            break
    else:
        msg = f"No table has {header!r} in its header."
        raise ValueError(msg)
    rows = []
    for line in lines[number + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip(" *`") for cell in line.strip("|").split("|")])
    return rows


def short(label: str) -> str:
    """Leave out what the table explains."""
    return re.split(r" \(|, ", label)[0].replace("`", "")


def bars(
    rows: list[list[str]], column: int, title: str, *, logarithmic: bool
) -> str:
    """Draw a bar for each row whose cell is a number."""
    found = []
    for row in rows:
        try:
            found.append((row[0], float(row[column].replace(",", ""))))
        except ValueError:
            continue
    values = sorted(value for _, value in found)
    # One that is far beyond all others would hide them.
    middle = values[len(values) // 2]
    limit = max(value for value in values if value <= FAR * middle)
    least = values[0] / 2
    parts = []
    for number, (label, value) in enumerate(found):
        top = number * ROW
        if logarithmic:
            length = math.log(value / least) / math.log(values[-1] / least)
        else:
            length = min(value / limit, 1.1)
        length *= BAR
        kind = (
            "own" if label.startswith(("buvar", "eight", "the same")) else ""
        )
        shown = f"{value:,.0f}" if value >= LARGE else f"{value:g}"
        cut = "" if logarithmic or value <= limit else " ⟫"
        parts.append(
            f'<text class="end" x="{LABEL - 8}" y="{top + 16}">'
            f"{html.escape(short(label))}</text>"
            f'<rect class="bar {kind}" x="{LABEL}" y="{top + 4}" '
            f'width="{length:.1f}" height="16" rx="2"/>'
            f'<text x="{LABEL + length + 6:.1f}" y="{top + 16}">'
            f"{shown}{cut}</text>"
        )
    height = len(found) * ROW + 4
    return (
        '<svg class="drawing plot" xmlns="http://www.w3.org/2000/svg" '
        f'role="img" aria-label="{html.escape(title)}" '
        f'style="max-width:{WIDTH}px" viewBox="0 0 {WIDTH} {height}">'
        f"{''.join(parts)}</svg>"
    )


class Plot(Directive):
    """Bars of a table below: its header, and the number of a column."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: t.ClassVar = {
        "column": directives.nonnegative_int,
        "logarithmic": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        env = self.state.document.settings.env
        text = Path(env.doc2path(env.docname)).read_text("utf-8")
        header = self.arguments[0]
        # The line of the directive itself is no table.
        svg = bars(
            table(text, header),
            self.options.get("column", 1),
            header,
            logarithmic="logarithmic" in self.options,
        )
        return [
            nodes.raw("", f'<div class="picture">{svg}</div>', format="html")
        ]


def setup(app: Sphinx) -> dict[str, t.Any]:
    """Add the directive."""
    app.add_directive("plot", Plot)
    return {"parallel_read_safe": True}
