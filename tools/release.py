"""
Release one package: ``python3 tools/release.py buvar-di minor``.

Sets the version, turns the news fragments into a section of the changelog,
raises the lower bound of dependents that use something new, commits, and tags
``buvar-di-v1.1.0``. Nothing is pushed: the tag, once pushed, starts the
workflow that builds, tests and publishes. ``--dry-run`` shows all of it and
writes nothing.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.util
import os
import re
import subprocess
import sys
import typing as t

from pathlib import Path

import _bounds
import _history
import _news
import _packages

from _packages import PARTS
from _packages import Package
from _packages import RefusalError
from _packages import Version
from _packages import bump
from _packages import spell


ROOT = Path(__file__).resolve().parent.parent


class Plan(t.NamedTuple):
    """What a release changes."""

    package: Package
    version: Version
    #: The new text of each file, by its path in the repository.
    files: dict[str, str]
    #: The fragments that became a section of the changelog.
    spent: list[str]
    section: str
    #: For each dependent what it uses that no release has.
    raised: dict[str, list[str]]
    notes: list[str]


def main(argv: t.Sequence[str] | None = None) -> int:
    """Plan a release, show it, and carry it out."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.check_tag:
        try:
            check_tag(options.root, options.check_tag)
        except RefusalError as error:
            print(f"release: {error}", file=sys.stderr)
            return 1
        return 0
    if not options.part:
        parser.error("the package and the part to raise are needed")
    # Towncrier comes with the environment that Hatch makes for this script.
    if importlib.util.find_spec("towncrier") is None:
        return _inside_hatch(sys.argv[1:] if argv is None else argv)
    try:
        made = plan(
            options.root,
            options.package,
            options.part,
            date=options.date,
            also=options.raise_bound,
        )
        show(made, options.root)
        if options.dry_run:
            print("Dry run: nothing was written.")
        else:
            carry_out(made, options.root)
    except (RefusalError, _history.HistoryError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "package", nargs="?", help="the name of the distribution"
    )
    parser.add_argument(
        "part",
        nargs="?",
        choices=PARTS,
        help="the number to raise; current: release the version as it stands",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="write nothing, only show"
    )
    parser.add_argument(
        "--date",
        type=dt.date.fromisoformat,
        default=dt.datetime.now(tz=dt.UTC).date(),
        help="the date of the release (default: today, in UTC)",
    )
    parser.add_argument(
        "--raise-bound",
        action="append",
        default=[],
        metavar="DEPENDENT",
        help="raise the bound of this dependent too: it uses something new "
        "that its imports do not show, such as a keyword or a method",
    )
    parser.add_argument(
        "--check-tag",
        metavar="TAG",
        help="only check that this tree is what the tag says it is",
    )
    parser.add_argument(
        "--root", type=Path, default=ROOT, help=argparse.SUPPRESS
    )
    return parser


def check_tag(root: Path, tag: str) -> None:
    """
    Make sure that a tag names a package and its dated version.

    Raises:
        RefusalError: It does not.
    """
    for package in _packages.read(root).values():
        if tag == _history.tag_name(package.name, package.version):
            break
    else:
        raise RefusalError(
            f"{tag} names no package of this tree with its version: make the "
            "tag with tools/release.py"
        )
    path = root / "packages" / package.name / "CHANGELOG.md"
    if package.version not in _history.dated(path.read_text("utf-8")):
        raise RefusalError(
            f"the changelog of {package.name} has no dated section "
            f"{spell(package.version)}: make the release with tools/release.py"
        )


def _inside_hatch(arguments: t.Sequence[str]) -> int:
    hatchw = [sys.executable, str(ROOT / "tools" / "hatchw.py")]
    command = [*hatchw, "run", "release:run", *arguments]
    environment = {**os.environ, "HATCH_QUIET": "1"}
    return subprocess.call(command, cwd=ROOT, env=environment)


def plan(
    root: Path,
    name: str,
    part: str,
    *,
    date: dt.date,
    also: t.Collection[str] = (),
) -> Plan:
    """
    Work out what a release changes, without writing.

    Args:
        root: The clone.
        name: The package to release.
        part: One of :data:`PARTS`.
        date: The date of the release.
        also: Dependents whose bound is raised in any case.

    Raises:
        RefusalError: It cannot or should not be released so.
    """
    packages = _packages.read(root)
    if name not in packages:
        raise RefusalError(
            f"there is no package {name!r}: take one of {', '.join(packages)}"
        )
    package = packages[name]
    version = bump(package.version, part)
    released = _history.releases(root, name)
    if version in released:
        raise RefusalError(
            f"{name} {spell(version)} was released already "
            f"({released[version]}): raise patch, minor or major"
        )
    _refuse_unreleased_needs(root, package, packages)
    fragments = _news.fragments(root, name)
    _refuse_too_small(part, fragments)
    changelog, section, notes = _news.changelog(
        root, package, version, date, fragments
    )
    if notes and package.version in released:
        raise RefusalError(
            f"{released[package.version]} is there, but the changelog calls "
            f"{spell(package.version)} unreleased: write its date there"
        )
    files = {
        f"packages/{name}/CHANGELOG.md": changelog,
        **_own_version(root, name, version),
    }
    raised = _bounds.raised(root, package, packages, released)
    raised.update({other: ["as was asked for"] for other in also})
    if unknown := {
        other for other in raised if name not in packages[other].needs
    }:
        raise RefusalError(f"{', '.join(unknown)} does not need {name}")
    if part == "major":
        dependents = [o for o in packages.values() if name in o.needs]
        raised = {o.name: ["a new major version"] for o in dependents}
    for other in raised:
        files.update(_bounds.new_bound(root, packages[other], name, version))
    return Plan(
        package,
        version,
        files,
        [path.relative_to(root).as_posix() for path in fragments],
        section,
        raised,
        notes,
    )


def _refuse_too_small(part: str, fragments: t.Iterable[Path]) -> None:
    least = _news.least_part(fragments)
    if part != "current" and PARTS.index(part) < PARTS.index(least):
        raise RefusalError(
            f"the news fragments ask for a {least} release, {part} is too "
            f"small: pass {least}"
        )


def _refuse_unreleased_needs(
    root: Path, package: Package, packages: t.Mapping[str, Package]
) -> None:
    for name in package.needs:
        released = _history.releases(root, name)
        # Without any release of it there is nothing to compare with.
        if not released or packages[name].version not in released:
            continue
        new = _bounds.new_uses(root, package.name, name, released)
        if new:
            raise RefusalError(
                f"{package.name} uses what no release of {name} has "
                f"({', '.join(new)}): release {name} first"
            )


def _own_version(root: Path, name: str, version: Version) -> dict[str, str]:
    path = f"packages/{name}/pyproject.toml"
    text = (root / path).read_text(encoding="utf-8")
    changed = re.sub(
        r'(?m)^version = ".*"$', f'version = "{spell(version)}"', text, count=1
    )
    return {path: changed}


def show(made: Plan, root: Path) -> None:
    """Print what a release changes."""
    name, version = made.package.name, spell(made.version)
    print(f"{name} {spell(made.package.version)} -> {version}\n")
    print(made.section)
    for note in made.notes:
        print(f"note: {note}")
    for other, uses in sorted(made.raised.items()):
        print(
            f"{other} requires {name} {version} from now on "
            f"({', '.join(uses)}): release it next"
        )
    for path, text in sorted(made.files.items()):
        exists = (root / path).exists()
        if not exists or (root / path).read_text("utf-8") != text:
            print(f"{'write' if exists else 'add'} {path}")
    for path in made.spent:
        print(f"remove {path}")
    print(f"commit and tag {_history.tag_name(name, made.version)}")


def carry_out(made: Plan, root: Path) -> None:
    """
    Write, commit and tag a release.

    Raises:
        RefusalError: The work tree has changes of its own.
    """
    if _history.git(root, "status", "--porcelain").strip():
        raise RefusalError(
            "the work tree has changes: commit or stash them first"
        )
    for path, text in made.files.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    for path in made.spent:
        (root / path).unlink()
    name, version = made.package.name, spell(made.version)
    tag = _history.tag_name(name, made.version)
    _history.git(root, "add", "--all", "--", *made.files, *made.spent)
    _history.git(root, "commit", "-m", f"Release {name} {version}")
    _history.git(root, "tag", "-a", tag, "-m", f"{name} {version}")
    print(f"Tagged. To publish: git push origin HEAD {tag}")


if __name__ == "__main__":
    sys.exit(main())
