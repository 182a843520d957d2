"""
Test packages of this tree beside released versions of the others.

``python3 tools/hatchw.py run mixed:test buvar-di`` makes an environment
for each row, and runs in it the tests of one package:

- those of the package itself, beside the newest and beside the oldest
  releases of ours that its ranges allow;
- those of the newest release of each package that needs it, if that one's
  range allows the version which the news fragments ask for.

Where a package has no release that fits, or this tree uses something that no
release of it has, its state in this tree is taken. What was released is read
from the tags, or from the release commits where there are no tags.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
import tempfile
import typing as t

from pathlib import Path

import _bounds
import _history
import _news
import _packages
import dists
import wheels

from _packages import Package
from _packages import spell


ROOT = Path(__file__).resolve().parent.parent


class Member(t.NamedTuple):
    """One package in an environment."""

    package: Package
    #: The commit of the release; ``None``: this tree.
    commit: str | None

    def __str__(self) -> str:
        state = spell(self.package.version) if self.commit else "this tree"
        return f"{self.package.name} ({state})"


class Row(t.NamedTuple):
    """An environment, and the package whose tests run in it."""

    tested: str
    members: dict[str, Member]

    def __str__(self) -> str:
        tested, *others = sorted(
            self.members.values(), key=lambda m: m.package.name != self.tested
        )
        beside = ", ".join(map(str, others))
        return f"tests of {tested} beside {beside or 'nothing'}"


class Releases:
    """What this tree and its history have of each package."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tree = _packages.read(root)
        self.released = {
            name: _history.releases(root, name) for name in self.tree
        }
        self._new: dict[tuple[str, str], bool] = {}

    def member(self, name: str, commit: str | None) -> Member:
        """Return a package as it is in a commit, or in this tree."""
        if commit is None:
            return Member(self.tree[name], None)
        path = f"packages/{name}/pyproject.toml"
        text = _history.git(self.root, "show", f"{commit}:{path}")
        return Member(Package.parse(text), commit)

    def newest(self, name: str) -> Member | None:
        """Return the newest release of a package."""
        released = self.released[name]
        if not released:
            return None
        return self.member(name, released[max(released)])

    def needs_this_tree(self, dependent: Member, name: str) -> bool:
        """Whether a package uses what no release of another one has."""
        if dependent.commit is not None:
            return False
        key = (dependent.package.name, name)
        if key not in self._new:
            self._new[key] = bool(
                _bounds.new_uses(self.root, *key, self.released[name])
            )
        return self._new[key]


def rows(name: str, known: Releases) -> tuple[list[Row], list[str]]:
    """
    Return the environments to test a package in, and what is left out.

    Args:
        name: The package.
        known: What there is.
    """
    found: list[Row] = []
    notes: list[str] = []
    tree = known.member(name, None)
    for pick in (max, min):
        row = Row(name, _choose({name: tree}, known, pick))
        mixed = any(member.commit for member in row.members.values())
        if mixed and row not in found:
            found.append(row)
    if not found and tree.package.needs:
        notes.append(f"{name}: nothing it needs has a release that fits")
    planned = _news.planned(known.root, known.tree[name], known.released)
    for dependent in known.tree:
        other = known.newest(dependent)
        if other is None or dependent == name:
            continue
        released = _choose({dependent: other}, known, max)
        if name not in released:
            continue
        refusing = [
            str(member)
            for member in released.values()
            if name in member.package.needs
            and planned not in member.package.needs[name]
        ]
        if refusing:
            notes.append(
                f"{other} beside {tree}: {', '.join(refusing)} does not "
                f"allow {name} {spell(planned)}, as which it would be released"
            )
        else:
            roots = {name: tree, dependent: other}
            found.append(Row(dependent, _choose(roots, known, max)))
    return found, notes


def _choose(
    roots: dict[str, Member],
    known: Releases,
    pick: t.Callable[[t.Iterable[_packages.Version]], _packages.Version],
) -> dict[str, Member]:
    """Complete an environment by what its members need."""
    chosen = dict(roots)
    # Another choice can have other needs: until nothing changes any more.
    for _ in range(len(known.tree) + 1):
        ranges: dict[str, list[_packages.Range]] = {}
        tree_only: set[str] = set()
        for member in chosen.values():
            for name, allowed in member.package.needs.items():
                ranges.setdefault(name, []).append(allowed)
                if known.needs_this_tree(member, name):
                    tree_only.add(name)
        complete = dict(roots)
        for name in sorted(set(ranges) - set(roots)):
            fitting = {
                version: commit
                for version, commit in known.released[name].items()
                if name not in tree_only
                and all(version in allowed for allowed in ranges[name])
            }
            commit = fitting[pick(fitting)] if fitting else None
            complete[name] = known.member(name, commit)
        if complete == chosen:
            break
        chosen = complete
    return chosen


def main(argv: t.Sequence[str] | None = None) -> int:
    """Test the rows of packages, and say how each ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument(
        "--pytest", default="", metavar="OPTIONS", help="options of pytest"
    )
    parser.add_argument(
        "--list", action="store_true", help="name the rows, run nothing"
    )
    parser.add_argument(
        "--root", type=Path, default=ROOT, help=argparse.SUPPRESS
    )
    parser.add_argument("package", nargs="*", help="default: all")
    parsed = parser.parse_args(argv)
    options = shlex.split(parsed.pytest)
    known = Releases(parsed.root)
    if unknown := set(parsed.package) - set(known.tree):
        parser.error(f"no such package: {', '.join(sorted(unknown))}")
    todo: list[Row] = []
    for name in parsed.package or known.tree:
        found, notes = rows(name, known)
        todo += [row for row in found if row not in todo]
        for note in notes:
            print(f"left out: {note}")
    if not todo:
        print("nothing was tested: no release fits beside what was asked for")
    failed: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="mixed-") as folder:
        bench = _Bench(parsed.root, Path(folder), parsed.python)
        for row in todo:
            print(f"--- {row}", flush=True)
            if not parsed.list and not bench.passes(row, options):
                failed.append(row)
    for row in failed:
        print(f"failed: {row}")
    if failed:
        print(
            "Either a range says too much (raise its lower bound), or a name "
            "went without a new major version (keep it, or add a news "
            "fragment of the kind 'breaking')."
        )
    return bool(failed)


class _Bench:
    """Builds what rows need, and runs them."""

    def __init__(self, root: Path, work: Path, python: str) -> None:
        self._root = root
        self._work = work
        self._python = python
        self._wheels: dict[tuple[str, str | None], Path] = {}

    def passes(self, row: Row, options: t.Sequence[str]) -> bool:
        """Run the tests of a row."""
        built = [self._wheel(member) for member in row.members.values()]
        source = self._source(row.members[row.tested])
        copy = self._work / "tested"
        shutil.copytree(source / "tests", copy / "tests")
        shutil.copy(source / "README.md", copy)
        config = self._root / "tools" / "pytest.ini"
        command = ["-m", "pytest", "-q", "-c", config, f"--rootdir={copy}"]
        with wheels.environment(self._work, self._python) as python:
            tools = wheels.test_tools(row.tested)
            wheels.install(python, *built, *tools)
            done = subprocess.run(
                [python, *command, "tests", *options],
                cwd=copy,
                env=wheels.clean_environment(),
                check=False,
            )
        shutil.rmtree(copy)
        return not done.returncode

    def _source(self, member: Member) -> Path:
        folder = f"packages/{member.package.name}"
        if member.commit is None:
            return self._root / folder
        target = self._work / member.commit
        if not (target / folder).exists():
            _history.export(self._root, member.commit, folder, target)
        return target / folder

    def _wheel(self, member: Member) -> Path:
        key = (member.package.name, member.commit)
        if key not in self._wheels:
            out = self._work / "wheels" / str(len(self._wheels))
            command = [dists.UV, "build", "--quiet", "--no-sources", "--wheel"]
            wheels.call(*command, "-o", out, self._source(member))
            (self._wheels[key],) = out.glob("*.whl")
        return self._wheels[key]


if __name__ == "__main__":
    sys.exit(main())
