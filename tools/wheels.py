"""
Test the wheels as users get them, each alone in an empty environment.

Builds a wheel of every package, then, for each of them, makes an environment
that holds this wheel, the wheels of ours that it declares, and nothing else
but what they require; imports it; and runs its tests from a copy outside of
the repository, where no source is in reach. At last all of them together run
the integration tests.

``python tools/wheels.py [--python 3.12] [package ...]``
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import typing as t
import zipfile

from pathlib import Path

import affected


ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "packages"
TEST_TOOLS = (
    "blockbuster>=1.5",
    "hypothesis>=6.100",
    "pytest-asyncio>=1.4",
    "pytest>=9",
)
#: Where `uv` is: hatchw says so, else it has to be on PATH.
UV = os.environ.get("HATCH_ENV_TYPE_VIRTUAL_UV_PATH", "uv")


def main(argv: t.Sequence[str] | None = None) -> int:
    """Build, then test each package, then all of them."""
    needs = affected.dependencies(PACKAGES, extras=False)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("package", nargs="*", help="default: all")
    options = parser.parse_args(argv)
    if unknown := set(options.package) - set(needs):
        parser.error(f"no such package: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="wheels-") as folder:
        work = Path(folder)
        wheels = build(sorted(needs), work / "dist")
        for name in options.package or sorted(needs):
            with environment(work, options.python) as python:
                alone = [name, *sorted(closure(name, needs))]
                say(f"{name} alone, with {', '.join(alone[1:]) or 'nothing'}")
                install(python, *(wheels[other] for other in alone))
                check_alone(python, alone, wheels, work)
                install(python, *TEST_TOOLS)
                run_tests(python, name, work)
        if not options.package:
            say("all of them: the integration tests")
            with environment(work, options.python) as python:
                install(python, *wheels.values(), *TEST_TOOLS)
                pytest(python, "tests-integration", cwd=ROOT)
    return 0


def closure(name: str, needs: t.Mapping[str, set[str]]) -> set[str]:
    """Return all of ours that a package needs, directly or not."""
    found: set[str] = set()
    todo = [name]
    while todo:
        new = needs[todo.pop()] - found
        found |= new
        todo += new
    return found


def build(names: t.Iterable[str], folder: Path) -> dict[str, Path]:
    """Build the wheel of each package and look at what is in it."""
    wheels = {}
    for name in names:
        call(UV, "build", "--quiet", "--wheel", "-o", folder, PACKAGES / name)
        (wheel,) = folder.glob(f"{name.replace('-', '_')}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            if "buvar/__init__.py" in archive.namelist():
                sys.exit(f"{wheel.name} owns the namespace buvar")
        wheels[name] = wheel
    return wheels


@contextlib.contextmanager
def environment(work: Path, python: str) -> t.Iterator[Path]:
    """Make an empty virtual environment for the length of the block."""
    folder = work / "venv"
    call(UV, "venv", "--quiet", "--python", python, folder)
    try:
        yield folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    finally:
        shutil.rmtree(folder)


def install(python: Path, *what: Path | str) -> None:
    """Install wheels by path: an index may hold a higher version of one."""
    call(UV, "pip", "install", "--quiet", "--python", python, *what)


def check_alone(
    python: Path,
    alone: t.Sequence[str],
    wheels: t.Mapping[str, Path],
    work: Path,
) -> None:
    """Make sure that nothing else of ours came along, and import it all."""
    listing = call(UV, "pip", "list", "--format", "json", "--python", python)
    names = {project["name"] for project in json.loads(listing)}
    if extra := (names & set(wheels)) - set(alone):
        sys.exit(f"{alone[0]} brought {sorted(extra)} without declaring it")
    for module in modules(wheels[alone[0]]):
        call(python, "-W", "error", "-c", f"import {module}", cwd=work)


def modules(wheel: Path) -> list[str]:
    """Return the public modules of a wheel: the folders with `py.typed`."""
    with zipfile.ZipFile(wheel) as archive:
        return sorted(
            name.removesuffix("/py.typed").replace("/", ".")
            for name in archive.namelist()
            if name.endswith("/py.typed") and not name.startswith("_")
        )


def run_tests(python: Path, name: str, work: Path) -> None:
    """Run a package's tests from a copy with no source beside it."""
    copy = work / name
    shutil.copytree(PACKAGES / name / "tests", copy / "tests")
    shutil.copy(PACKAGES / name / "README.md", copy)
    pytest(python, copy / "tests", cwd=copy)


def pytest(python: Path, tests: Path | str, *, cwd: Path) -> None:
    """Run tests and let their output through."""
    config = ROOT / "tools" / "pytest.ini"
    options = ["-q", "-c", config, f"--rootdir={cwd}"]
    done = subprocess.run(
        [python, "-m", "pytest", *options, tests],
        cwd=cwd,
        env=clean_environment(),
        check=False,
    )
    if done.returncode:
        sys.exit(done.returncode)


def call(*command: Path | str, cwd: Path | None = None) -> str:
    """Run a step and return its output; stop with it where it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        line = " ".join(map(str, command))
        text = done.stdout + done.stderr
        sys.exit(f"{line}\nfailed with {done.returncode}:\n{text}")
    return done.stdout


def clean_environment() -> dict[str, str]:
    """Return the variables without those of an active environment."""
    unwanted = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {k: v for k, v in os.environ.items() if k not in unwanted}


def say(text: str) -> None:
    """Print a headline."""
    print(f"--- {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
