"""What is released, how, and which versions are tested together."""

from __future__ import annotations

import datetime as dt
import importlib
import subprocess

from pathlib import Path

import pytest


TOOLS = Path(__file__).resolve().parent.parent / "tools"
DATE = dt.date(2026, 1, 2)
CHANGELOG = """\
# Changelog

<!-- towncrier release notes start -->

## 1.0.0 ({date})

The first release.
"""


def load(name: str):
    """Import a script as its neighbours do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        return importlib.import_module(name)


history = load("_history")
mixed = load("mixed")
release = load("release")
surface = load("_surface")


class Clone:
    """A small repository of two packages, the second needs the first."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet")
        self.package("buvar-base", "buvar/base", "")
        self.package("buvar-top", "buvar/top", '"buvar-base>=1.0,<2"')
        self.write("buvar-base", "src/buvar/base/__init__.py", "old = 1\n")
        self.top("from buvar.base import old\n")
        self.commit()

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(
            ["git", *identity, *arguments],  # noqa: S607
            cwd=self.root,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def package(self, name: str, module: str, needs: str) -> None:
        self.write(
            name,
            "pyproject.toml",
            f'[project]\nname = "{name}"\nversion = "1.0.0"\n'
            f"dependencies = [{needs}]\n",
        )
        self.write(name, "CHANGELOG.md", CHANGELOG.format(date="unreleased"))
        self.write(name, f"src/{module}/__init__.py", "")

    def write(self, name: str, path: str, text: str) -> None:
        file = self.root / "packages" / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def read(self, name: str, path: str) -> str:
        return (self.root / "packages" / name / path).read_text("utf-8")

    def top(self, text: str) -> None:
        self.write("buvar-top", "src/buvar/top/__init__.py", text)

    def news(self, name: str, kind: str) -> None:
        self.write(name, f"changes/+it.{kind}.md", "It happened.\n")

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "a step")

    def release(self, name: str, part: str):
        made = release.plan(self.root, name, part, date=DATE)
        release.carry_out(made, self.root)
        return made

    def rows(self, name: str) -> list[str]:
        found, _ = mixed.rows(name, mixed.Releases(self.root))
        return [str(row) for row in found]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "a")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "a@example.org")
    return Clone(tmp_path)


@pytest.fixture
def released(clone: Clone) -> Clone:
    """Return the repository with version 1.0.0 of both released."""
    clone.release("buvar-base", "current")
    clone.release("buvar-top", "current")
    return clone


def test_a_release_dates_its_section(clone: Clone) -> None:
    """Releasing a version as it stands dates its section and tags it."""
    clone.release("buvar-base", "current")

    changelog = clone.read("buvar-base", "CHANGELOG.md")
    assert changelog == CHANGELOG.format(date="2026-01-02")
    tags = history.git(clone.root, "tag").split()
    assert tags == ["buvar-base-v1.0.0"]
    release.check_tag(clone.root, tags[0])


def test_a_plan_writes_nothing(clone: Clone) -> None:
    """What ``--dry-run`` shows is planned without touching anything."""
    made = release.plan(clone.root, "buvar-base", "minor", date=DATE)

    assert made.version == (1, 1, 0)
    assert "1.0.0 was never released" in made.notes[0]
    assert not history.git(clone.root, "status", "--porcelain")
    assert not history.git(clone.root, "tag")


def test_fragments_become_a_section(released: Clone) -> None:
    """News fragments are written into the changelog and removed."""
    pytest.importorskip("towncrier")
    released.news("buvar-base", "added")
    released.commit()

    released.release("buvar-base", "minor")

    changelog = released.read("buvar-base", "CHANGELOG.md")
    news = "## 1.1.0 (2026-01-02)\n\n### Added\n\n- It happened.\n\n## 1.0.0"
    assert news in changelog
    assert 'version = "1.1.0"' in released.read("buvar-base", "pyproject.toml")
    assert not list(released.root.glob("packages/*/changes/*"))


def test_a_dependent_that_uses_something_new(released: Clone) -> None:
    """Its lower bound is raised, and its changelog will say so."""
    pytest.importorskip("towncrier")
    released.write(
        "buvar-base", "src/buvar/base/__init__.py", "old = 1\nnew = 2\n"
    )
    released.top("from buvar import base\nbase.new\n")
    released.news("buvar-base", "added")
    released.commit()

    made = released.release("buvar-base", "minor")

    assert made.raised == {"buvar-top": ["buvar.base.new"]}
    project = released.read("buvar-top", "pyproject.toml")
    assert '"buvar-base>=1.1,<2"' in project
    news = released.read("buvar-top", "changes/+buvar-base-1.1.0.changed.md")
    assert news == "Requires `buvar-base>=1.1,<2`.\n"


def test_releases_without_tags(released: Clone) -> None:
    """A clone without tags finds the commits of the releases."""
    before = history.releases(released.root, "buvar-top")
    assert before == {(1, 0, 0): "buvar-top-v1.0.0"}
    expected = history.git(released.root, "rev-parse", "HEAD").strip()

    released.git("tag", "--delete", "buvar-top-v1.0.0")

    assert history.releases(released.root, "buvar-top") == {
        (1, 0, 0): expected
    }


@pytest.mark.parametrize(
    ("part", "kind", "message"),
    [
        ("patch", "added", "ask for a minor release"),
        ("minor", "breaking", "ask for a major release"),
        ("minor", "nonsense", "no kind of news 'nonsense'"),
        ("minor", None, "nothing to release"),
        ("current", None, r"1\.0\.0 was released already"),
    ],
)
def test_what_is_refused(
    released: Clone, part: str, kind: str | None, message: str
) -> None:
    """A release that the news does not bear is refused, with the reason."""
    if kind:
        released.news("buvar-base", kind)

    with pytest.raises(release.RefusalError, match=message):
        release.plan(released.root, "buvar-base", part, date=DATE)


def test_the_order_of_releases(released: Clone) -> None:
    """What a package needs anew has to be released before it."""
    released.write("buvar-base", "src/buvar/base/__init__.py", "new = 2\n")
    released.top("import buvar.base\nbuvar.base.new\n")
    released.news("buvar-top", "fixed")

    with pytest.raises(release.RefusalError, match="release buvar-base first"):
        release.plan(released.root, "buvar-top", "patch", date=DATE)


def test_changes_of_ones_own_are_not_released(clone: Clone) -> None:
    """A work tree with changes is refused before anything is written."""
    made = release.plan(clone.root, "buvar-base", "current", date=DATE)
    clone.write("buvar-base", "README.md", "half done")

    with pytest.raises(release.RefusalError, match="commit or stash"):
        release.carry_out(made, clone.root)

    assert "unreleased" in clone.read("buvar-base", "CHANGELOG.md")


@pytest.mark.parametrize("tag", ["buvar-base-v1.0.0", "buvar-base-v9.0.0"])
def test_a_tag_that_lies(clone: Clone, tag: str) -> None:
    """A tag is refused whose version is another one, or not released."""
    with pytest.raises(release.RefusalError, match=r"tools/release\.py"):
        release.check_tag(clone.root, tag)


def test_nothing_is_mixed_before_a_release(clone: Clone) -> None:
    """Without any release there is nothing to test beside."""
    assert clone.rows("buvar-base") == []
    assert clone.rows("buvar-top") == []


def test_a_tree_is_tested_beside_releases(released: Clone) -> None:
    """Below: what it needs. Above: what needs it."""
    assert released.rows("buvar-top") == [
        "tests of buvar-top (this tree) beside buvar-base (1.0.0)"
    ]
    assert released.rows("buvar-base") == [
        "tests of buvar-top (1.0.0) beside buvar-base (this tree)"
    ]


def test_newest_and_lowest(released: Clone) -> None:
    """Both ends of a range are tested."""
    pytest.importorskip("towncrier")
    released.news("buvar-base", "fixed")
    released.commit()
    released.release("buvar-base", "patch")

    assert released.rows("buvar-top") == [
        "tests of buvar-top (this tree) beside buvar-base (1.0.1)",
        "tests of buvar-top (this tree) beside buvar-base (1.0.0)",
    ]


def test_what_no_release_has_comes_from_the_tree(released: Clone) -> None:
    """A package that uses something new is not tested with what lacks it."""
    released.write("buvar-base", "src/buvar/base/__init__.py", "new = 2\n")
    released.top("from buvar.base import new\n")

    assert released.rows("buvar-top") == []


def test_a_major_version_may_break(released: Clone) -> None:
    """News of a broken promise leaves out releases that exclude it."""
    released.news("buvar-base", "breaking")

    found, notes = mixed.rows("buvar-base", mixed.Releases(released.root))

    assert found == []
    assert "does not allow buvar-base 2.0.0" in notes[0]


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("from buvar.base import a as b", {("buvar.base", "a")}),
        ("from buvar import base\nbase.a", {("buvar.base", "a")}),
        ("import buvar.base as x\nx.a.b", {("buvar.base", "a")}),
        ("import buvar.base\nbuvar.base.a", {("buvar.base", "a")}),
        ("from os import path", set()),
    ],
)
def test_what_a_source_uses(text: str, uses: set[tuple[str, str]]) -> None:
    """Names are found however the module is imported."""
    found = surface.used({"a/src/x.py": text}, {"buvar.base"})

    assert set(found) == uses


def test_what_a_module_defines() -> None:
    """Functions, classes, variables, imports and submodules are defined."""
    text = (
        "import os.path\nfrom x import y as z\na = b, c = 1, 2\n"
        "def f(): inner = 1\nclass C: field = 1\n"
        "if a:\n    d = 1\nelse:\n    e = 2\n"
    )

    found = surface.defined({"p/src/m/__init__.py": text, "p/src/m/_n.py": ""})

    assert found["m"] == set("abcdefCz") | {"os", "_n"}
