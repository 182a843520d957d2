"""
What was released when: from the tags, or from the commits of releases.

A release is the tag ``buvar-di-v1.2.0``. A clone without such tags still
knows its releases: a release commit sets the version and dates its section
of the changelog, so the first commit in which both stand is the release.
"""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
import typing as t

from pathlib import Path

from _packages import Package
from _packages import Version
from _packages import parse
from _packages import spell


#: A section of a changelog, dated once it is released.
_HEADING = re.compile(
    r"^## (?P<version>[\d.]+) \((?P<date>[^)]+)\)$", re.MULTILINE
)


class HistoryError(Exception):
    """Git could not answer; the text is what it said."""


def tag_name(package: str, version: Version) -> str:
    """Return the tag of a release."""
    return f"{package}-v{spell(version)}"


def releases(root: Path, package: str) -> dict[Version, str]:
    """
    Return the commit of each release of a package, the oldest first.

    Args:
        root: A clone of the repository, with its whole history.
        package: The name of the distribution.
    """
    prefix = f"{package}-v"
    tags = git(root, "tag", "--list", f"{prefix}*").split()
    if tags:
        found = {parse(tag.removeprefix(prefix)): tag for tag in tags}
        return dict(sorted(found.items()))
    return dict(sorted(_release_commits(root, package).items()))


def _release_commits(root: Path, package: str) -> dict[Version, str]:
    folder = f"packages/{package}"
    files = [f"{folder}/pyproject.toml", f"{folder}/CHANGELOG.md"]
    # Only commits that change a line with a version can be one.
    changed = ["-G", r"^(version = |## [0-9])"]
    found: dict[Version, str] = {}
    commits = git(
        root, "log", "--format=%H", "--reverse", *changed, "--", *files
    )
    for commit in commits.split():
        try:
            text, changelog = (
                git(root, "show", f"{commit}:{file}") for file in files
            )
        except HistoryError:  # the package or its changelog came later
            continue
        version = Package.parse(text).version
        if version in dated(changelog):
            found.setdefault(version, commit)
    return found


def dated(changelog: str) -> set[Version]:
    """Return the versions whose section of a changelog has a date."""
    return {
        parse(match["version"])
        for match in _HEADING.finditer(changelog)
        if match["date"] != "unreleased"
    }


def files(root: Path, commit: str, folder: str) -> dict[str, str]:
    """Return the Python files below a folder of a commit, by path."""
    with _archive(root, commit, folder) as archive:
        return {
            member.name: content.read().decode()
            for member in archive
            if member.name.endswith(".py")
            and (content := archive.extractfile(member))
        }


def export(root: Path, commit: str, folder: str, target: Path) -> Path:
    """Write a folder of a commit below another folder, and return it."""
    with _archive(root, commit, folder) as archive:
        archive.extractall(target, filter="data")
    return target / folder


def _archive(root: Path, commit: str, folder: str) -> tarfile.TarFile:
    content = _git(root, "archive", "--format=tar", commit, folder)
    return tarfile.open(fileobj=io.BytesIO(content))


def git(root: Path, *arguments: str) -> str:
    """
    Ask git, and return what it prints.

    Raises:
        HistoryError: It failed.
    """
    return _git(root, *arguments).decode()


def _git(root: Path, *arguments: str) -> bytes:
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - the one on PATH
        cwd=root,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise HistoryError(done.stderr.decode(errors="replace").strip())
    return done.stdout


def python_files(folder: Path, root: Path) -> t.Iterator[tuple[str, str]]:
    """Yield the Python files below a folder, as :func:`files` names them."""
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(root).as_posix(), path.read_text("utf-8")
