"""What the documents show is what the programs print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing as t

from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 60  # seconds, a bound and no expectation
EXAMPLE = re.compile(
    r"^```python\n(?P<program>.*?)^```$"
    r"(?:(?:(?!^```).)*?^```text\n(?P<output>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
DOCUMENTS = sorted(
    {
        ROOT / "README.md",
        *ROOT.glob("packages/*/README.md"),
        *ROOT.glob("docs/**/*.md"),
    }
)


#: Pages that a test of a package writes and compares.
GENERATED = ("errors.md", "errors-di.md", "log-gallery.md")


def examples() -> t.Iterator[t.Any]:
    for document in DOCUMENTS:
        if document.name in GENERATED:
            continue
        text = document.read_text("utf-8")
        for number, match in enumerate(EXAMPLE.finditer(text), 1):
            name = f"{document.relative_to(ROOT)}-{number}"
            yield pytest.param(match["program"], match["output"], id=name)


@pytest.mark.parametrize(("program", "expected"), [*examples()])
def test_examples(program: str, expected: str | None, tmp_path: Path) -> None:
    """A program in a document runs, and prints what stands below it."""
    tmp_path.joinpath("example.py").write_text(program)

    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "example.py"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    if expected is not None:
        assert done.stdout == expected


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)
def test_links(document: Path) -> None:
    """A link to another file of the repository leads somewhere."""
    for target in LINK.findall(document.read_text("utf-8")):
        assert (document.parent / target).exists(), target
