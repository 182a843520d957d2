"""
Say which packages a change affects, as rows of a build matrix.

``python3 tools/affected.py --base origin/main`` prints one line of JSON:
``{"package": [...], "python": [...]}``: the packages with changed files and
all that depend on them. A change outside of ``packages/`` (but for
documentation) affects everything, as does a base that git does not know.
Standard library only.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tomllib
import typing as t

from pathlib import Path
from pathlib import PurePosixPath


ROOT = Path(__file__).resolve().parent.parent
#: The free-threaded build and the newest Python are rows of their own.
PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.14t", "3.15")
#: Changes here affect no package.
_DOCUMENTS = ("docs", "README.md", "LICENSE", ".gitignore")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def main(argv: t.Sequence[str] | None = None) -> int:
    """Print the matrix."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--base", help="the commit to compare with; without it: everything"
    )
    options = parser.parse_args(argv)
    graph = dependencies(ROOT / "packages")
    changed = changed_files(options.base) if options.base else None
    packages = sorted(graph if changed is None else affected(changed, graph))
    print(json.dumps({"package": packages, "python": PYTHONS}))
    return 0


def dependencies(folder: Path, *, extras: bool = True) -> dict[str, set[str]]:
    """
    Map each package to those of ours that it needs.

    Args:
        folder: The folder of the packages.
        extras: Whether optional dependencies count.
    """
    projects = {
        path.parent.name: tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*/pyproject.toml"))
    }
    return {
        name: set(_requirements(content["project"], extras)) & set(projects)
        for name, content in projects.items()
    }


def _requirements(
    project: dict[str, t.Any],
    extras: bool,  # noqa: FBT001 - one caller
) -> t.Iterator[str]:
    optional = project.get("optional-dependencies", {}) if extras else {}
    for requirements in (project.get("dependencies", ()), *optional.values()):
        for requirement in requirements:
            if match := _NAME.match(requirement):
                yield match.group()


def changed_files(base: str) -> list[str] | None:
    """Return the files changed since a commit; ``None`` if it is unknown."""
    done = subprocess.run(
        ["git", "diff", "--name-only", f"{base}...HEAD"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"affected: {done.stderr.strip()}: everything", file=sys.stderr)
        return None
    return done.stdout.splitlines()


def affected(
    changed: t.Iterable[str], graph: t.Mapping[str, t.Collection[str]]
) -> set[str]:
    """
    Return the packages that changed files can break.

    Args:
        changed: Paths from the root of the repository.
        graph: For each package those it needs.
    """
    found: set[str] = set()
    for path in changed:
        parts = PurePosixPath(path).parts
        if len(parts) > 1 and parts[0] == "packages":
            # A package that is gone has no row, those that needed it have.
            found.add(parts[1])
        elif parts[0] not in _DOCUMENTS:
            return set(graph)
    while more := {
        name
        for name, needs in graph.items()
        if name not in found and found & set(needs)
    }:
        found |= more
    return found & set(graph)


if __name__ == "__main__":
    sys.exit(main())
