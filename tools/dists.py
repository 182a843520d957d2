"""
Build the sdist and the wheel of packages, twice, and look at what is in them.

``python3 tools/hatchw.py run wheels:build [--out dist] [package ...]`` builds
every package from two copies of its tracked files that differ in folder,
umask, time zone and hash seed, and fails unless both give the same bytes. The
wheel is built from the sdist. Prints one line for each file, as ``sha256sum``
does.
"""

from __future__ import annotations

import argparse
import contextlib
import email
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import typing as t
import zipfile

from pathlib import Path

import _history
import _packages


ROOT = Path(__file__).resolve().parent.parent
#: Where `uv` is: hatchw says so, else it has to be on PATH.
UV = os.environ.get("HATCH_ENV_TYPE_VIRTUAL_UV_PATH", "uv")
#: What differs between the two builds, beside the folder.
SURROUNDINGS = (
    {"TZ": "UTC", "PYTHONHASHSEED": "1", "LC_ALL": "C"},
    {"TZ": "Pacific/Apia", "PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8"},
)
UMASKS = (0o022, 0o077)


class BuildError(Exception):
    """A build or its result that cannot be released."""


class Built(t.NamedTuple):
    """What was built of one package."""

    sdist: Path
    wheel: Path


def main(argv: t.Sequence[str] | None = None) -> int:
    """Build packages and print what came out."""
    packages = _packages.read(ROOT)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="where the files are kept")
    parser.add_argument("package", nargs="*", help="default: all")
    options = parser.parse_args(argv)
    if unknown := set(options.package) - set(packages):
        parser.error(f"no such package: {', '.join(sorted(unknown))}")
    with contextlib.ExitStack() as stack:
        out = options.out or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="dists-"))
        )
        out.mkdir(parents=True, exist_ok=True)
        try:
            for name in options.package or sorted(packages):
                built = build(name, out)
                check(built, packages[name])
                for path in built:
                    print(f"{digest(path)}  {path.name}", flush=True)
        except BuildError as error:
            print(f"dists: {error}", file=sys.stderr)
            return 1
    return 0


def build(name: str, out: Path, *, root: Path = ROOT) -> Built:
    """
    Build a package twice and keep one of the equal results.

    Args:
        name: The package.
        out: The folder the files are written to.
        root: The clone; files that git does not track are left out.

    Raises:
        BuildError: A build failed, or the two differ.
    """
    with tempfile.TemporaryDirectory(prefix="build-") as folder:
        results = [
            _build_once(name, root, Path(folder, place), number)
            for number, place in enumerate(("a", "somewhere/else"))
        ]
        for ours, other in zip(*results, strict=True):
            if digest(ours) != digest(other):
                raise BuildError(
                    f"{ours.name} is not reproducible: two builds of the same "
                    f"files differ ({digest(ours)}, {digest(other)})"
                )
        sdist, wheel = (
            Path(shutil.copy(path, out / path.name)) for path in results[0]
        )
        return Built(sdist, wheel)


def _build_once(name: str, root: Path, folder: Path, number: int) -> Built:
    copy = folder / name
    tracked = _history.git(root, "ls-files", "-z", f"packages/{name}")
    for path in filter(None, tracked.split("\0")):
        source = root / path
        if source.exists():
            target = copy / Path(path).relative_to(f"packages/{name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            target.chmod(0o666 & ~UMASKS[number])
    environment = {
        **os.environ,
        **SURROUNDINGS[number],
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH")
        or _history.git(root, "log", "-1", "--format=%ct").strip(),
    }
    # First the sdist, then the wheel out of it, as whoever builds one would.
    out = folder / "dist"
    done = subprocess.run(
        [UV, "build", "--quiet", "--no-sources", "-o", out, copy],
        cwd=copy,
        env=environment,
        umask=UMASKS[number],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"{name} cannot be built:\n{done.stderr.strip()}")
    (sdist,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    return Built(sdist, wheel)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check(built: Built, package: _packages.Package) -> None:
    """
    Look at the metadata and the content of what was built.

    Raises:
        BuildError: Something is wrong or missing.
    """
    version = _packages.spell(package.version)
    with zipfile.ZipFile(built.wheel) as archive:
        names = archive.namelist()
        (path,) = (name for name in names if name.endswith("/METADATA"))
        metadata = email.message_from_bytes(archive.read(path))
    requirements = metadata.get_all("Requires-Dist", [])
    wrong = {
        "its name": metadata["Name"] != package.name,
        f"its version, which is not {version}": metadata["Version"] != version,
        "the licence": not any("licenses/LICENSE" in name for name in names),
        "py.typed": not any(name.endswith("py.typed") for name in names),
        "buvar/__init__.py, as buvar is a namespace": "buvar/__init__.py"
        in names,
        # The templates of `buvar new` have tests, too: as text.
        "tests in the wheel": any(
            "tests/" in name and name.endswith(".py") for name in names
        ),
        "a requirement by path or URL": any("@" in r for r in requirements),
    }
    with tarfile.open(built.sdist) as archive:
        inside = {Path(name).parts[1] for name in archive.getnames()}
    for needed in ("LICENSE", "README.md", "CHANGELOG.md", "src", "tests"):
        wrong[f"{needed} missing from the sdist"] = needed not in inside
    if found := [text for text, is_wrong in wrong.items() if is_wrong]:
        raise BuildError(f"{built.wheel.name}: {'; '.join(found)}")
    _twine(built)


def _twine(built: Built) -> None:
    """Let the index's own client check the metadata."""
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *built],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError((done.stdout + done.stderr).strip())


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist and return the folder that it holds."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return folder / sdist.name.removesuffix(".tar.gz")


if __name__ == "__main__":
    sys.exit(main())
