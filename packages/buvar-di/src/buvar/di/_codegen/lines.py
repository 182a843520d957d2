"""Lines of code, and what each of them builds."""

from __future__ import annotations

from buvar.di._plan.nodes import Build


class Code:
    """
    The lines of a function, as they are written.

    Attributes:
        lines: The lines.
        builds: What is built, by the number of the line.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.builds: dict[int, Build] = {}

    def line(self, text: str, depth: int, build: Build | None = None) -> None:
        """Write a line."""
        self.lines.append("    " * depth + text)
        if build is not None:
            self.builds[len(self.lines)] = build
