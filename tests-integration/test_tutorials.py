"""What the tutorial grows works after each of its steps."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from pathlib import Path

import pytest


TIMEOUT = 120  # seconds, a bound and no expectation
ROOT = Path(__file__).resolve().parent.parent
STEPS = sorted(ROOT.glob("docs/tutorials/*/step*"))
#: A file that a page includes, what follows the place of its text, and the
#: file of the step before that it is shown as a change of.
INCLUDED = re.compile(
    r"```\{literalinclude\} (?P<file>\S+)\n"
    r"(?:(?!```|:diff:).*\n)*(?::diff: (?P<before>\S+)\n)?"
)


@pytest.mark.parametrize(
    "step", STEPS, ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_steps(step: Path) -> None:
    """The tests of a step pass, in a process of its own as readers run it."""
    run(step)


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1))
def test_pages_alone(number: int) -> None:
    """A page shows all that is new in its step, and names each file first."""
    folder = STEPS[number - 1]
    (page,) = folder.parent.glob(f"{number}-*.md")
    text = page.read_text()
    shown: dict[str, str | None] = {}
    for found in INCLUDED.finditer(text):
        name = found["file"].removeprefix(f"step{number}/")
        shown[name] = found["before"]
        paragraph = text[: found.start()].rstrip().rpartition("\n\n")[2]
        assert re.findall(r"`([\w./]+\.(?:py|toml))`", paragraph)[:1] == [name]

    before = _files(folder.parent / f"step{number - 1}")
    changed = {
        name: f"step{number - 1}/{name}" if name in before else None
        for name, content in _files(folder).items()
        if before.get(name) != content
    }
    assert set(shown) == set(changed)
    for name, old in shown.items():
        assert old in (None, changed[name])


def _files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        # A reader's package may be without a docstring.
        if path.suffix in (".py", ".toml") and path.name != "__init__.py"
    }


def run(folder: Path, *args: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *args],
        cwd=folder,
        env={
            **{k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"},
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


ANYIO = """
import anyio
import pytest

from buvar import config
from buvar import context


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
async def test_anyio():
    await anyio.sleep(0)
    assert context.get(config.ConfigSource, default=None) is None
"""


@pytest.mark.parametrize("tool", ["auto mode", "anyio", "xdist", "any order"])
def test_beside_other_tools(tmp_path: Path, tool: str) -> None:
    """
    The whole suite passes in both modes, in any order and side by side.

    Workers are tested in the run of the last step: they take their time.
    """
    folder = tmp_path / "shortly"
    shutil.copytree(STEPS[-1], folder)
    args = ["--deselect", "tests/test_workers.py"]
    if tool == "auto mode":
        args.append("--asyncio-mode=auto")
    elif tool == "anyio":
        pytest.importorskip("anyio")
        folder.joinpath("tests", "test_anyio.py").write_text(ANYIO)
    elif tool == "xdist":
        pytest.importorskip("xdist")
        args.append("-n2")
    else:
        pytest.importorskip("random_order")
        args += ["--random-order", "--random-order-bucket=global"]

    assert "passed" in run(folder, *args)


def test_there_are_steps() -> None:
    """The folders have not been moved away from this test."""
    assert len(STEPS) == 6
