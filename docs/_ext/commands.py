"""Commands of ``buvar``, run while the pages are built, with their output."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.parsers.rst import directives
from sphinx.application import Sphinx


DOCS = Path(__file__).resolve().parents[1]
TIMEOUT: t.Final = 60


def run(line: str, folder: Path, variables: dict[str, str]) -> str:
    """
    Return a command line and what it prints.

    Raises:
        ValueError: It fails.
    """
    program, *words = line.split()
    if program != "buvar":
        msg = f"Only buvar is run: {line}"
        raise ValueError(msg)
    done = subprocess.run(
        [sys.executable, "-m", "buvar.cli", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        msg = f"{line} ended with {done.returncode}:\n{done.stdout}"
        raise ValueError(msg)
    return f"$ {line}\n{done.stdout.rstrip()}\n"


class Commands(Directive):
    """Commands, one a line, run in a folder of the documentation."""

    optional_arguments = 1
    has_content = True
    option_spec: t.ClassVar = {"variable": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        folder = DOCS / (self.arguments[0] if self.arguments else ".")
        name, _, value = self.options.get("variable", "").partition("=")
        variables = {name: value} if name else {}
        text = "\n".join(run(line, folder, variables) for line in self.content)
        return [nodes.literal_block(text, text, language="console")]


def setup(app: Sphinx) -> dict[str, t.Any]:
    """Add the directive."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}
