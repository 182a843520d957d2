"""Rules that hold for the whole repository."""

from __future__ import annotations

import ast
import configparser
import graphlib
import importlib
import re
import sys
import tomllib
import types
import typing as t

from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parent.parent
PACKAGES = sorted(
    path.parent for path in ROOT.glob("packages/*/pyproject.toml")
)
MODULES = sorted(
    path.parent for path in ROOT.glob("packages/*/src/**/py.typed")
)
#: One concept a file: more lines than this usually are several.
MOST_LINES = 400

#: What each module may import of ours, itself aside.
LAYERS = {
    "buvar.components": set[str](),
    "buvar.context": {"buvar.components"},
    "buvar.plugin": {"buvar.components", "buvar.context"},
    "buvar.di": {"buvar.components", "buvar.context"},
    "buvar.config": {"buvar.components", "buvar.context", "buvar.di"},
    "buvar.log": set[str](),
    "buvar.fork": {"buvar.components", "buvar.context", "buvar.plugin"},
    "buvar.testing": {
        "buvar.components",
        "buvar.config",
        "buvar.context",
        "buvar.di",
        "buvar.fork",
        "buvar.plugin",
    },
    "_buvar_aiohttp_pytest": {
        "buvar.components",
        "buvar.testing",
        "buvar_aiohttp",
    },
    "buvar_aiohttp": {
        "buvar.components",
        "buvar.config",
        "buvar.context",
        "buvar.di",
        "buvar.fork",
        "buvar.plugin",
    },
}
LAYERS["buvar.cli"] = {*LAYERS, "buvar_aiohttp"}


def module_name(folder: Path) -> str:
    source = next(path for path in folder.parents if path.name == "src")
    return ".".join(folder.relative_to(source).parts)


def owner(name: str) -> str | None:
    """Return the public module of ours that a dotted name belongs to."""
    parts = name.split(".")
    if parts[0] in {"buvar_aiohttp", "_buvar_aiohttp_pytest"}:
        return parts[0]
    if parts[0] == "buvar" and len(parts) > 1:
        return ".".join(parts[:2])
    return None


def imported(path: Path) -> t.Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


@pytest.mark.parametrize("folder", MODULES, ids=module_name)
def test_all_is_what_is_defined(folder: Path) -> None:
    """A module's ``__all__`` names what it defines, no more."""
    module = importlib.import_module(module_name(folder))

    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name != "annotations"
        and not isinstance(value, types.ModuleType)
    }

    assert set(module.__all__) == public
    assert len(module.__all__) == len(set(module.__all__))


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda path: path.name)
def test_packages_are_complete(folder: Path) -> None:
    """Each package is typed, licensed and says what it is."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))[
        "project"
    ]

    assert list(folder.glob("src/**/py.typed"))
    for name in ("README.md", "CHANGELOG.md", "LICENSE"):
        assert (folder / name).stat().st_size
    assert project["name"] == folder.name
    assert project["license"] == "Apache-2.0"
    assert project["requires-python"] == ">=3.11"
    assert project["version"] >= "1"
    assert project["keywords"]
    assert "Typing :: Typed" in project["classifiers"]


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda path: path.name)
def test_ranges_between_packages(folder: Path) -> None:
    """Our packages require each other by range, up to the next major."""
    content = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    project = content["project"]
    extras = project.get("optional-dependencies", {}).values()

    ours = [
        requirement
        for requirements in (project["dependencies"], *extras)
        for requirement in requirements
        if requirement.startswith("buvar")
    ]

    for requirement in ours:
        form = r"buvar[a-z-]*>=(\d+)\.[\d.]+,<(\d+)"
        match = re.fullmatch(form, requirement)
        assert match
        assert int(match[2]) == int(match[1]) + 1


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda path: path.name)
def test_an_unpacked_sdist_tests_as_the_repository_does(folder: Path) -> None:
    """Each package repeats the settings and tools that its tests need."""
    content = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    parser = configparser.ConfigParser()
    parser.read(ROOT / "tools" / "pytest.ini")
    shared = dict(parser["pytest"])
    own = content["tool"]["pytest"]["ini_options"]
    hatch = tomllib.loads((ROOT / "hatch.toml").read_text("utf-8"))

    assert own.pop("testpaths") == ["tests"]
    assert shared.pop("testpaths")
    assert own.pop("filterwarnings") == [shared.pop("filterwarnings")]
    assert own == {
        name: True if value == "true" else value
        for name, value in shared.items()
    }
    alone = hatch["envs"]["alone"]["dependencies"]
    assert content["dependency-groups"]["test"] == alone


def test_nobody_owns_the_namespace() -> None:
    """``buvar`` is a namespace: no package has a ``buvar/__init__.py``."""
    assert not list(ROOT.glob("packages/*/src/buvar/__init__.py"))


@pytest.mark.parametrize("folder", MODULES, ids=module_name)
def test_import_direction(folder: Path) -> None:
    """Modules import only what lies below them."""
    own = owner(module_name(folder))
    assert own

    others = {
        owner(name) for path in folder.rglob("*.py") for name in imported(path)
    }

    assert others - {None, own} <= LAYERS[own]


def folders_imported(folder: Path) -> dict[str, set[str]]:
    """Return which folders of a module import which others of it."""
    name = module_name(folder)
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*.py"):
        own = path.relative_to(folder).parts
        if len(own) == 1:
            continue
        for other in imported(path):
            inner = other.removeprefix(f"{name}.").split(".")[0]
            if other.startswith(f"{name}.") and (folder / inner).is_dir():
                found.setdefault(own[0], set()).add(inner)
    return {user: used - {user} for user, used in found.items()}


@pytest.mark.parametrize("folder", MODULES, ids=module_name)
def test_folders_are_layered(folder: Path) -> None:
    """The folders of a module import one another in one direction."""
    # It raises an error that names a circle.
    graphlib.TopologicalSorter(folders_imported(folder)).prepare()


def test_files_are_short() -> None:
    """A file has about 400 lines at the most."""
    patterns = (
        "packages/*/src/**/*.py",
        "packages/*/tests/**/*.py",
        "tests-integration/**/*.py",
        "tools/**/*.py",
    )
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for pattern in patterns
        for path in ROOT.glob(pattern)
    }

    assert {path: n for path, n in sizes.items() if n > MOST_LINES} == {}


@pytest.mark.parametrize(
    "text",
    [
        (ROOT / "hatch.toml").read_text("utf-8").partition("[[envs.alone.")[2],
        (ROOT / "README.md").read_text("utf-8"),
        (ROOT / "docs" / "index.md").read_text("utf-8"),
    ],
    ids=["hatch.toml", "README.md", "docs"],
)
def test_package_lists_agree(text: str) -> None:
    """Whatever lists the packages lists all of them."""
    listed = set(re.findall(r"[`\"](buvar(?:-[a-z]+)?)[`\"]", text))

    assert {folder.name for folder in PACKAGES} <= listed


def test_the_type_check_names_every_module() -> None:
    """``types:check`` and coverage look at every public module."""
    hatch = (ROOT / "hatch.toml").read_text("utf-8")
    coverage = tomllib.loads(
        (ROOT / "tools" / "coverage.toml").read_text("utf-8")
    )
    names = sorted({str(owner(module_name(one))) for one in MODULES})

    assert set(re.findall(r"-p ([a-z_.]+)", hatch)) == set(names)
    assert coverage["tool"]["coverage"]["run"]["source_pkgs"] == names


def test_python_finds_one_of_each() -> None:
    """No module is imported twice under two names."""
    files = [
        file
        for module in sys.modules.values()
        if (file := getattr(module, "__file__", None))
        and str(file).startswith(str(ROOT / "packages"))
        and "src" in Path(file).parts
    ]

    assert len(files) == len(set(files))
