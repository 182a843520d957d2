"""What is new in a package: its news fragments and its changelog."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
import typing as t

from pathlib import Path

from _packages import PARTS
from _packages import Package
from _packages import RefusalError
from _packages import Version
from _packages import bump
from _packages import spell


CONFIG = Path(__file__).resolve().parent / "towncrier.toml"
#: The smallest part of the version that each kind of fragment asks for.
KINDS = {
    "breaking": "major",
    "security": "patch",
    "added": "minor",
    "changed": "minor",
    "deprecated": "minor",
    "fixed": "patch",
}
MARKER = "<!-- towncrier release notes start -->\n"
_UNRELEASED = re.compile(
    r"^## [\d.]+ \(unreleased\)\n+(?P<text>.*?)(?=^## |\Z)",
    re.MULTILINE | re.DOTALL,
)


def fragments(root: Path, package: str) -> list[Path]:
    """Return the news fragments of a package."""
    return sorted(root.glob(f"packages/{package}/changes/*.md"))


def least_part(news: t.Iterable[Path]) -> str:
    """Return the smallest part that news fragments allow to raise."""
    parts = {"patch"}
    for path in news:
        kind = path.name.split(".")[-2]
        if kind not in KINDS:
            raise RefusalError(
                f"{path.name}: no kind of news {kind!r}; name the file "
                f"+what.KIND.md, KIND one of {', '.join(KINDS)}"
            )
        parts.add(KINDS[kind])
    return max(parts, key=PARTS.index)


def planned(
    root: Path,
    package: Package,
    released: t.Mapping[str, t.Container[Version]],
) -> Version:
    """
    Return the version that a package of this tree is released as, at least.

    Args:
        root: The clone.
        package: The package.
        released: The versions of each package that were released.
    """
    if package.version not in released[package.name]:
        return package.version
    news = fragments(root, package.name)
    return bump(package.version, least_part(news))


def changelog(
    root: Path,
    package: Package,
    version: Version,
    date: dt.date,
    news: t.Collection[Path],
) -> tuple[str, str, list[str]]:
    """Return the new text of the changelog, its new section, and notes."""
    folder = root / "packages" / package.name
    text = (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    head, marker, rest = text.partition(MARKER)
    if not marker:
        raise RefusalError(f"{folder.name}/CHANGELOG.md: no line {MARKER!r}")
    notes = []
    parts = [f"## {spell(version)} ({date.isoformat()})"]
    if match := _UNRELEASED.match(rest.lstrip()):
        rest = rest.lstrip()[match.end() :]
        parts.append(match["text"].strip())
        if version != package.version:
            notes.append(
                f"{spell(package.version)} was never released: its section "
                f"of the changelog becomes that of {spell(version)}"
            )
    if news:
        parts.append(_towncrier(root, package.name, version, date))
    if len(parts) == 1:
        raise RefusalError(
            f"nothing to release: packages/{package.name}/changes/ has no "
            "news fragment, and the changelog no unreleased section"
        )
    section = "\n\n".join(parts) + "\n"
    others = rest.strip()
    text = f"{head}{marker}\n{section}" + (f"\n{others}\n" if others else "")
    return text, section, notes


def _towncrier(root: Path, name: str, version: Version, date: dt.date) -> str:
    """Return what the fragments of a package say, without a heading."""
    command = [sys.executable, "-m", "towncrier", "build", "--draft"]
    command += ["--config", str(CONFIG)]
    command += ["--dir", str(root / "packages" / name), "--name", name]
    command += ["--version", spell(version), "--date", date.isoformat()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusalError(f"towncrier failed: {done.stderr.strip()}")
    return done.stdout.partition("\n")[2].strip()
