"""
Test the wheels as users get them, each alone in an empty environment.

Builds the sdist and the wheel of every package, twice and with equal results
(see ``dists.py``). Then, for each of them, makes an environment that holds
this wheel, the wheels of ours that it declares, and nothing else but what they
require; imports it; and runs its tests from the unpacked sdist, with nothing
of the repository in reach. At last all of them together run the integration
tests. ``--sbom`` writes what is in each environment as CycloneDX.

``python tools/wheels.py [--python 3.12] [--sbom folder] [package ...]``
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
import tomllib
import typing as t
import zipfile

from pathlib import Path

import _packages
import _sbom
import affected
import dists


ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "packages"


def main(argv: t.Sequence[str] | None = None) -> int:
    """Build, then test each package, then all of them."""
    needs = affected.dependencies(PACKAGES, extras=False)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--sbom", type=Path, help="where SBOMs are kept")
    parser.add_argument(
        "--dists", type=Path, help="test what is here, built by dists.py"
    )
    parser.add_argument("package", nargs="*", help="default: all")
    options = parser.parse_args(argv)
    if unknown := set(options.package) - set(needs):
        parser.error(f"no such package: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="wheels-") as folder:
        work = Path(folder)
        # Some tests run programs as other users, who need to read them.
        work.chmod(0o755)
        built = build(sorted(needs), work / "dist")
        if options.dists:
            for name in options.package:
                take(built, name, options.dists)
        wheels = {name: files.wheel for name, files in built.items()}
        for name in options.package or sorted(needs):
            with environment(work, options.python) as python:
                alone = [name, *sorted(closure(name, needs))]
                say(f"{name} alone, with {', '.join(alone[1:]) or 'nothing'}")
                install(python, *(wheels[other] for other in alone))
                check_alone(python, alone, wheels, work)
                if options.sbom:
                    write_sbom(python, name, options.sbom)
                install(python, *test_tools(name))
                run_tests(python, dists.unpack(built[name].sdist, work))
        if not options.package:
            say("all of them: the integration tests")
            with environment(work, options.python) as python:
                install(python, *wheels.values(), *work_tools())
                config = ["-c", "tools/pytest.ini", f"--rootdir={ROOT}"]
                pytest(python, *config, "tests-integration", cwd=ROOT)
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


def build(names: t.Iterable[str], folder: Path) -> dict[str, dists.Built]:
    """Build each package and look at what is in it."""
    folder.mkdir()
    packages = _packages.read(ROOT)
    built = {}
    for name in names:
        try:
            built[name] = dists.build(name, folder)
            dists.check(built[name], packages[name])
        except dists.BuildError as error:
            sys.exit(str(error))
    return built


def take(built: dict[str, dists.Built], name: str, folder: Path) -> None:
    """Take files that were built before, if they are equal to ours."""
    files = [folder / path.name for path in built[name]]
    for ours, theirs in zip(built[name], files, strict=True):
        if dists.digest(ours) != dists.digest(theirs):
            sys.exit(f"{theirs} was not built from this tree")
    built[name] = dists.Built(*files)


@contextlib.contextmanager
def environment(work: Path, python: str) -> t.Iterator[Path]:
    """Make an empty virtual environment for the length of the block."""
    folder = work / "venv"
    call(dists.UV, "venv", "--quiet", "--python", python, folder)
    try:
        yield folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    finally:
        shutil.rmtree(folder)


def install(python: Path, *what: Path | str) -> None:
    """Install wheels by path: an index may hold a higher version of one."""
    call(dists.UV, "pip", "install", "--quiet", "--python", python, *what)


def check_alone(
    python: Path,
    alone: t.Sequence[str],
    wheels: t.Mapping[str, Path],
    work: Path,
) -> None:
    """Make sure that nothing else of ours came along, and import it all."""
    pip = [dists.UV, "pip", "list", "--format", "json"]
    listing = call(*pip, "--python", python)
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


def test_tools(name: str) -> list[str]:
    """Return what the tests of a package need beside the package."""
    content = (PACKAGES / name / "pyproject.toml").read_text(encoding="utf-8")
    tools: list[str] = tomllib.loads(content)["dependency-groups"]["test"]
    return tools


def work_tools() -> list[str]:
    """Return what one works with: documents and tutorials need extras."""
    content = tomllib.loads((ROOT / "hatch.toml").read_text(encoding="utf-8"))
    tools: list[str] = content["envs"]["default"]["dependencies"]
    return tools


def write_sbom(python: Path, name: str, folder: Path) -> None:
    """Write what an environment holds, as a bill of materials."""
    folder.mkdir(parents=True, exist_ok=True)
    project = PACKAGES / name / "pyproject.toml"
    command = [sys.executable, "-m", "cyclonedx_py", "environment"]
    options = ["--output-reproducible", "--pyproject", str(project)]
    text = call(*command, *options, python)
    out = folder / f"{name}.cdx.json"
    out.write_text(_sbom.published(text, _packages.read(ROOT)), "utf-8")
    say(f"{out}")


def run_tests(python: Path, folder: Path) -> None:
    """Run a package's tests as its unpacked sdist configures them."""
    # The sources beside the tests must not be what is tested.
    shutil.rmtree(folder / "src")
    pytest(python, "tests", cwd=folder)


def pytest(python: Path, *arguments: Path | str, cwd: Path) -> None:
    """Run tests and let their output through."""
    done = subprocess.run(
        [python, "-m", "pytest", "-q", *arguments],
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
