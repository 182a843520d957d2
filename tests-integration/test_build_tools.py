"""The scripts that build, describe and check: what they decide."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import tarfile

from collections import Counter
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "tools" / "locks"


def load(name: str):
    """Import a script as its neighbours do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        return importlib.import_module(name)


dists = load("dists")
packages = load("_packages")
pyright_check = load("pyright_check")
sbom = load("_sbom")
sid = load("sid")
needs_uv = pytest.mark.skipif(
    shutil.which(dists.UV) is None, reason="uv is not there"
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "sources.list",
            "# a comment\ndeb [arch=amd64] {url} sid main\n",
        ),
        (
            "sources.list.d/debian.sources",
            "Types: deb\nURIs: https://example.org/debian-security {url}\n",
        ),
    ],
    ids=["one line", "deb822"],
)
def test_the_mirror_is_the_one_of_apt(
    tmp_path: Path, name: str, text: str
) -> None:
    """Both forms of apt's sources tell the mirror of the main archive."""
    url = "http://mirror.example.org/debian"
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text.format(url=url), "utf-8")

    assert sid.find_mirror(tmp_path) == url


def test_no_mirror(tmp_path: Path) -> None:
    """Without one the option is named."""
    with pytest.raises(sid.RefusalError, match="pass --mirror"):
        sid.find_mirror(tmp_path)


def test_a_folder_with_other_content(tmp_path: Path) -> None:
    """A folder that holds something else is never taken for a root."""
    (tmp_path / "letters").touch()

    with pytest.raises(sid.RefusalError, match="not empty"):
        sid.make_root(tmp_path, "http://example.org", check_dates=True)


def finding(message: str, rule: str) -> dict[str, object]:
    return {
        "file": str(ROOT / "packages/buvar-di/src/x.py"),
        "range": {"start": {"line": 4}},
        "message": message,
        "rule": rule,
    }


PRIVATE = finding('"_x" is private', "reportPrivateUsage")
CIRCLE = finding("Cycle detected", "reportImportCycles")
del CIRCLE["range"]
LISTED = {
    ("buvar-di", "reportPrivateUsage", "_x"): 1,
    ("buvar-di", "reportImportCycles", "circles"): 1,
}


def test_exceptions_that_are_listed() -> None:
    """What pyright finds passes as often as it is listed."""
    assert pyright_check.problems([PRIVATE, CIRCLE], Counter(LISTED)) == []


def test_documented_functions_with_an_underscore() -> None:
    """What Python documents for everybody needs no exception."""
    frame = finding('"_getframe" is private', "reportPrivateUsage")
    assert pyright_check.problems([frame], Counter()) == []


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ([PRIVATE, PRIVATE, CIRCLE], 'x.py:5: "_x" is private'),
        ([PRIVATE, CIRCLE, CIRCLE], "x.py:1: Cycle detected"),
        ([PRIVATE], "circles is listed 1 times, 0 are left: shorten it"),
        (
            [PRIVATE, CIRCLE, finding("wrong type", "reportArgumentType")],
            "x.py:5: wrong type (reportArgumentType)",
        ),
    ],
)
def test_exceptions_that_are_not_listed(report, message: str) -> None:
    """One more, one fewer, and any other rule fail."""
    lines = pyright_check.problems(report, Counter(LISTED))

    assert any(message in line for line in lines)


def test_a_bill_of_materials_knows_no_paths() -> None:
    """Paths of the build are left out; our packages get their URL."""
    bill = {
        "metadata": {"component": {"name": "buvar-di", "version": "1.2.0"}},
        "components": [
            {
                "name": "buvar-context",
                "version": "1.0.0",
                "externalReferences": [{"url": "file:///build/x.whl"}],
            },
            {
                "name": "attrs",
                "version": "26",
                "externalReferences": [{"url": "https://example.org"}],
            },
        ],
    }

    text = sbom.published(json.dumps(bill), {"buvar-di", "buvar-context"})

    assert "file:" not in text
    assert "https://example.org" in text
    assert "pkg:pypi/buvar-di@1.2.0" in text
    assert "pkg:pypi/buvar-context@1.0.0" in text


@needs_uv
def test_two_builds_are_equal(tmp_path: Path) -> None:
    """What is built does not depend on where and when."""
    built = dists.build("buvar-di", tmp_path)

    with tarfile.open(built.sdist) as archive:
        assert {member.mtime for member in archive} == {
            int(
                subprocess.check_output(
                    ["git", "log", "-1", "--format=%ct"],  # noqa: S607
                    cwd=ROOT,
                )
            )
        }
    folder = dists.unpack(built.sdist, tmp_path)
    assert (folder / "tests").is_dir()
    assert packages.Package.parse(
        (folder / "pyproject.toml").read_text("utf-8")
    ).needs.keys() == {"buvar-context"}


@pytest.mark.parametrize("name", ["hatchw", "tools"])
def test_locks_name_all_that_is_asked_for(name: str) -> None:
    """Each lock has exact releases with hashes, for all that it is made of."""
    wanted = re.findall(r"(?m)^([a-z-]+)", (LOCKS / f"{name}.in").read_text())
    text = (LOCKS / f"{name}.txt").read_text("utf-8")
    blocks = re.findall(r"(?m)^([a-z0-9-]+)==[^\n]+\\\n    --hash=sha", text)

    assert set(wanted) <= set(blocks)
    assert len(blocks) == len(re.findall(r"(?m)^[a-z0-9-]+==", text))


def test_actions_are_pinned() -> None:
    """Workflows name each action by its commit, and start without rights."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = path.read_text("utf-8")
        uses = re.findall(r"uses: (\S+)", text)

        assert "\npermissions: {}\n" in text
        assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", u) for u in uses)


def test_the_publishing_job_runs_nothing_of_ours() -> None:
    """The job that may publish has no checkout and no command."""
    text = (ROOT / ".github/workflows/release.yml").read_text("utf-8")
    job = text.partition("\n  publish:\n")[2].partition("\n  page:\n")[0]

    assert "id-token: write" in job
    assert "run:" not in job
    assert "checkout" not in job
    assert text.count("id-token: write") == 1
