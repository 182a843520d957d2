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

import _history
import _packages
import _surface

from _packages import Package
from _packages import Range
from _packages import Version
from _packages import spell


ROOT = Path(__file__).resolve().parent.parent
PARTS = ("current", "patch", "minor", "major")
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


class RefusalError(Exception):
    """A reason not to release, and what to do, in one line."""


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
    fragments = sorted(root.glob(f"packages/{name}/changes/*.md"))
    _refuse_too_small(part, fragments)
    changelog, section, notes = _changelog(
        root, package, version, date, fragments
    )
    files = {
        f"packages/{name}/CHANGELOG.md": changelog,
        **_own_version(root, name, version),
    }
    raised = _raised(root, package, packages, released)
    raised.update({other: ["as was asked for"] for other in also})
    if unknown := {
        other for other in raised if name not in packages[other].needs
    }:
        raise RefusalError(f"{', '.join(unknown)} does not need {name}")
    if part == "major":
        dependents = [o for o in packages.values() if name in o.needs]
        raised = {o.name: ["a new major version"] for o in dependents}
    for other in raised:
        files.update(_new_bound(root, packages[other], name, version))
    return Plan(
        package,
        version,
        files,
        [path.relative_to(root).as_posix() for path in fragments],
        section,
        raised,
        notes,
    )


def bump(version: Version, part: str) -> Version:
    """Raise one part of a version."""
    major, minor, patch = version
    return {
        "current": version,
        "patch": (major, minor, patch + 1),
        "minor": (major, minor + 1, 0),
        "major": (major + 1, 0, 0),
    }[part]


def least_part(fragments: t.Iterable[Path]) -> str:
    """Return the smallest part that news fragments allow to raise."""
    parts = {"patch"}
    for path in fragments:
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
    fragments = root.glob(f"packages/{package.name}/changes/*.md")
    return bump(package.version, least_part(fragments))


def _refuse_too_small(part: str, fragments: t.Iterable[Path]) -> None:
    least = least_part(fragments)
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
        new = new_uses(root, package.name, name, released)
        if new:
            raise RefusalError(
                f"{package.name} uses what no release of {name} has "
                f"({', '.join(new)}): release {name} first"
            )


def new_uses(
    root: Path,
    dependent: str,
    name: str,
    released: t.Mapping[Version, str],
) -> list[str]:
    """
    Return what a dependent uses of a package that its last release lacks.

    Args:
        root: The clone.
        dependent: The package whose sources are read.
        name: The package it needs.
        released: The commit of each release of that one.
    """
    if not released:
        return []
    source = f"packages/{name}/src"
    last = released[max(released)]
    before = _surface.defined(_history.files(root, last, source))
    now = _surface.defined(dict(_history.python_files(root / source, root)))
    modules = set(now) - {"buvar"}
    folder = root / "packages" / dependent / "src"
    uses = _surface.used(dict(_history.python_files(folder, root)), modules)
    return [
        f"{module}.{used}"
        for module, used in sorted(uses)
        if used in now[module] and used not in before.get(module, ())
    ]


def _raised(
    root: Path,
    package: Package,
    packages: t.Mapping[str, Package],
    released: t.Mapping[Version, str],
) -> dict[str, list[str]]:
    found = {
        other.name: new_uses(root, other.name, package.name, released)
        for other in packages.values()
        if package.name in other.needs
    }
    return {other: new for other, new in found.items() if new}


def _changelog(
    root: Path,
    package: Package,
    version: Version,
    date: dt.date,
    fragments: t.Collection[Path],
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
    if fragments:
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


def _towncrier(
    root: Path, name: str, version: Version, date: dt.date
) -> str:
    """Return what the fragments of a package say, without a heading."""
    config = ROOT / "tools" / "towncrier.toml"
    command = [sys.executable, "-m", "towncrier", "build", "--draft"]
    command += ["--config", str(config)]
    command += ["--dir", str(root / "packages" / name), "--name", name]
    command += ["--version", spell(version), "--date", date.isoformat()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusalError(f"towncrier failed: {done.stderr.strip()}")
    return done.stdout.partition("\n")[2].strip()


def _own_version(root: Path, name: str, version: Version) -> dict[str, str]:
    path = f"packages/{name}/pyproject.toml"
    text = (root / path).read_text(encoding="utf-8")
    changed = re.sub(
        r'(?m)^version = ".*"$', f'version = "{spell(version)}"', text, count=1
    )
    return {path: changed}


def _new_bound(
    root: Path, dependent: Package, name: str, version: Version
) -> dict[str, str]:
    path = f"packages/{dependent.name}/pyproject.toml"
    text = (root / path).read_text(encoding="utf-8")
    old = dependent.needs[name]
    new = Range(version, version[0] + 1)
    wanted = _requirement(name, new)
    changed = re.sub(rf"\b{name}>=[\d.]+,<{old.below}\b", wanted, text)
    news = f"packages/{dependent.name}/changes/+{name}-{spell(version)}"
    return {
        path: changed,
        f"{news}.changed.md": f"Requires `{wanted}`.\n",
    }


def _requirement(name: str, allowed: Range) -> str:
    low = spell(allowed.low).removesuffix(".0")
    return f"{name}>={low},<{allowed.below}"


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
