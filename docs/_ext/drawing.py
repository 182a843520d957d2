"""
Drawings of boxes and arrows, as SVG that follows the colours of the page.

A line ``name: column, row, width = text | second line`` is a box, a line
``from -> to = label`` an arrow. A name that ends with ``*`` is a step of the
reader's code, one with ``!`` is where something fails.
"""

from __future__ import annotations

import dataclasses
import html
import math
import re
import typing as t

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.parsers.rst import directives
from sphinx.application import Sphinx


BOX = re.compile(
    r"(?P<name>\w+)(?P<kind>[*!]?): (?P<x>[\d.]+), (?P<y>[\d.]+)"
    r"(?:, (?P<width>[\d.]+))? = (?P<text>.+)"
)
ARROW = re.compile(r"(?P<a>\w+) -> (?P<b>\w+)(?: = (?P<label>.+))?")

#: Pixels of a column, a row, a line of text and a letter.
COLUMN: t.Final = 110
ROW: t.Final = 84
LINE: t.Final = 17
LETTER: t.Final = 7.3
MARGIN: t.Final = 12

KINDS = {"": "plain", "*": "own", "!": "failed"}


@dataclasses.dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    lines: tuple[str, ...]
    kind: str

    @property
    def height(self) -> float:
        return LINE * len(self.lines) + 18

    @property
    def centre(self) -> tuple[float, float]:
        return self.x, self.y

    def edge(self, dx: float, dy: float) -> tuple[float, float]:
        """Return where a ray from the centre leaves the box."""
        scale = min(
            self.width / 2 / abs(dx) if dx else math.inf,
            self.height / 2 / abs(dy) if dy else math.inf,
        )
        return self.x + dx * scale, self.y + dy * scale


def parse(
    lines: t.Iterable[str],
) -> tuple[dict[str, Box], list[re.Match[str]]]:
    """Read a drawing."""
    boxes: dict[str, Box] = {}
    arrows: list[re.Match[str]] = []
    for line in filter(None, map(str.strip, lines)):
        if found := BOX.fullmatch(line):
            text = tuple(part.strip() for part in found["text"].split("|"))
            longest = max(map(len, text)) * LETTER + 22
            width = float(found["width"] or 0) * COLUMN
            boxes[found["name"]] = Box(
                float(found["x"]) * COLUMN,
                float(found["y"]) * ROW,
                max(width, longest),
                text,
                KINDS[found["kind"]],
            )
        elif found := ARROW.fullmatch(line):
            arrows.append(found)
        else:
            msg = f"This is neither a box nor an arrow: {line}"
            raise ValueError(msg)
    return boxes, arrows


def arrow(
    boxes: t.Mapping[str, Box], found: re.Match[str], *, two: bool
) -> str:
    """Draw an arrow, beside its twin in the other direction if it has one."""
    a, b = boxes[found["a"]], boxes[found["b"]]
    label = html.escape(found["label"] or "")
    if a is b:
        x, y = a.x + a.width / 2, a.y
        path = f"M{x:.0f} {y - 8:.0f} h26 v16 h-24"
        return (
            f'<path class="arrow" d="{path}"/>'
            f'<text class="label start" x="{x + 32:.0f}" y="{y + 4:.0f}">'
            f"{label}</text>"
        )
    dx, dy = b.x - a.x, b.y - a.y
    length = math.hypot(dx, dy)
    shift = 9 if two else 0
    sx, sy = -dy / length * shift, dx / length * shift
    x1, y1 = a.edge(dx, dy)
    x2, y2 = b.edge(-dx, -dy)
    x1, y1, x2, y2 = x1 + sx, y1 + sy, x2 + sx, y2 + sy
    flat = abs(dx) > abs(dy)
    side = "start" if not flat else "middle"
    lx = (x1 + x2) / 2 + (0 if flat else 7) + sx
    ly = (y1 + y2) / 2 + (-7 if flat else 4) + (2 * sy if flat and two else 0)
    if not flat and sx < 0:
        side, lx = "end", lx - 14
    return (
        f'<path class="arrow" d="M{x1:.0f} {y1:.0f} L{x2:.0f} {y2:.0f}"/>'
        f'<text class="label {side}" x="{lx:.0f}" y="{ly:.0f}">{label}</text>'
    )


def box(item: Box) -> str:
    left, top = item.x - item.width / 2, item.y - item.height / 2
    text = "".join(
        f'<text class="middle" x="{item.x:.0f}" '
        f'y="{top + 9 + LINE * (number + 0.75):.0f}">'
        f"{html.escape(line)}</text>"
        for number, line in enumerate(item.lines)
    )
    return (
        f'<g class="{item.kind}"><rect x="{left:.0f}" y="{top:.0f}" '
        f'width="{item.width:.0f}" height="{item.height:.0f}" rx="6"/>'
        f"{text}</g>"
    )


def draw(lines: t.Iterable[str], title: str) -> str:
    """Return a drawing as SVG."""
    boxes, arrows = parse(lines)
    ways = {(found["a"], found["b"]) for found in arrows}
    left = min(item.x - item.width / 2 for item in boxes.values()) - MARGIN
    top = min(item.y - item.height / 2 for item in boxes.values()) - MARGIN
    right = max(item.x + item.width / 2 for item in boxes.values()) + MARGIN
    bottom = max(item.y + item.height / 2 for item in boxes.values()) + MARGIN
    # A loop has its label beside its box.
    loops = [
        boxes[f["a"]].x
        + boxes[f["a"]].width / 2
        + 40
        + len(f["label"] or "") * 6.5
        for f in arrows
        if f["a"] == f["b"]
    ]
    width, height = max([right, *loops]) - left, bottom - top
    parts = [
        arrow(boxes, found, two=(found["b"], found["a"]) in ways)
        for found in arrows
    ]
    parts += map(box, boxes.values())
    return (
        '<svg class="drawing" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'aria-label="{html.escape(title)}" style="max-width:{width:.0f}px" '
        f'viewBox="{left:.0f} {top:.0f} {width:.0f} {height:.0f}">'
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" '
        'markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="head" d="M0 0 L8 4 L0 8 z"/></marker></defs>'
        f"{''.join(parts)}</svg>"
    )


class Drawing(Directive):
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: t.ClassVar = {"class": directives.class_option}

    def run(self) -> list[nodes.Node]:
        svg = draw(self.content, self.arguments[0])
        figure = f'<div class="picture">{svg}</div>'
        return [nodes.raw("", figure, format="html")]


def setup(app: Sphinx) -> dict[str, t.Any]:
    """Add the directive."""
    app.add_directive("drawing", Drawing)
    return {"parallel_read_safe": True}
