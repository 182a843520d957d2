"""The packages of this repository: versions, ranges, and who needs whom."""

from __future__ import annotations

import dataclasses
import re
import tomllib
import typing as t

from pathlib import Path


#: A requirement between our packages, as all of them are written.
_RANGE = re.compile(r"(?P<name>buvar[a-z-]*)>=(?P<low>[\d.]+),<(?P<below>\d+)")

Version = tuple[int, int, int]
#: What a release raises; ``current`` releases the version as it stands.
PARTS = ("current", "patch", "minor", "major")


class RefusalError(Exception):
    """A reason not to release, and what to do, in one line."""


@dataclasses.dataclass(frozen=True)
class Range:
    """The versions of one of our packages that another one allows."""

    low: Version
    below: int

    def __contains__(self, version: Version) -> bool:
        return self.low <= version < (self.below, 0, 0)


@dataclasses.dataclass(frozen=True)
class Package:
    """One package as some version of its ``pyproject.toml`` declares it."""

    name: str
    version: Version
    needs: t.Mapping[str, Range]

    @classmethod
    def parse(cls, text: str) -> t.Self:
        """Read the text of a ``pyproject.toml``."""
        project = tomllib.loads(text)["project"]
        needs = {
            match["name"]: Range(parse(match["low"]), int(match["below"]))
            for requirement in project.get("dependencies", ())
            if (match := _RANGE.fullmatch(requirement))
        }
        return cls(project["name"], parse(project["version"]), needs)


def read(root: Path) -> dict[str, Package]:
    """Return the packages below a folder, by name."""
    texts = (
        path.read_text(encoding="utf-8")
        for path in sorted(root.glob("packages/*/pyproject.toml"))
    )
    return {package.name: package for package in map(Package.parse, texts)}


def parse(text: str) -> Version:
    """
    Read a version of up to three numbers.

    Raises:
        ValueError: It has another form.
    """
    numbers = [int(part) for part in text.split(".")]
    if len(numbers) > 3:  # noqa: PLR2004 - major, minor, patch
        raise ValueError(f"not a version of three numbers: {text}")
    major, minor, patch = [*numbers, 0, 0][:3]
    return major, minor, patch


def spell(version: Version) -> str:
    """Write a version as text."""
    return ".".join(map(str, version))


def closure(name: str, packages: t.Mapping[str, Package]) -> set[str]:
    """Return all of ours that a package needs, directly or not."""
    found: set[str] = set()
    todo = [name]
    while todo:
        new = set(packages[todo.pop()].needs) - found
        found |= new
        todo += new
    return found


def bump(version: Version, part: str) -> Version:
    """Raise one part of a version."""
    major, minor, patch = version
    return {
        "current": version,
        "patch": (major, minor, patch + 1),
        "minor": (major, minor + 1, 0),
        "major": (major + 1, 0, 0),
    }[part]
